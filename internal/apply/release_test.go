package apply

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/stack"
)

func TestTooManyErrors(t *testing.T) {
	for _, c := range []struct {
		before, since requestCounts
		tooMany       bool
	}{
		{requestCounts{1000, 0, 0}, requestCounts{1000, 0, 0}, false},
		{requestCounts{1000, 0, 0}, requestCounts{100, 9, 0}, false},       // too few
		{requestCounts{1000, 0, 0}, requestCounts{1000, 10, 0}, false},     // 1 %
		{requestCounts{1000, 0, 0}, requestCounts{1000, 11, 0}, true},      // more
		{requestCounts{0, 0, 0}, requestCounts{0, 0, 10}, true},            // the load balancer found no server
		{requestCounts{1000, 100, 0}, requestCounts{1000, 200, 0}, false},  // there were errors before
		{requestCounts{1000, 50, 50}, requestCounts{1000, 100, 120}, true}, // and there are more now
		{requestCounts{10000, 50, 0}, requestCounts{10000, 205, 0}, true},  // 2.05 % after 0.5 %
		{requestCounts{10000, 50, 0}, requestCounts{10000, 195, 0}, false}, // 1.95 % after 0.5 %
		{requestCounts{0, 0, 0}, requestCounts{100000, 1000, 0}, false},    // nothing to compare with
		{requestCounts{0, 0, 0}, requestCounts{100000, 1001, 0}, true},
	} {
		if got := c.since.tooManyErrors(c.before); got != c.tooMany {
			t.Errorf("%s after %s: %v", c.since, c.before, got)
		}
	}
}

// image returns an image that was created in the given minute.
func image(release string, minute int) plan.Found {
	f := plan.Found{
		Address: stack.AddressImage,
		Kind:    stack.KindImage,
		ID:      "ami-" + release,
		Created: fmt.Sprintf("2026-01-01T00:%02d:00Z", minute),
	}
	f.Set(stack.AttrRelease, release)
	return f
}

func TestSurplusImagesAreDeletedUnlessNeeded(t *testing.T) {
	machine := plan.Found{Address: "server-1", Kind: stack.KindServer, ID: "i-1"}
	machine.Set(stack.AttrRelease, "r2")
	found := []plan.Found{
		machine,
		image("r1", 1),
		image("r2", 2),
		image("r3", 3),
		image("r4", 4),
		image("bad", 5),
		image("r5", 6),
	}
	all := []history.Record{
		{Number: 1, Release: "r1", Result: history.Released},
		{Number: 2, Release: "r2", Result: history.Released},
		{Number: 3, Release: "r3", Result: history.RolledBack},
		{Number: 4, Release: "r4", Result: history.RolledBack},
		{Number: 5, Release: "bad", Result: history.Failed},
		{Number: 6, Release: "r5", Result: history.Released},
	}
	for _, c := range []struct {
		keep int
		gone string
	}{
		{6, ""}, {5, "bad"}, {4, "bad r1"}, {3, "bad r1 r3"}, {2, "bad r1 r3 r4"},
	} {
		var gone []string
		for _, change := range surplusImages(found, all, "r5", c.keep).Changes {
			gone = append(gone, change.Retire[0].Value(stack.AttrRelease))
		}
		slices.Sort(gone)
		// r2 has a server and is what a rollback returns to; r5 is desired.
		if got := strings.Join(gone, " "); got != c.gone {
			t.Errorf("keep %d of six: %q are deleted, want %q", c.keep, got, c.gone)
		}
	}
}

func TestSteps(t *testing.T) {
	serving := existing(tutorial(t, "r1", 3))
	withImage := append(slices.Clone(serving), image("r2", 1))
	isImage := func(f plan.Found) bool { return f.Kind == stack.KindImage }
	withoutImage := slices.DeleteFunc(slices.Clone(serving), isImage)
	const build, prove, serve, first = "build", "prove", "serve", ""
	const promoted = "only an image, of another stage"
	for name, c := range map[string]struct {
		found   []plan.Found
		release string
		port    int
		proven  bool
		want    []string
	}{
		"nothing exists":                    {nil, "r1", 3000, false, []string{first, serve}},
		"only an image":                     {[]plan.Found{image("r1", 1)}, "r1", 3000, false, []string{serve}},
		promoted:                            {[]plan.Found{image("r1", 1)}, "r1", 3000, false, []string{prove, serve}},
		"it serves":                         {serving, "r1", 3000, false, []string{serve}},
		"another serves":                    {serving, "r2", 3000, false, []string{build, prove, serve}},
		"another serves, and there is one":  {withImage, "r2", 3000, false, []string{prove, serve}},
		"another serves, and it was proven": {withImage, "r2", 3000, true, []string{serve}},
		"another serves on another port":    {withImage, "r2", 8080, true, []string{serve + " and [3000]", serve}},
		"it serves, but its image is gone":  {withoutImage, "r1", 3000, true, []string{build, serve}},
	} {
		var got []string
		for _, s := range stepsTo(c.found, c.release, c.port, c.proven, name == promoted) {
			text := string(s.phase)
			if len(s.ports) > 0 {
				text += fmt.Sprintf(" and %v", s.ports)
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestSettingsOfAnotherRelease(t *testing.T) {
	now := &spec.Spec{App: "shop", Port: 8080}
	now.Machines.Types, now.Machines.Count = spec.InstanceTypes{"t4g.small"}, 5
	now.Machines.Builder = spec.InstanceTypes{"t4g.medium"}
	old := history.Settings{
		Port:      3000,
		Type:      "t3.micro",
		Path:      "/health",
		Matcher:   "200",
		Interval:  5,
		Timeout:   2,
		Healthy:   2,
		Unhealthy: 3,
	}
	with := withSettings(now, old)
	if diff := cmp.Diff(old, settingsOf(with)); diff != "" || with.Machines.Count != 5 || now.Port != 8080 ||
		with.Machines.HasBuilder() || !now.Machines.HasBuilder() || with.LoadBalancer.Health.Interval != 5*time.Second {
		t.Errorf("%s\n%+v", diff, with)
	}
	found := existing(tutorial(t, "r1", 2))
	if got := observedSettings(found, "r1", history.Settings{Type: "t3.large", Port: 1}); got.Type != "t3.micro" ||
		got.Port != 3000 ||
		got.Interval != 5 ||
		got.Matcher != "200-399" {
		t.Errorf("observed %+v", got)
	}
}
