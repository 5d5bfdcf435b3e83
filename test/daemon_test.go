package e2e

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestADeploymentComesUpAlthoughTheCloudsLoopsDieAgainAndAgain(t *testing.T) {
	for round := range 8 {
		c, b, keys := newCloud(t), &installer{release: "r1"}, t.TempDir()
		d := deployment(t, c.client(t, nil), tutorial(t), b, keys)
		type result struct {
			status *apply.Status
			err    error
		}
		done := make(chan result, 1)
		go func() {
			status, err := d.Up(t.Context())
			done <- result{status, err}
		}()
		var r result
		for dying := true; dying; {
			select {
			case r = <-done:
				dying = false
			case <-time.After(time.Duration(3+2*round) * time.Millisecond): // when it dies is chance
				c.stop()
				c.run(t)
			}
		}
		if r.err != nil || len(r.status.Machines) != 3 {
			t.Fatalf("%+v, %v", r.status, r.err)
		}
		nothingToDo(t, d)
		once(t, c)
		if n := len(c.machines.List()); n != 3 {
			t.Errorf("%d machines:\n%s", n, c.machines.String())
		}
	}
}

var update = flag.Bool("update", false, "write the golden files anew")

// names of rows are random; in golden files they are counted.
var rowID = regexp.MustCompile(
	`\b(vpc|subnet|eni|sg|i)-[0-9a-f]{17}\b|\b(10\.0|172\.31)\.\d+\.\d+\b|198\.1[89]\.\d+\.\d+|tutorial-[0-9a-f]+-\d+`,
)

func TestThePlanesAreSetAsTheTutorialWantsThem(t *testing.T) {
	c, b := newCloud(t), &installer{release: "r1"}
	up(t, deployment(t, c.client(t, nil), tutorial(t), b, t.TempDir()))
	waitFor(t, func() bool { return strings.Count(c.balancer.String(), "target 10.0.") == 3 })
	own := ""
	for _, vpc := range store.VPCs.List(c.store.View()) {
		if !vpc.IsDefault {
			own = vpc.ID
		}
	}
	var network string
	for _, part := range strings.SplitAfter("\n"+c.network.String(), "\nvpc ") {
		if strings.HasPrefix(part, own) {
			network = "vpc " + strings.TrimSuffix(part, "vpc ")
		}
	}
	kinds := rowID.ReplaceAllStringFunc(network+c.balancer.String(), func(id string) string {
		kind, _, _ := strings.Cut(id, "-")
		if strings.Contains(kind, ".") {
			return "ADDRESS"
		}
		return strings.ToUpper(kind)
	})
	lines := strings.Split(kinds, "\n")
	slices.Sort(lines) // rows come in the order of their random names
	got := strings.Join(lines, "\n")
	path := filepath.Join("testdata", "tutorial-planes.txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}
