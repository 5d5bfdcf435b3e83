package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/diag"
)

func TestExitCodeSaysHowTheCommandEnded(t *testing.T) {
	interrupted, cancel := context.WithCancelCause(t.Context())
	cancel(errInterrupted)
	problem := diag.List{{Where: "server-1", Summary: "is broken", Hint: "repair it"}}
	failure := &apply.Failure{
		Release: "r2",
		List:    diag.List{{Where: "server-1", Summary: "crashes", Detail: "log: no database", Hint: "start one"}},
	}
	for name, test := range map[string]struct {
		ctx    context.Context
		err    error
		code   int
		stderr string
	}{
		"success": {t.Context(), nil, ExitOK, ""},
		"changes": {t.Context(), exit(ExitChanges), ExitChanges, ""},
		"problem": {t.Context(), problem, ExitError, "Error: server-1: is broken\n  → repair it\n"},
		"failed release": {
			t.Context(), failure, ExitNotVerified,
			"Error: server-1: crashes\n  │ log: no database\n  → start one\n",
		},
		"Ctrl-C": {
			interrupted, errors.New("canceled"), ExitInterrupted,
			"Stopped. Nothing is lost: the same command continues from here.\n",
		},
		"success despite Ctrl-C": {interrupted, nil, ExitOK, ""},
	} {
		var stdout, stderr bytes.Buffer
		g := &global{Stdio: Stdio{Out: &stdout, Err: &stderr}}
		code := g.finish(test.ctx, test.err)
		if code != test.code || stderr.String() != test.stderr || stdout.Len() != 0 {
			t.Errorf("%s: exit code %d, printed %q and %q", name, code, stdout.String(), stderr.String())
		}
	}
}

func TestProblemsAreJSONOnStandardOutputForScripts(t *testing.T) {
	var stdout, stderr bytes.Buffer
	g := &global{Stdio: Stdio{Out: &stdout, Err: &stderr}, json: true}
	code := g.finish(t.Context(), diag.List{{Where: "aloft.yaml:1:2", Summary: "is wrong", Hint: "correct it"}})
	if code != ExitError || stderr.Len() != 0 {
		t.Errorf("exit code %d, printed %q", code, stderr.String())
	}
	var document struct {
		Errors []struct{ Where, Summary, Hint string }
	}
	if err := json.Unmarshal(stdout.Bytes(), &document); err != nil || len(document.Errors) != 1 ||
		document.Errors[0].Where != "aloft.yaml:1:2" {
		t.Errorf("%v: %s", err, stdout.String())
	}
}
