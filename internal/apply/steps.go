package apply

import (
	"slices"
	"strconv"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// step is one of the stacks that are applied one after the other.
type step struct {
	phase stack.Phase
	ports []int // ports on which servers of another release still serve
}

// stepsTo returns the steps that bring a release into service, given the found
// resources. A release that was proven needs no candidate. One that was promoted needs one
// even if nothing serves: it was proven with the variables of another stage.
func stepsTo(found []plan.Found, release string, port int, proven, promoted bool) []step {
	var steps []step
	releases, image := servingReleases(found), hasImage(found, release)
	switch {
	case len(releases) == 0 && !image:
		steps = append(steps, step{phase: stack.PhaseFirst})
	case len(releases) == 0:
		if promoted {
			steps = append(steps, step{phase: stack.PhaseProve})
		}
	default:
		if !image {
			steps = append(steps, step{phase: stack.PhaseBuild})
		}
		if !proven && (!image || !slices.Equal(releases, []string{release})) {
			steps = append(steps, step{phase: stack.PhaseProve})
		}
	}
	// Servers on another port stay reachable until they are deleted.
	others := slices.DeleteFunc(servingPorts(found), func(other int) bool { return other == port })
	if len(others) > 0 {
		steps = append(steps, step{phase: stack.PhaseServe, ports: others})
	}
	return append(steps, step{phase: stack.PhaseServe})
}

// hasImage reports whether a release has an image that is or will be usable.
func hasImage(found []plan.Found, release string) bool { return imageID(found, release) != "" }

// imageID returns the id of a release's usable image, or "" if there is none.
func imageID(found []plan.Found, release string) string {
	for _, f := range found {
		if f.Kind == stack.KindImage && f.Value(stack.AttrRelease) == release && f.Broken == "" {
			return f.ID
		}
	}
	return ""
}

// isServer reports whether a resource is a server for users, launched by Aloft or by
// an Auto Scaling group.
func isServer(f plan.Found) bool {
	return (f.Kind == stack.KindServer || f.Kind == stack.KindMember) && !stack.Transient(f.Address)
}

// servingReleases returns the releases of the servers that receive requests, sorted.
func servingReleases(found []plan.Found) []string {
	registered := map[string]bool{}
	for _, f := range found {
		if f.Kind == stack.KindTarget {
			registered[f.Value(stack.AttrServer)] = true
		}
	}
	var releases []string
	for _, f := range found {
		release := f.Value(stack.AttrRelease)
		member := f.Kind == stack.KindMember && f.Status.Health != ""
		if isServer(f) && (member || registered[f.ID]) && release != "" && f.Value(stack.AttrBuilt) != stack.No {
			releases = append(releases, release)
		}
	}
	slices.Sort(releases)
	return slices.Compact(releases)
}

// servingPorts returns the ports of the targets, sorted.
func servingPorts(found []plan.Found) []int {
	var ports []int
	for _, f := range found {
		if port, err := strconv.Atoi(f.Value(stack.AttrPort)); err == nil && f.Kind == stack.KindTarget {
			ports = append(ports, port)
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}
