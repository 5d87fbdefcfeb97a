// Package bench measures the built executable against the budgets of the
// product and prints a table. It has no code of its own; `make bench` runs it.
package bench
