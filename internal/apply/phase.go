package apply

import (
	"slices"
	"strconv"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// step is one stack of those that are applied one after the other.
type step struct {
	phase stack.Phase
	ports []int // on which machines of another release still serve
}

// stepsTo are those that bring a release into service, from what was found. A
// release that was proven needs no candidate.
func stepsTo(found []plan.Found, release string, port int, proven bool) []step {
	var steps []step
	releases, image := serving(found), hasImage(found, release)
	switch {
	case len(releases) == 0 && !image:
		steps = append(steps, step{phase: stack.PhaseFirst})
	case len(releases) == 0:
	default:
		if !image {
			steps = append(steps, step{phase: stack.PhaseBuild})
		}
		if !proven && (!image || !slices.Equal(releases, []string{release})) {
			steps = append(steps, step{phase: stack.PhaseProve})
		}
	}
	// Machines that serve on another port are reached until they are gone.
	if others := slices.DeleteFunc(portsOf(found), func(other int) bool { return other == port }); len(others) > 0 {
		steps = append(steps, step{phase: stack.PhaseServe, ports: others})
	}
	return append(steps, step{phase: stack.PhaseServe})
}

// hasImage tells whether a release has an image that is of use, or will be.
func hasImage(found []plan.Found, release string) bool {
	return slices.ContainsFunc(found, func(f plan.Found) bool { return isImageOf(f, release) && f.Broken == "" })
}

func isImageOf(f plan.Found, release string) bool {
	return f.Kind == stack.KindImage && f.Get("release") == release
}

// isMachine tells of a machine that is there to serve.
func isMachine(f plan.Found) bool {
	return (f.Kind == stack.KindServer || f.Kind == stack.KindMember) && !stack.Transient(f.Address)
}

// serving are the releases of the machines that get requests, in order.
func serving(found []plan.Found) []string {
	registered := map[string]bool{}
	for _, f := range found {
		if f.Kind == stack.KindTarget {
			registered[f.Get("server")] = true
		}
	}
	var releases []string
	for _, f := range found {
		inGroup := f.Kind == stack.KindMember && f.Status["health"] != ""
		if release := f.Get("release"); isMachine(f) && (inGroup || registered[f.ID]) && release != "" &&
			f.Get("built") != "no" {
			releases = append(releases, release)
		}
	}
	slices.Sort(releases)
	return slices.Compact(releases)
}

// portsOf are the ports on which targets get requests, in order.
func portsOf(found []plan.Found) []int {
	var ports []int
	for _, f := range found {
		if port, err := strconv.Atoi(f.Get("port")); err == nil && f.Kind == stack.KindTarget {
			ports = append(ports, port)
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}
