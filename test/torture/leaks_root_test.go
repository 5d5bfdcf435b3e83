//go:build linux && root

package torture

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/test/program"
)

// footprint counts what a process holds.
type footprint struct {
	files, sockets, threads int
}

// TestRealCyclesLeaveNothing creates machines, groups and a load balancer and deletes them
// again, several times. Afterwards the daemon and the balancer's process hold what they
// held after the first time, and the kernel what the rows say.
func TestRealCyclesLeaveNothing(t *testing.T) {
	c := program.Start(t)
	layout, err := host.LayoutFor(c.State)
	if err != nil {
		t.Fatal(err)
	}
	r := &real{c, layout}
	a := api{ec2: r.API.EC2, elb: r.API.ELB, scaling: r.API.ASG, ssm: r.API.SSM}
	if err := a.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := []*thing{}
	for _, one := range things(0) {
		if _, stays := one.kind.(parameter); !stays {
			all = append(all, one)
		}
	}
	var first map[string]footprint
	for cycle := range *cyclesFlag {
		for _, one := range all {
			one.take(t, &a, one.steps(absent)[0])
		}
		r.settles(t)
		for _, one := range all {
			one.remove(t, &a)
		}
		r.settles(t)
		if cycle == 0 {
			first = r.footprints(t)
		}
	}
	last := r.footprints(t)
	t.Logf("after one cycle %+v, after %d %+v", first, *cyclesFlag, last)
	for process, held := range last {
		if leak := held.leak(first[process]); leak != "" {
			t.Errorf("%s: %s", process, leak)
			recorded.Add(func(r *Report) { r.Leaks++ })
		}
	}
	r.equalsStore(t)
}

// leak returns what is more than before, beyond what varies from moment to moment: idle
// connections of clients, and threads that wait for work.
func (f footprint) leak(before footprint) string {
	for _, x := range []struct {
		what                string
		now, before, varies int
	}{
		{"files", f.files, before.files, 4},
		{"sockets", f.sockets, before.sockets, 40},
		{"threads", f.threads, before.threads, 16},
	} {
		if x.now > x.before+x.varies {
			return fmt.Sprintf("%d %s, %d before", x.now, x.what, x.before)
		}
	}
	return ""
}

// footprints returns what the processes of the local cloud hold.
func (r *real) footprints(t *testing.T) map[string]footprint {
	t.Helper()
	d, err := host.FindDaemon(t.Context(), r.layout)
	if err != nil {
		t.Fatal(err)
	}
	client := balancer.Client{Dir: r.layout.BalancerRun()}
	defer client.Close()
	about, err := client.About(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return map[string]footprint{"daemon": footprintOf(t, d.PID), "balancer": footprintOf(t, about.PID)}
}

func footprintOf(t *testing.T, pid int) (f footprint) {
	t.Helper()
	process := fmt.Sprintf("/proc/%d", pid)
	open, err := filepath.Glob(process + "/fd/*")
	if err != nil || len(open) == 0 {
		t.Fatalf("%s has no open files: %v", process, err)
	}
	for _, path := range open {
		if to, _ := os.Readlink(path); strings.HasPrefix(to, "socket:") {
			f.sockets++
		} else {
			f.files++
		}
	}
	threads, err := os.ReadDir(process + "/task")
	if err != nil {
		t.Fatal(err)
	}
	f.threads = len(threads)
	return f
}

// take takes a step, which must succeed once what it waits for is gone.
func (x *thing) take(t *testing.T, a *api, s step) {
	t.Helper()
	program.Eventually(t, settling, x.name+" becomes "+s.to, func() bool {
		err := s.call(context.WithoutCancel(t.Context()), a, x)
		if err != nil && !refused(err) {
			t.Fatal(err)
		}
		return err == nil
	})
	x.want = []string{s.to}
}

// remove takes steps until the thing is absent.
func (x *thing) remove(t *testing.T, a *api) {
	t.Helper()
	for x.want[0] != absent {
		possible := x.steps(x.want[0])
		next := possible[len(possible)-1]
		for _, s := range possible {
			if s.to == absent {
				next = s
			}
		}
		x.take(t, a, next)
	}
}
