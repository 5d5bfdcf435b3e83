//go:build linux && root

package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/test/invariant"
	"aloft.dev/aloft/test/program"
)

// settling bounds how long the data plane takes to become what the rows say.
const settling = time.Minute

// real is a local cloud on this host.
type real struct {
	*program.LocalCloud
	layout host.Layout
}

// TestRealDataPlaneEqualsTheStoreAfterKills kills the daemon and the balancer's process at
// random moments while clients launch and terminate machines and change groups and load
// balancers. After each kill the next daemon brings about what the store says.
func TestRealDataPlaneEqualsTheStoreAfterKills(t *testing.T) {
	random := random(t, 5)
	c := program.Start(t)
	layout, err := host.LayoutFor(c.State)
	if err != nil {
		t.Fatal(err)
	}
	r := &real{c, layout}
	all := [][]*thing{things(0), things(1)}
	for n, began := 0, time.Now(); n < *planeKillsFlag || time.Since(began) < *soakFlag; n++ {
		answered := r.oneLife(t, random, all)
		recorded.Add(func(r *Report) { r.Answered += answered })
		check(t, r.database(t), all)
		r.restart(t)
		r.equalsStore(t)
		if t.Failed() {
			t.Fatalf("after kill %d", n+1)
		}
		r.restart(t)
	}
}

// oneLife lets clients change things until it kills the daemon, the balancer's process or
// both. In the end the daemon is dead.
func (r *real) oneLife(t *testing.T, random *rand.Rand, all [][]*thing) (answered int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a := api{ec2: r.API.EC2, elb: r.API.ELB, scaling: r.API.ASG, ssm: r.API.SSM}
	if err := a.prepare(ctx); err != nil {
		t.Fatal(err)
	}
	calls := make([]int, len(all))
	var group sync.WaitGroup
	for client, own := range all {
		random := rand.New(rand.NewPCG(random.Uint64(), 0))
		group.Go(func() { calls[client] = churn(ctx, random, &a, own) })
	}
	pause := func() { <-time.After(time.Duration(100+random.IntN(2000)) * time.Millisecond) }
	pause()
	if random.IntN(2) == 0 {
		r.killBalancer(t)
		if random.IntN(2) == 0 {
			pause()
		}
	}
	r.killDaemon(t)
	cancel()
	group.Wait()
	for _, n := range calls {
		answered += n
	}
	return answered
}

func (r *real) killDaemon(t *testing.T) {
	t.Helper()
	d, err := host.FindDaemon(t.Context(), r.layout)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(d.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, err := host.FindDaemon(t.Context(), r.layout); !errors.Is(err, host.ErrNotRunning) {
		t.Fatalf("the killed daemon: %v", err)
	}
	recorded.Add(func(r *Report) { r.Kills++ })
}

func (r *real) killBalancer(t *testing.T) {
	t.Helper()
	client := balancer.Client{Dir: r.layout.BalancerRun()}
	defer client.Close()
	about, err := client.About(t.Context())
	if err != nil {
		return // it is just starting
	}
	if err := syscall.Kill(about.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	recorded.Add(func(r *Report) { r.Kills++ })
}

func (r *real) restart(t *testing.T) {
	t.Helper()
	r.Must(t, "local", "start", "--address", program.LocalAddress)
	r.API = r.Client(t)
}

// database returns the database of a dead daemon.
func (r *real) database(t *testing.T) map[string][]byte {
	t.Helper()
	content, err := os.ReadFile(r.layout.Database())
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"aloft.db": content}
}

// equalsStore waits until the data plane is what the store says. It compares while the
// daemon is dead, so that neither changes meanwhile. In the end the daemon is dead.
func (r *real) equalsStore(t *testing.T) {
	t.Helper()
	for began := time.Now(); ; r.restart(t) {
		r.settles(t)
		r.killDaemon(t)
		s := opened(t, r.database(t))
		found := invariant.Kernel(r.layout, s.View())
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 {
			return
		}
		if time.Since(began) > settling {
			for _, difference := range found {
				t.Error(difference)
			}
			recorded.Add(func(r *Report) { r.Differences += len(found) })
			return
		}
		t.Logf("not yet: %q", found)
	}
}

// settles waits until the API reports no transition, and the balancer's process runs.
func (r *real) settles(t *testing.T) {
	t.Helper()
	limit := time.Now().Add(settling)
	poll := time.NewTicker(100 * time.Millisecond)
	defer poll.Stop()
	for changing := r.changing(t); len(changing) > 0; changing = r.changing(t) {
		if time.Now().After(limit) {
			t.Fatalf("not within %s: %q\n%s", settling, changing, r.Log())
		}
		<-poll.C
	}
}

// changing returns what the API reports as in transition.
func (r *real) changing(t *testing.T) (all []string) {
	t.Helper()
	client := balancer.Client{Dir: r.layout.BalancerRun()}
	defer client.Close()
	if !client.Running(t.Context()) {
		all = append(all, "the balancer's process")
	}
	instances, err := r.API.EC2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, reservation := range instances.Reservations {
		for _, i := range reservation.Instances {
			switch i.State.Name {
			case types.InstanceStateNameRunning, types.InstanceStateNameTerminated:
			default:
				all = append(all, fmt.Sprintf("%s is %s", *i.InstanceId, i.State.Name))
			}
		}
	}
	balancers, err := r.API.ELB.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, lb := range balancers.LoadBalancers {
		if lb.State.Code != elbtypes.LoadBalancerStateEnumActive {
			all = append(all, fmt.Sprintf("%s is %s", *lb.LoadBalancerName, lb.State.Code))
		}
	}
	return all
}
