package e2e

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/diag"
)

func up(t *testing.T, d *apply.Deployment) *apply.Status {
	t.Helper()
	status, err := d.Up(t.Context())
	if err != nil {
		for _, problem := range diag.From(err) {
			t.Errorf("%s: %s\n%s\n%s", problem.Where, problem.Summary, problem.Detail, problem.Hint)
		}
		t.FailNow()
	}
	return status
}

func nothingToDo(t *testing.T, d *apply.Deployment) {
	t.Helper()
	p, err := d.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !p.Empty() {
		t.Fatalf("a plan right after up is not empty:\n%s", p)
	}
}

func TestEverySpecStandsAfterUpAndItsNextPlanIsEmpty(t *testing.T) {
	files, err := filepath.Glob("../internal/stack/testdata/*.yaml")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			c, b, s := newCloud(t), &installer{release: "r1"}, parse(t, file)
			d := deployment(t, c.client(t, nil), s, b, t.TempDir())
			began := time.Now()
			status := up(t, d)
			t.Logf("up took %s", time.Since(began))
			machines := s.Machines.Count
			if s.Scaling != nil {
				machines = s.Scaling.Least(len(s.Network.Subnets))
			}
			if len(status.Machines) != machines || status.URL == "" || status.ImageID == "" {
				t.Errorf("status %+v", status)
			}
			for _, m := range status.Machines {
				if m.State != "running" || m.Health != "healthy" || m.PublicIP == "" {
					t.Errorf("machine %+v", m)
				}
			}
			nothingToDo(t, d)
			if b.count() != 1 {
				t.Errorf("installed %d times", b.count())
			}
			began = time.Now()
			if err := d.Down(t.Context(), apply.DownOptions{Images: true}); err != nil {
				t.Fatal(err)
			}
			t.Logf("down took %s", time.Since(began))
			nothingLeft(t, c)
		})
	}
}

// nothingLeft looks into every table: what a deployment makes is gone.
func nothingLeft(t *testing.T, c *cloud) {
	t.Helper()
	view := c.store.View()
	for _, vpc := range store.VPCs.List(view) {
		if !vpc.IsDefault {
			t.Errorf("VPC %s is left", vpc.ID)
		}
	}
	for _, i := range store.Instances.List(view) {
		if i.State != store.Terminated {
			t.Errorf("instance %s is left", i.ID)
		}
	}
	for _, image := range store.Images.List(view) {
		if !image.Public {
			t.Errorf("image %s is left", image.Name)
		}
	}
	for what, n := range map[string]int{
		"load balancers": len(store.LoadBalancers.List(view)), "target groups": len(store.TargetGroups.List(view)), "listeners": len(store.Listeners.List(view)),
		"launch templates": len(store.LaunchTemplates.List(view)), "Auto Scaling groups": len(store.ScalingGroups.List(view)),
		"policies": len(store.ScalingPolicies.List(view)), "schedules": len(store.ScheduledActions.List(view)), "alarms": len(store.Alarms.List(view)),
		"targets": len(store.Targets.List(view)), "key pairs": len(store.KeyPairs.List(view)), "network interfaces": len(store.NetworkInterfaces.List(view)),
	} {
		if n != 0 {
			t.Errorf("%d %s are left", n, what)
		}
	}
	for _, p := range store.Parameters.List(view) {
		if strings.HasPrefix(p.Name, "/aloft/tutorial/") {
			t.Errorf("%s is left: %s", p.Name, p.Value)
		}
	}
}

func ids(s *apply.Status) map[string]string {
	all := map[string]string{}
	for _, m := range s.Machines {
		all[m.Name] = m.InstanceID
	}
	return all
}

func TestATerminatedServerIsReplacedAndTheOthersAreLeftAlone(t *testing.T) {
	c, b := newCloud(t), &installer{release: "r1"}
	client := c.client(t, nil)
	d := deployment(t, client, tutorial(t), b, t.TempDir())
	before := ids(up(t, d))
	if _, err := client.EC2.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{before["server-2"]}}); err != nil {
		t.Fatal(err)
	}
	after := ids(up(t, d))
	if after["server-1"] != before["server-1"] || after["server-3"] != before["server-3"] ||
		after["server-2"] == before["server-2"] ||
		after["server-2"] == "" {
		t.Errorf("before %v, after %v", before, after)
	}
	nothingToDo(t, d)
	if b.count() != 1 {
		t.Errorf("installed %d times", b.count())
	}
}

func TestABrokenServerIsReplacedSurgeFirst(t *testing.T) {
	c, b := newCloud(t), &installer{release: "r1"}
	client := c.client(t, nil)
	d := deployment(t, client, tutorial(t), b, t.TempDir())
	before := ids(up(t, d))
	if _, err := client.EC2.CreateTags(t.Context(), &ec2.CreateTagsInput{Resources: []string{before["server-3"]}, Tags: []types.Tag{{Key: aws.String("sick"), Value: aws.String("yes")}}}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool {
		status, err := d.Status(t.Context())
		return err == nil && status.Machines[2].Health == "unhealthy"
	})
	after := ids(up(t, d))
	if after["server-1"] != before["server-1"] || after["server-2"] != before["server-2"] ||
		after["server-3"] == before["server-3"] ||
		len(after) != 3 {
		t.Errorf("before %v, after %v", before, after)
	}
	nothingToDo(t, d)
}

func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	if !happens(ok) {
		t.Fatal("it did not happen")
	}
}

// happens waits for it, ten seconds at most.
func happens(ok func() bool) bool {
	for began := time.Now(); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			return false
		}
	}
	return true
}

func TestAStoppedServerIsStartedAgain(t *testing.T) {
	c, b := newCloud(t), &installer{release: "r1"}
	client := c.client(t, nil)
	d := deployment(t, client, tutorial(t), b, t.TempDir())
	before := ids(up(t, d))
	if _, err := client.EC2.StopInstances(t.Context(), &ec2.StopInstancesInput{InstanceIds: []string{before["server-2"]}}); err != nil {
		t.Fatal(err)
	}
	if after := ids(up(t, d)); after["server-2"] != before["server-2"] {
		t.Errorf("before %v, after %v", before, after)
	}
	nothingToDo(t, d)
}

func TestANewReleaseReplacesAllServersAndGoingBackNeedsNoInstalling(t *testing.T) {
	c, keys := newCloud(t), t.TempDir()
	client, first := c.client(t, nil), &installer{release: "r1"}
	before := ids(up(t, deployment(t, client, tutorial(t), first, keys)))
	second := &installer{release: "r2"}
	d := deployment(t, client, tutorial(t), second, keys)
	after := ids(up(t, d))
	for name, id := range after {
		if before[name] == id {
			t.Errorf("%s was not replaced", name)
		}
	}
	nothingToDo(t, d)
	if second.count() != 1 || len(after) != 3 {
		t.Errorf("installed %d times, %d servers", second.count(), len(after))
	}
	back := deployment(t, client, tutorial(t), first, keys)
	up(t, back)
	nothingToDo(t, back)
	if first.count() != 1 {
		t.Errorf("going back installed again")
	}
}

func TestTheSpecCanChangeInPlace(t *testing.T) {
	c, b, keys := newCloud(t), &installer{release: "r1"}, t.TempDir()
	client, s := c.client(t, nil), tutorial(t)
	before := ids(up(t, deployment(t, client, s, b, keys)))
	s.Security.SSH.From, s.Machines.Count, s.LoadBalancer.Port, s.LoadBalancer.Health.Path = nil, 2, 80, "/health"
	d := deployment(t, client, s, b, keys)
	status := up(t, d)
	after := ids(status)
	if len(after) != 2 || after["server-1"] != before["server-1"] || after["server-2"] != before["server-2"] {
		t.Errorf("before %v, after %v", before, after)
	}
	nothingToDo(t, d)
	s.Machines.Count = 4
	d = deployment(t, client, s, b, keys)
	if status = up(t, d); len(status.Machines) != 4 {
		t.Errorf("%d machines", len(status.Machines))
	}
	nothingToDo(t, d)
}

func TestDownOfNothingIsQuickAndImagesStayUnlessAsked(t *testing.T) {
	c, b, keys := newCloud(t), &installer{release: "r1"}, t.TempDir()
	d := deployment(t, c.client(t, nil), tutorial(t), b, keys)
	if err := d.Down(t.Context(), apply.DownOptions{}); err != nil {
		t.Fatal(err)
	}
	up(t, d)
	if err := d.Down(t.Context(), apply.DownOptions{}); err != nil {
		t.Fatal(err)
	}
	up(t, d) // from the image that stayed
	if b.count() != 1 {
		t.Errorf("installed %d times", b.count())
	}
	if err := d.Down(t.Context(), apply.DownOptions{Images: true}); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, c)
}

func TestANetworkThatWouldHaveToBeMadeAnewIsRefusedAndNothingChanges(t *testing.T) {
	c, b, keys := newCloud(t), &installer{release: "r1"}, t.TempDir()
	client, s := c.client(t, nil), tutorial(t)
	up(t, deployment(t, client, s, b, keys))
	s.Network.Subnets[1].CIDR = netip.MustParsePrefix("10.0.9.0/24")
	s.Security.SSH.From = nil
	_, err := deployment(t, client, s, b, keys).Up(t.Context())
	list := diag.From(err)
	if len(list) != 1 || list[0].Where != "subnet-2" || !strings.Contains(list[0].Hint, "aloft down") {
		t.Errorf("got %v", err)
	}
	nothingToDo(t, deployment(t, client, tutorial(t), b, keys))
}

func TestALostPrivateKeyIsToldBeforeAnythingChanges(t *testing.T) {
	c, b, keys := newCloud(t), &installer{release: "r1"}, t.TempDir()
	client := c.client(t, nil)
	d := deployment(t, client, tutorial(t), b, keys)
	before := ids(up(t, d))
	if err := os.Remove(d.KeyFile()); err != nil {
		t.Fatal(err)
	}
	nothingToDo(t, d) // nobody needs the key
	_, err := deployment(t, client, tutorial(t), &installer{release: "r2"}, keys).Up(t.Context())
	if list := diag.From(err); len(list) != 1 || !strings.Contains(list[0].Summary, "is lost") || list[0].Hint == "" {
		t.Errorf("got %v", err)
	}
	if status, err := d.Status(t.Context()); err != nil || !maps.Equal(before, ids(status)) {
		t.Errorf("something changed: %v, %v", status, err)
	}
}

func TestAFailedInstallLeavesNoOpenDoorAndTheNextUpGoesOnOnTheSameMachine(t *testing.T) {
	c, b, keys := newCloud(t), &installer{release: "r1", err: errors.New("npm install failed")}, t.TempDir()
	d := deployment(t, c.client(t, nil), tutorial(t), b, keys)
	if _, err := d.Up(t.Context()); err == nil || !strings.Contains(err.Error(), "npm install failed") {
		t.Fatalf("got %v", err)
	}
	status, err := d.Status(t.Context())
	if err != nil || len(status.Machines) != 1 || status.LoadBalancerARN == "" {
		t.Fatalf("what does not depend on it is not done: %+v, %v", status, err)
	}
	b.err = nil
	if after := up(t, d); after.Machines[0].InstanceID != status.Machines[0].InstanceID {
		t.Error("another builder was launched")
	}
	once(t, c)
}

func TestTwoRunsAtOnceDoNotWorkOnOneDeployment(t *testing.T) {
	c, b, keys := newCloud(t), &installer{release: "r1"}, t.TempDir()
	held := func() error {
		d, err := apply.New(
			apply.Config{
				Spec:    tutorial(t),
				Client:  c.client(t, nil),
				Builder: b,
				KeyDir:  keys,
				Gone:    func(apply.Holder) bool { return false },
				Egress: func(context.Context, netip.Addr) (netip.Prefix, error) {
					return netip.MustParsePrefix("198.18.0.9/32"), nil
				},
			},
		)
		if err != nil {
			return err
		}
		_, err = d.Up(t.Context())
		return err
	}
	results := make(chan error, 3)
	for range 3 {
		go func() { results <- held() }()
	}
	failed := 0
	for range 3 {
		if err := <-results; err != nil {
			failed++
			if !strings.Contains(err.Error(), "is working on this deployment") {
				t.Error(err)
			}
		}
	}
	if failed == 3 {
		t.Error("nobody worked")
	}
	once(t, c)
}
