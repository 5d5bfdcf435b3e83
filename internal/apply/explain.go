package apply

import (
	"errors"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
)

// runAgain is the remedy for what another run completes.
const runAgain = "run the same command again: it goes on from here"

// explain returns err as diagnostics that name what was attempted, the cause and a
// remedy. where names the thing that err is about.
func explain(where string, err error) diag.List { return awsapi.Explain(where, err) }

// explained returns err if it is made of diagnostics, and its explanation otherwise.
func explained(err error) error {
	var list diag.List
	var d *diag.Diagnostic
	if err == nil || errors.As(err, &list) || errors.As(err, &d) {
		return err
	}
	return explain("", err)
}
