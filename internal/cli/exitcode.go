package cli

import "fmt"

// Exit codes. Scripts rely on them.
const (
	ExitOK          = 0
	ExitError       = 1
	ExitChanges     = 2
	ExitNotVerified = 3
	ExitOutside     = 4
	ExitInterrupted = 130
)

// exitCodes describes each exit code for the page docs/commands.md.
var exitCodes = []struct {
	code    int
	meaning string
}{
	{ExitOK, "The command succeeded, or there was nothing to do."},
	{ExitError, "An error. Standard error says what is wrong, why, and what to do."},
	{ExitChanges, "`plan`: there are changes."},
	{
		ExitNotVerified,
		"A promise does not hold: a check of `verify` failed, `why` found no way, " +
			"or a release failed and was rolled back.",
	},
	{ExitOutside, "`drill`, `verify --zones`: requests failed outside the bound."},
	{ExitInterrupted, "Ctrl-C stopped the command. The same command continues the work."},
}

// exit is an error that ends the program with a code other than 0 and 1. The
// command has already printed the reason.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }
