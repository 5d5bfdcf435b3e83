// Command aloft takes a backend application from its source to a highly
// available deployment on AWS, and carries an AWS of its own to rehearse on.
package main

import (
	"os"

	"aloft.dev/aloft/internal/cli"
)

// version is set by the build.
var version = "development"

func main() {
	os.Exit(cli.Main(os.Args[1:], version, cli.Stdio{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
