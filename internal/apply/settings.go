package apply

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/stack"
)

// settingsOf returns the parts of a spec that belong to its release.
func settingsOf(s *spec.Spec) history.Settings {
	h := s.LoadBalancer.Health
	settings := history.Settings{
		Port:      s.Port,
		Type:      s.Machines.Types[0],
		Path:      h.Path,
		Matcher:   h.Matcher,
		Interval:  int(h.Interval.Seconds()),
		Timeout:   int(h.Timeout.Seconds()),
		Healthy:   h.Healthy,
		Unhealthy: h.Unhealthy,
	}
	if others := s.Machines.Types[1:]; len(others) > 0 {
		settings.Others = others
	}
	if s.Security.ThroughEndpoint() {
		settings.Access = s.Security.Access
	}
	return settings
}

// withSettings returns a copy of a spec with the settings of another release.
func withSettings(s *spec.Spec, settings history.Settings) *spec.Spec {
	with := *s
	with.Port = settings.Port
	with.Security.Access = cmp.Or(settings.Access, spec.AccessSSH) // its image accepts keys of that way only
	with.Machines.Types = append(spec.InstanceTypes{settings.Type}, settings.Others...)
	with.Machines.Builder = nil // the release has an image, perhaps of another architecture
	with.LoadBalancer.Health = spec.Health{
		Path:      settings.Path,
		Matcher:   settings.Matcher,
		Interval:  time.Duration(settings.Interval) * time.Second,
		Timeout:   time.Duration(settings.Timeout) * time.Second,
		Healthy:   settings.Healthy,
		Unhealthy: settings.Unhealthy,
	}
	return &with
}

// observedSettings returns the settings of a serving release as far as the found
// resources show them, and otherwise those of fallback.
func observedSettings(found []plan.Found, release string, fallback history.Settings) history.Settings {
	all := fallback
	setNumber := func(field *int, text string) {
		if n, err := strconv.Atoi(strings.TrimSuffix(text, "s")); err == nil {
			*field = n
		}
	}
	setText := func(field *string, text string) {
		if text != "" {
			*field = text
		}
	}
	servers := map[string]bool{}
	var types []string
	for _, f := range found {
		if isServer(f) && f.Value(stack.AttrRelease) == release {
			servers[f.ID] = true
			if all.Access = ""; f.Value(stack.AttrKeyPair) == stack.NoKeyPair {
				all.Access = spec.AccessEndpoint
			}
			if t := f.Value(stack.AttrType); t != "" {
				types = append(types, t)
			}
		}
	}
	known := append([]string{all.Type}, all.Others...)
	if slices.Sort(types); slices.ContainsFunc(types, func(t string) bool { return !slices.Contains(known, t) }) {
		types = slices.Compact(types)
		all.Type, all.Others = types[0], types[1:]
	}
	for _, f := range found {
		switch {
		case f.Kind == stack.KindTarget && servers[f.Value(stack.AttrServer)]:
			setNumber(&all.Port, f.Value(stack.AttrPort))
		case f.Kind == stack.KindTargetGroup:
			// An Auto Scaling group registers its instances on this port.
			if f.Status.Port != 0 && len(servingPorts(found)) == 0 {
				all.Port = f.Status.Port
			}
			setText(&all.Path, f.Value(stack.AttrHealthPath))
			setText(&all.Matcher, f.Value(stack.AttrHealthCodes))
			setNumber(&all.Interval, f.Value(stack.AttrHealthInterval))
			setNumber(&all.Timeout, f.Value(stack.AttrHealthTimeout))
			setNumber(&all.Healthy, f.Value(stack.AttrHealthyThreshold))
			setNumber(&all.Unhealthy, f.Value(stack.AttrUnhealthyThreshold))
		}
	}
	return all
}
