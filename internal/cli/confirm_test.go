package cli

import (
	"bytes"
	"strings"
	"testing"
)

func TestDeletionNeedsConfirmation(t *testing.T) {
	g := &global{Stdio: Stdio{In: strings.NewReader("y\n"), Err: &bytes.Buffer{}}}
	wantProblem(t, g.confirm("Delete it?"), "Delete it?", "add --yes")
	g.yes = true
	if err := g.confirm("Delete it?"); err != nil {
		t.Error(err)
	}
}

func TestDrillOnAWSNeedsTheApplicationsName(t *testing.T) {
	for _, test := range []struct {
		on, typed, flag string
		ok              bool
	}{
		{"local", "", "", true},
		{"aws", "shop\n", "", true},
		{"aws", "", "shop", true},
		{"aws", "", "", false},
		{"aws", "shopp\n", "", false},
		{"aws", "shop\n", "other", false},
	} {
		g := &global{on: test.on, Stdio: Stdio{In: strings.NewReader(test.typed), Err: &bytes.Buffer{}}}
		err := g.confirmDrill("shop", test.flag)
		if (err == nil) != test.ok {
			t.Errorf("%+v: got %v", test, err)
		}
		if err != nil {
			wantProblem(t, err, "shop: the drill was not confirmed", "add --confirm shop")
		}
	}
}
