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

// victim is the resource that an experiment hits.
type victim struct {
	name     string // server or zone
	machines []apply.Machine
}

// chooseVictim returns the victim that at names, or by default the last running
// server or its zone. A server may be named by its zone, and a zone by a server.
func chooseVictim(e Experiment, at string, machines []apply.Machine) (victim, error) {
	if e == Overload {
		return victim{name: "the deployment"}, nil
	}
	running := slices.DeleteFunc(slices.Clone(machines), func(m apply.Machine) bool { return m.State != "running" })
	i := len(running) - 1
	if at != "" {
		i = slices.IndexFunc(running, func(m apply.Machine) bool {
			return m.Name == at || m.InstanceID == at || m.Zone == at
		})
	}
	if i < 0 {
		var names []string
		for _, m := range running {
			names = append(names, m.Name+" in "+m.Zone)
		}
		return victim{}, diag.List{{
			Where:   cmp.Or(at, "aloft drill"),
			Summary: "no such server or zone is running",
			Detail:  "the running servers: " + strings.Join(names, ", "),
			Hint:    "name one of these servers or zones with --at",
		}}
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

// leavesHealthyServers returns an error if no healthy server is left without the
// victim.
func (v victim) leavesHealthyServers(healthy map[string]bool) error {
	left := len(healthy)
	for _, m := range v.machines {
		if healthy[m.InstanceID] {
			left--
		}
	}
	if left > 0 {
		return nil
	}
	return diag.List{{
		Where:   v.name,
		Summary: "without it no healthy server would be left",
		Hint:    "make the others healthy first (aloft status), or add --force",
	}}
}

// planChange returns the change that an experiment will make to its victim.
func (d *Drill) planChange(ctx context.Context, o Options, v victim) (Change, error) {
	if o.Experiment == Zone {
		return d.planIsolation(ctx, v.name, o.ChangeACLs)
	}
	if len(v.machines) != 1 {
		return Change{}, fmt.Errorf("drill %s: %d servers are chosen, want one", v.name, len(v.machines))
	}
	return Change{Experiment: o.Experiment, At: v.name, InstanceID: v.machines[0].InstanceID}, nil
}
