//go:build linux

package scaling_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/control/scaling"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
)

// world is a loop over a store and a fleet without machines.
type world struct {
	t     *testing.T
	store *store.Store
	fleet *fleet
	stop  func()
	kill  func() // stops the loop without waiting
}

// fleet changes rows as EC2, Elastic Load Balancing and their loops do: an instance
// runs at once, and a target is healthy at once and drains for a minute.
type fleet struct {
	store  *store.Store
	mu     sync.Mutex
	calls  map[string]int
	tokens map[string]string // instances by client token
	refuse func(subnet string) error
	lacks  func(subnet, instanceType string) error
	sick   func(id string) bool // targets that are unhealthy from the start
	slow   time.Duration        // how long instances are pending
	uneven bool                 // some instances are pending up to eight seconds longer
	called func(n int)          // called before the nth call
	later  sync.WaitGroup
}

func (f *fleet) count(call string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[call]++
	if f.called != nil {
		n := 0
		for _, calls := range f.calls {
			n += calls
		}
		f.called(n)
	}
}

func (f *fleet) Launch(
	_ context.Context,
	g *store.ScalingGroup,
	source scalinggroup.Source,
	subnet, token string,
	join func(*store.Tx, string) error,
) error {
	f.count("Launch")
	if f.refuse != nil {
		if err := f.refuse(subnet); err != nil {
			return err
		}
	}
	instanceType := cmp.Or(source.InstanceType, "t3.micro")
	if f.lacks != nil {
		if err := f.lacks(subnet, instanceType); err != nil {
			return err
		}
	}
	id := fmt.Sprintf("i-%03d", len(f.tokens)+1)
	f.tokens[token] = id
	state := store.Running
	if f.slow > 0 {
		state = store.Pending
		slow := f.slow
		if f.uneven {
			slow += time.Duration(len(f.tokens)*7919%61) * 137 * time.Millisecond
		}
		f.later.Go(func() {
			time.Sleep(slow)
			_ = f.edit(id, func(i *store.Instance) { i.State, i.Reachable = store.Running, true })
		})
	}
	request := ""
	if source.Spot {
		request = "sir-" + source.MaxPrice
	}
	return f.store.Update(func(tx *store.Tx) error {
		store.Instances.Put(tx, &store.Instance{
			ID: id, SpotRequestID: request,
			Region: g.Region, SubnetID: subnet, Zone: subnet[len("subnet-"):], Type: instanceType, State: state,
			Reachable: true, LaunchTime: time.Now(),
			Tags: store.Tags{
				"aws:ec2launchtemplate:id":      source.Template.ID,
				"aws:ec2launchtemplate:version": source.Template.Version,
				scalinggroup.TagKey:             g.Name,
			},
		})
		return join(tx, id)
	})
}

func (f *fleet) edit(id string, edit func(*store.Instance)) error {
	return f.store.Update(func(tx *store.Tx) error {
		store.Instances.Edit(tx, id, edit)
		return nil
	})
}

func (f *fleet) Terminate(_ context.Context, _ identity.Region, id string) error {
	f.count("Terminate")
	return f.edit(id, func(i *store.Instance) { i.State = store.Terminated })
}

func (f *fleet) Start(_ context.Context, _ identity.Region, id string) error {
	f.count("Start")
	return f.edit(id, func(i *store.Instance) { i.State = store.Running })
}

func (f *fleet) Stop(_ context.Context, _ identity.Region, id string) error {
	f.count("Stop")
	return f.edit(id, func(i *store.Instance) { i.State = store.Stopped })
}

func (f *fleet) Register(_ context.Context, region identity.Region, arn, id string) error {
	f.count("Register")
	state := "healthy"
	if f.sick != nil && f.sick(id) {
		state = "unhealthy"
	}
	return f.store.Update(func(tx *store.Tx) error {
		store.Targets.Put(tx, &store.Target{TargetGroupARN: arn, Region: region, ID: id, Port: 80, State: state})
		return nil
	})
}

const draining = time.Minute

func (f *fleet) MayPublish(_ store.Reader, role, _ string) bool { return role != "forbidden" }

func (f *fleet) Deregister(_ context.Context, t *store.Target) error {
	f.count("Deregister")
	f.later.Go(func() {
		time.Sleep(draining)
		_ = f.store.Update(func(tx *store.Tx) error { store.Targets.Delete(tx, t.Key()); return nil })
	})
	return f.store.Update(func(tx *store.Tx) error {
		store.Targets.Edit(tx, t.Key(), func(t *store.Target) { t.DeregisteredAt, t.State = time.Now(), "draining" })
		return nil
	})
}

const key = "r/g"

// inWorld runs a test in a synctest bubble, on a group of three in three zones with a
// target group, changed by change.
func inWorld(t *testing.T, change func(*store.ScalingGroup), test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open("")
		if err != nil {
			t.Fatal(err)
		}
		w := &world{t: t, store: s, fleet: &fleet{store: s, calls: map[string]int{}, tokens: map[string]string{}}}
		g := &store.ScalingGroup{
			ARN: "arn:g", Region: "r", Name: "g", Template: store.TemplateRef{ID: "lt-1", Version: "1"}, Max: 6,
			MinHealthy: -1, MaxHealthy: -1,
			SubnetIDs: []string{
				"subnet-a",
				"subnet-b",
				"subnet-c",
			}, Zones: []string{"a", "b", "c"}, TargetGroupARNs: []string{"tg"}, HealthCheckType: "EC2",
			TerminationPolicies: []string{"Default"}, Distribution: "balanced-best-effort",
		}
		if change != nil {
			change(g)
		}
		w.update(func(tx *store.Tx) {
			for _, zone := range g.Zones {
				store.Subnets.Put(tx, &store.Subnet{ID: "subnet-" + zone, Region: "r", Zone: zone})
			}
			store.TargetGroups.Put(tx, &store.TargetGroup{ARN: "tg", Region: "r", Name: "tg"})
			store.ScalingGroups.Put(tx, g)
			desired := g.Desired
			if desired == 0 {
				desired = 3
			}
			g.Desired = 0
			scalinggroup.ChangeDesired(tx, key, desired, "a user request created an AutoScalingGroup", time.Now())
		})
		w.start()
		defer func() { w.stop(); w.fleet.later.Wait(); _ = s.Close() }()
		w.pass(time.Second)
		test(w)
	})
}

// start runs the loop, as a starting daemon does.
func (w *world) start() {
	loop := &scaling.Loop{Store: w.store, Fleet: w.fleet, Log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(w.t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := loop.Run(ctx); err != nil {
			w.t.Error(err)
		}
	})
	w.stop, w.kill = func() { cancel(); running.Wait() }, cancel
}

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *world) update(do func(tx *store.Tx)) {
	w.t.Helper()
	if err := w.store.Update(func(tx *store.Tx) error { do(tx); return nil }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) group(edit func(*store.ScalingGroup)) {
	w.t.Helper()
	w.update(func(tx *store.Tx) { store.ScalingGroups.Edit(tx, key, edit) })
}

func (w *world) desire(n int32) {
	w.t.Helper()
	w.update(func(tx *store.Tx) {
		scalinggroup.ChangeDesired(tx, key, n, "a user request explicitly set group desired capacity", time.Now())
	})
	w.pass(time.Second)
}

func (w *world) machine(id string, edit func(*store.Instance)) {
	w.t.Helper()
	w.update(func(tx *store.Tx) { store.Instances.Edit(tx, id, edit) })
	w.pass(time.Second)
}

func (w *world) target(id, state, reason string) {
	w.t.Helper()
	w.update(func(tx *store.Tx) {
		store.Targets.Edit(tx, "tg|"+id+"|80", func(t *store.Target) { t.State, t.Reason = state, reason })
	})
}

// states returns the group's instances by lifecycle state, sorted.
func (w *world) states() map[string][]string {
	out := map[string][]string{}
	for _, i := range scalinggroup.Instances(w.store.View(), key) {
		out[i.State] = append(out[i.State], i.InstanceID)
	}
	return out
}

func (w *world) want(state string, ids ...string) {
	w.t.Helper()
	if got := w.states(); !slices.Equal(got[state], ids) {
		w.t.Fatalf("%s: %v, want %v; all: %v\n%s", state, got[state], ids, got, w.history())
	}
}

// zones counts the instances in service by zone.
func (w *world) zones() map[string]int {
	out := map[string]int{}
	for _, i := range scalinggroup.Instances(w.store.View(), key) {
		if i.State == store.LifecycleInService {
			out[i.Zone]++
		}
	}
	return out
}

// activities returns the activities of an instance, oldest first.
func (w *world) activities(id string) []*store.ScalingActivity {
	var out []*store.ScalingActivity
	for _, a := range store.ScalingActivitiesByGroup.List(w.store.View(), key) {
		if a.InstanceID == id {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b *store.ScalingActivity) int { return a.Started.Compare(b.Started) })
	return out
}

func (w *world) history() string {
	out := ""
	all := store.ScalingActivitiesByGroup.List(w.store.View(), key)
	slices.SortFunc(all, func(a, b *store.ScalingActivity) int { return a.Started.Compare(b.Started) })
	for _, a := range all {
		out += fmt.Sprintln(a.Started.Format(time.TimeOnly), a.Status, a.Description, "|", a.Cause)
	}
	return out
}

// errCapacity is EC2's error for a zone without capacity.
var errCapacity = fmt.Errorf(
	"%s",
	"We currently do not have sufficient capacity in the Availability Zone you requested",
)
