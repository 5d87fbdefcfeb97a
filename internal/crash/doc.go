// Package crash holds the tests that kill, starve and deceive the built
// executable and then look whether anything was lost or doubled. It has no code
// of its own.
//
// DESKBELL_BINARY names the executable; without it the tests build one. The
// moments of the kills come from a seed:
//
//	go test ./internal/crash -v -args -seed 7
package crash
