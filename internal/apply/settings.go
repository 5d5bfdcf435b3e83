package apply

import (
	"strconv"
	"strings"
	"time"

	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/stack"
)

// settingsOf are the parts of a spec that belong to its release.
func settingsOf(s *spec.Spec) history.Settings {
	h := s.LoadBalancer.Health
	return history.Settings{
		Port: s.Port, Type: s.Machines.Type, Path: h.Path, Matcher: h.Matcher,
		Interval: int(
			h.Interval.Seconds(),
		), Timeout: int(h.Timeout.Seconds()), Healthy: h.Healthy, Unhealthy: h.Unhealthy,
	}
}

// withSettings is a spec with the parts of another release.
func withSettings(s *spec.Spec, of history.Settings) *spec.Spec {
	with := *s
	with.Port, with.Machines.Type = of.Port, of.Type
	with.LoadBalancer.Health = spec.Health{
		Path: of.Path, Matcher: of.Matcher, Interval: time.Duration(of.Interval) * time.Second, Timeout: time.Duration(of.Timeout) * time.Second,
		Healthy: of.Healthy, Unhealthy: of.Unhealthy,
	}
	return &with
}

// observed are the settings of a release that serves, as the cloud shows them;
// what it does not show is as otherwise.
func observed(found []plan.Found, release string, otherwise history.Settings) history.Settings {
	all := otherwise
	number := func(field *int, text string) {
		if n, err := strconv.Atoi(strings.TrimSuffix(text, "s")); err == nil {
			*field = n
		}
	}
	word := func(field *string, text string) {
		if text != "" {
			*field = text
		}
	}
	machines := map[string]bool{}
	for _, f := range found {
		if isMachine(f) && f.Get("release") == release {
			machines[f.ID] = true
			word(&all.Type, f.Get("type"))
		}
	}
	for _, f := range found {
		switch {
		case f.Kind == stack.KindTarget && machines[f.Get("server")]:
			number(&all.Port, f.Get("port"))
		case f.Kind == stack.KindTargetGroup:
			if len(portsOf(found)) == 0 { // of a scaling group
				number(&all.Port, f.Status["port"])
			}
			word(&all.Path, f.Get("health path"))
			word(&all.Matcher, f.Get("health codes"))
			number(&all.Interval, f.Get("health interval"))
			number(&all.Timeout, f.Get("health timeout"))
			number(&all.Healthy, f.Get("healthy after"))
			number(&all.Unhealthy, f.Get("unhealthy after"))
		}
	}
	return all
}
