package cli

import (
	"context"
	"os"

	"aloft.dev/aloft/internal/cloud/plane/balancer/process"
	egress "aloft.dev/aloft/internal/cloud/plane/egress/process"
	linklocal "aloft.dev/aloft/internal/cloud/plane/linklocal/process"
	"aloft.dev/aloft/internal/cloud/plane/machine"
)

// subprocessArgument is the first argument with which the daemon runs this program
// again as one of its subprocesses. It is not a command for people.
const subprocessArgument = "part"

// subprocessCommand returns the command that runs this program as a subprocess of
// the daemon.
func subprocessCommand(name string) []string {
	return []string{"/proc/self/exe", subprocessArgument, name}
}

// runSubprocess runs a subprocess of the local cloud if the arguments name one.
func runSubprocess(args []string) (code int, ok bool) {
	if len(args) < 2 || args[0] != subprocessArgument {
		return 0, false
	}
	switch args[1] {
	case "machine":
		return machine.RunLauncher(args[2:]), true
	case "egress":
		return egress.Run(args[2:], os.Stderr), true
	case "linklocal":
		return linklocal.Run(args[2:], os.Stderr), true
	case "balancer":
		return process.Run(context.Background(), subprocessCommand("balancer"), args[2:], os.Stdout, os.Stderr), true
	}
	return ExitError, true
}
