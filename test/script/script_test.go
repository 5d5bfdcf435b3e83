//go:build linux

// Package script runs the scripts in this folder. They use aloft as people and
// programs do, and check its output and exit codes. Every .txtar file is a script
// in testscript's format (github.com/rogpeppe/go-internal/testscript).
package script

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"aloft.dev/aloft/internal/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"aloft": func() {
		os.Exit(cli.Main(os.Args[1:], "v0.0.0-test", cli.Stdio{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
	}})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           ".",
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(e *testscript.Env) error {
			e.Values[requestedKey{}] = make(chan struct{}, 1)
			e.Setenv("HOME", e.WorkDir+"/home")
			e.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			return os.MkdirAll(e.WorkDir+"/home", 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":        exits,
			"eventually":   eventually,
			"jsonkeys":     jsonKeys,
			"cloud":        cloud,
			"half-deploy":  halfDeploy,
			"silent-cloud": silentCloud,
			"requested":    requested,
		},
	})
}

// exits runs a program and checks its exit code: exits 2 aloft plan.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARGUMENT]...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%v exited with %d, want %d", args[1:], got, want)
	}
}

// patience limits how long a script waits.
const patience = 20 * time.Second

// eventually runs a program again and again until it succeeds.
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: eventually PROGRAM [ARGUMENT]...")
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for ts.Exec(args[0], args[1:]...) != nil {
		select {
		case <-tick.C:
		case <-late:
			ts.Fatalf("%v did not succeed within %s", args, patience)
		}
	}
}

// jsonKeys checks that the JSON document on standard output has these keys and no
// others: jsonkeys app region.
func jsonKeys(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: jsonkeys KEY...")
	}
	var document map[string]json.RawMessage
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &document))
	got := slices.Sorted(maps.Keys(document))
	slices.Sort(args)
	if !slices.Equal(got, args) {
		ts.Fatalf("the document has the keys %v, want %v", got, args)
	}
}
