// Command aloft deploys backend applications, highly available, on AWS or on the
// local cloud that it runs.
package main

import (
	"os"

	"aloft.dev/aloft/internal/cli"
)

// version is set at build time.
var version = "development"

func main() {
	os.Exit(cli.Main(os.Args[1:], version, cli.Stdio{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
