// Package story holds the journeys of the people who use a desk, told against
// the whole of it. It has no code of its own.
package story
