//go:build linux

package balancers

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/store"
)

func newStore(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func change(t *testing.T, s *store.Store, do func(tx *store.Tx)) {
	t.Helper()
	if err := s.Update(func(tx *store.Tx) error { do(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

// seed adds a load balancer in zones a and b, a target group that it uses, a target
// group "idle" that it does not use, and instances i-a, i-b and i-c in the zones of
// their names. The instances are targets of the first group, and i-a of both.
func seed(tx *store.Tx) {
	lb := &store.LoadBalancer{
		ARN:     "lb",
		Region:  "r",
		Name:    "web",
		DNSName: "web-1.r.elb.localhost",
		State:   "provisioning",
		Attributes: map[string]string{
			"idle_timeout.timeout_seconds": "60", "routing.http.xff_header_processing.mode": "append",
		},
	}
	for i, zone := range []string{"a", "b"} {
		id := "eni-lb-" + zone
		lb.Nodes = append(lb.Nodes, store.Node{Zone: zone, SubnetID: "subnet-" + zone, InterfaceID: id})
		store.NetworkInterfaces.Put(tx, &store.NetworkInterface{
			ID: id, Region: "r", PrivateIP: netip.AddrFrom4([4]byte{10, 0, byte(i), 4}),
			PublicIP: netip.AddrFrom4([4]byte{198, 18, 1, byte(i)}),
		})
	}
	store.LoadBalancers.Put(tx, lb)
	store.Listeners.Put(tx, &store.Listener{
		ARN:             "l",
		Region:          "r",
		LoadBalancerARN: "lb",
		Port:            80,
		Actions: []store.Action{
			{Type: "forward", Forward: []store.WeightedTargetGroup{{ARN: "tg", Weight: 1}}},
		},
	})
	for _, arn := range []string{"tg", "idle"} {
		store.TargetGroups.Put(tx, &store.TargetGroup{
			ARN: arn, Region: "r", Protocol: "HTTP", Port: 3000, TargetType: "instance",
			Attributes: map[string]string{"deregistration_delay.timeout_seconds": "300"},
			HealthCheck: store.HealthCheck{
				Protocol:  "HTTP",
				Port:      "traffic-port",
				Path:      "/",
				Interval:  30,
				Timeout:   5,
				Healthy:   5,
				Unhealthy: 2,
				Matcher:   "200-299,403",
			},
		})
	}
	for i, zone := range []string{"a", "b", "c"} {
		id := "i-" + zone
		store.Instances.Put(tx, &store.Instance{ID: id, Region: "r", Zone: zone, State: store.Running})
		store.NetworkInterfaces.Put(tx, &store.NetworkInterface{
			ID:         "eni-" + id,
			Region:     "r",
			InstanceID: id,
			PrivateIP:  netip.AddrFrom4([4]byte{10, 0, byte(i), 10}),
		})
		store.Targets.Put(tx, target("tg", id, zone))
	}
	store.Targets.Put(tx, target("idle", "i-a", "a"))
}

// target returns a new registration.
func target(group, id, zone string) *store.Target {
	return &store.Target{
		TargetGroupARN: group,
		Region:         "r",
		ID:             id,
		Port:           3000,
		Zone:           zone,
		State:          "initial",
		Reason:         "Elb.RegistrationInProgress",
		Description:    "Target registration is in progress",
	}
}

// targetRow returns the state and reason of a target of group tg.
func targetRow(r store.Reader, id string) string {
	t, ok := store.Targets.Get(r, fmt.Sprintf("tg|%s|3000", id))
	if !ok {
		return "no row"
	}
	return t.State + " " + t.Reason
}

// fakeBalancer reports every target healthy and every node working.
type fakeBalancer struct {
	mu     sync.Mutex
	sets   []balancer.Config
	status chan balancer.Status
	exit   chan struct{}
}

func newFakeBalancer() *fakeBalancer {
	return &fakeBalancer{status: make(chan balancer.Status, 1), exit: make(chan struct{}, 1)}
}

var _ Balancer = (*fakeBalancer)(nil)

func (f *fakeBalancer) Set(_ context.Context, c balancer.Config) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sets = append(f.sets, c)
	var s balancer.Status
	for _, lb := range c.LoadBalancers {
		for _, n := range lb.Nodes {
			s.Nodes = append(s.Nodes, balancer.NodeStatus{LoadBalancer: lb.ARN, ID: n.ID})
		}
	}
	for _, g := range c.TargetGroups {
		for _, t := range g.Targets {
			if !t.Draining {
				s.Targets = append(s.Targets, balancer.TargetStatus{
					TargetKey: balancer.TargetKey{TargetGroup: g.ARN, ID: t.ID, Port: t.Port},
					Health:    balancer.Health{State: "healthy"},
				})
			}
		}
	}
	select {
	case <-f.status:
	default:
	}
	f.status <- s
	return nil
}

func (f *fakeBalancer) Follow(ctx context.Context, each func(balancer.Status)) error {
	for {
		select {
		case s := <-f.status:
			each(s)
		case <-f.exit:
			return errors.New("the process exited")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// last returns how often Set was called, and with what the last time.
func (f *fakeBalancer) last() (n int, c balancer.Config) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.sets), f.sets[len(f.sets)-1]
}

type noNetwork struct{}

func (noNetwork) Sync(context.Context) error { return nil }
