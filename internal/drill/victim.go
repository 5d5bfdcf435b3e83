package drill

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/diag"
)

// victim is what an experiment hits.
type victim struct {
	name     string // server or zone
	machines []apply.Machine
}

// choose finds the victim: the one that is named, or the last server, or its
// zone. A zone may be named for a server and a server for its zone.
func choose(e Experiment, at string, machines []apply.Machine) (victim, error) {
	running := slices.DeleteFunc(slices.Clone(machines), func(m apply.Machine) bool { return m.State != "running" })
	var names []string
	for _, m := range running {
		names = append(names, m.Name+" in "+m.Zone)
	}
	if e == Overload {
		return victim{name: "the deployment"}, nil
	}
	i := len(running) - 1
	if at != "" {
		i = slices.IndexFunc(
			running,
			func(m apply.Machine) bool { return m.Name == at || m.InstanceID == at || m.Zone == at },
		)
	}
	if i < 0 {
		return victim{}, diag.List{
			{
				Where:   cmp.Or(at, "aloft drill"),
				Summary: "no such server or zone runs",
				Detail:  "there are: " + strings.Join(names, ", "),
				Hint:    "aloft status lists them",
			},
		}
	}
	if e != Zone {
		return victim{running[i].Name, running[i : i+1]}, nil
	}
	v := victim{name: running[i].Zone}
	for _, m := range running {
		if m.Zone == v.name {
			v.machines = append(v.machines, m)
		}
	}
	return v, nil
}

// spare refuses to take the last healthy machine.
func (v victim) spare(healthy map[string]bool) error {
	left := len(healthy)
	for _, m := range v.machines {
		if healthy[m.InstanceID] {
			left--
		}
	}
	if left > 0 {
		return nil
	}
	return diag.List{
		{
			Where:   v.name,
			Summary: "without it no healthy server would be left",
			Hint:    "make the others healthy first (aloft status), or add --force",
		},
	}
}

// change is what an experiment does to its victim, before it does it.
func (d *Drill) change(ctx context.Context, e Experiment, v victim) (Change, error) {
	if e == Zone {
		return d.survey(ctx, v.name)
	}
	if len(v.machines) != 1 {
		return Change{}, fmt.Errorf("drill %s: %d machines are chosen", v.name, len(v.machines))
	}
	return Change{Experiment: e, At: v.name, InstanceID: v.machines[0].InstanceID}, nil
}
