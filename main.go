// Deskbell is customer service in one file: the shared desk of a small
// business, with its database, its pages and its mail, in one executable.
//
//	internal/command  the command line, one file a command
//	internal/boot     builds, starts and stops the desk
//	internal/...      the packages of the desk; internal/layout_test.go is their map
//	pb_migrations     the database, change by change
//	ui                the pages of agents
package main

import (
	"os"
	_ "time/tzdata" // time zones of the customers, wherever the desk runs

	"github.com/deskbell/deskbell/internal/command"
)

func main() { os.Exit(command.Main(os.Args[1:])) }
