package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/spec"
)

// folder returns the [DIR] argument of a command, or the current folder.
func folder(args []string) string {
	if len(args) == 0 {
		return "."
	}
	return args[0]
}

// explainArguments makes c and the commands below it report wrong arguments as
// diagnostics with a remedy. A command that only holds others rejects names that
// are not among them.
func explainArguments(c *cobra.Command) {
	validate := c.Args
	if !c.Runnable() && c.HasParent() { // cobra rejects unknown commands of the root itself
		c.DisableFlagsInUseLine = true
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		validate = rejectUnknownCommand
	}
	if validate != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			err := validate(c, args)
			var explained diag.List
			if err == nil || errors.As(err, &explained) {
				return err
			}
			return diag.List{{Where: c.CommandPath(), Summary: err.Error(), Hint: "usage: " + c.UseLine(), Cause: err}}
		}
	}
	for _, sub := range c.Commands() {
		explainArguments(sub)
	}
}

func rejectUnknownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	hint := "see " + c.CommandPath() + " --help"
	if near := spec.Nearest(args[0], names); near != "" {
		hint = "did you mean " + c.CommandPath() + " " + near + "? " + hint
	}
	return diag.List{{Summary: fmt.Sprintf("unknown command %q for %s", args[0], c.CommandPath()), Hint: hint}}
}
