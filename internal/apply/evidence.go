package apply

import (
	"context"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// How many of the first and last lines of a failed step's output are shown. A proof
// begins with its verdict; most other steps end with it.
const firstLines, lastLines = 2, 7

// firstAndLast shortens text to its first and last lines.
func firstAndLast(text string) []string {
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	if len(lines) > firstLines+lastLines {
		lines = slices.Concat(lines[:firstLines], []string{"…"}, lines[len(lines)-lastLines:])
	}
	return lines
}

// evidence returns lines that show why a release failed: the output of the step that
// failed, and the state of the instance it failed on or of another one of the
// release.
func (d *Deployment) evidence(
	ctx context.Context,
	s *survey,
	r *history.Record,
	problem *diag.Diagnostic,
) []string {
	lines := firstAndLast(problem.Detail)
	found, err := d.Discover(ctx)
	if err != nil {
		return lines
	}
	p := d.provisioner()
	p.BaseImage = s.base
	var running []plan.Found
	for _, f := range found {
		switch f.Address {
		case stack.AddressKeyPair, stack.AddressConnectEndpoint, stack.AddressBuilderGroup:
			p.SetKnown(f.Address, f)
		}
		if (isServer(f) || stack.Transient(f.Address)) && f.Value(stack.AttrRelease) == r.Release &&
			f.Value(stack.AttrState) == stack.StateRunning {
			running = append(running, f)
		}
	}
	if len(running) == 0 {
		return lines
	}
	likeliest := slices.MaxFunc(running, func(a, b plan.Found) int {
		return suspicion(a, problem.Where) - suspicion(b, problem.Where)
	})
	return append(lines, p.Evidence(ctx, likeliest)...)
}

// suspicion rates how likely an instance shows the cause of a problem at where.
func suspicion(f plan.Found, where string) int {
	switch {
	case f.Address == where || f.Name == where || f.ID == where:
		return 3
	case f.Broken != "" || f.Status.Health == "unhealthy":
		return 2
	case !f.Status.Healthy():
		return 1
	}
	return 0
}
