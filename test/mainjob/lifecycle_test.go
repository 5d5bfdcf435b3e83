//go:build linux

package mainjob

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
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/lease"
	"aloft.dev/aloft/test/simulation"
)

func TestUpOfEverySpecConverges(t *testing.T) {
	files, err := filepath.Glob("../../internal/stack/testdata/*.yaml")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			c, b, s := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}, simulation.ParseSpec(t, file)
			c.HostedZone(t, "example.com")
			d := simulation.Deployment(t, c.Client(t, nil), s, b, t.TempDir())
			began := time.Now()
			status := simulation.Up(t, d)
			t.Logf("up took %s", time.Since(began))
			machines := s.Machines.Count
			if s.Scaling != nil {
				machines = s.Scaling.Least(len(s.Network.Subnets))
			}
			if len(status.Machines) != machines || status.URL == "" || status.ImageID == "" {
				t.Errorf("status %+v", status)
			}
			for _, m := range status.Machines {
				if m.State != "running" || m.Health != "healthy" || (m.PublicIP == "") != s.Network.Private {
					t.Errorf("machine %+v", m)
				}
			}
			simulation.PlanIsEmpty(t, d)
			if b.Builds() != 1 {
				t.Errorf("installed %d times", b.Builds())
			}
			began = time.Now()
			if err := d.Down(t.Context(), apply.DownOptions{Images: true}); err != nil {
				t.Fatal(err)
			}
			t.Logf("down took %s", time.Since(began))
			simulation.NothingLeft(t, c)
		})
	}
}

func TestUpReplacesOnlyTheTerminatedServer(t *testing.T) {
	c, b := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}
	client := c.Client(t, nil)
	d := simulation.Deployment(t, client, simulation.Tutorial(t), b, t.TempDir())
	before := simulation.InstanceIDs(simulation.Up(t, d))
	if _, err := client.EC2.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{
		InstanceIds: []string{before["server-2"]},
	}); err != nil {
		t.Fatal(err)
	}
	after := simulation.InstanceIDs(simulation.Up(t, d))
	if after["server-1"] != before["server-1"] || after["server-3"] != before["server-3"] ||
		after["server-2"] == before["server-2"] ||
		after["server-2"] == "" {
		t.Errorf("before %v, after %v", before, after)
	}
	simulation.PlanIsEmpty(t, d)
	if b.Builds() != 1 {
		t.Errorf("installed %d times", b.Builds())
	}
}

func TestUpReplacesAnUnhealthyServerAfterItsSuccessorServes(t *testing.T) {
	c, b := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}
	client := c.Client(t, nil)
	d := simulation.Deployment(t, client, simulation.Tutorial(t), b, t.TempDir())
	before := simulation.InstanceIDs(simulation.Up(t, d))
	if _, err := client.EC2.CreateTags(t.Context(), &ec2.CreateTagsInput{
		Resources: []string{before["server-3"]}, Tags: []types.Tag{{Key: aws.String("sick"), Value: aws.String("yes")}},
	}); err != nil {
		t.Fatal(err)
	}
	simulation.Eventually(t, func() bool {
		status, err := d.Status(t.Context())
		return err == nil && status.Machines[2].Health == "unhealthy"
	})
	after := simulation.InstanceIDs(simulation.Up(t, d))
	if after["server-1"] != before["server-1"] || after["server-2"] != before["server-2"] ||
		after["server-3"] == before["server-3"] ||
		len(after) != 3 {
		t.Errorf("before %v, after %v", before, after)
	}
	simulation.PlanIsEmpty(t, d)
}

func TestUpStartsAStoppedServer(t *testing.T) {
	c, b := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}
	client := c.Client(t, nil)
	d := simulation.Deployment(t, client, simulation.Tutorial(t), b, t.TempDir())
	before := simulation.InstanceIDs(simulation.Up(t, d))
	if _, err := client.EC2.StopInstances(t.Context(), &ec2.StopInstancesInput{
		InstanceIds: []string{before["server-2"]},
	}); err != nil {
		t.Fatal(err)
	}
	if after := simulation.InstanceIDs(simulation.Up(t, d)); after["server-2"] != before["server-2"] {
		t.Errorf("before %v, after %v", before, after)
	}
	simulation.PlanIsEmpty(t, d)
}

func TestReleaseReplacesAllServersAndGoingBackReusesTheImage(t *testing.T) {
	c, keys := simulation.New(t), t.TempDir()
	client, first := c.Client(t, nil), &simulation.Builder{ReleaseName: "r1"}
	before := simulation.InstanceIDs(simulation.Up(
		t, simulation.Deployment(t, client, simulation.Tutorial(t), first, keys),
	))
	second := &simulation.Builder{ReleaseName: "r2"}
	d := simulation.Deployment(t, client, simulation.Tutorial(t), second, keys)
	after := simulation.InstanceIDs(simulation.Up(t, d))
	for name, id := range after {
		if before[name] == id {
			t.Errorf("%s was not replaced", name)
		}
	}
	simulation.PlanIsEmpty(t, d)
	if second.Builds() != 1 || len(after) != 3 {
		t.Errorf("installed %d times, %d servers", second.Builds(), len(after))
	}
	back := simulation.Deployment(t, client, simulation.Tutorial(t), first, keys)
	simulation.Up(t, back)
	simulation.PlanIsEmpty(t, back)
	if first.Builds() != 1 {
		t.Errorf("going back built the release again")
	}
}

func TestSpecChangesInPlace(t *testing.T) {
	c, b, keys := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}, t.TempDir()
	client, s := c.Client(t, nil), simulation.Tutorial(t)
	before := simulation.InstanceIDs(simulation.Up(t, simulation.Deployment(t, client, s, b, keys)))
	s.Security.SSH.From, s.Machines.Count, s.LoadBalancer.Port, s.LoadBalancer.Health.Path = nil, 2, 80, "/health"
	d := simulation.Deployment(t, client, s, b, keys)
	status := simulation.Up(t, d)
	after := simulation.InstanceIDs(status)
	if len(after) != 2 || after["server-1"] != before["server-1"] || after["server-2"] != before["server-2"] {
		t.Errorf("before %v, after %v", before, after)
	}
	simulation.PlanIsEmpty(t, d)
	s.Machines.Count = 4
	d = simulation.Deployment(t, client, s, b, keys)
	if status = simulation.Up(t, d); len(status.Machines) != 4 {
		t.Errorf("%d machines", len(status.Machines))
	}
	simulation.PlanIsEmpty(t, d)
}

func TestDownKeepsImagesUnlessAsked(t *testing.T) {
	c, b, keys := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}, t.TempDir()
	d := simulation.Deployment(t, c.Client(t, nil), simulation.Tutorial(t), b, keys)
	if err := d.Down(t.Context(), apply.DownOptions{}); err != nil {
		t.Fatal(err)
	}
	simulation.Up(t, d)
	if err := d.Down(t.Context(), apply.DownOptions{}); err != nil {
		t.Fatal(err)
	}
	simulation.Up(t, d) // from the kept image
	if b.Builds() != 1 {
		t.Errorf("installed %d times", b.Builds())
	}
	if err := d.Down(t.Context(), apply.DownOptions{Images: true}); err != nil {
		t.Fatal(err)
	}
	simulation.NothingLeft(t, c)
}

func TestNetworkChangeThatNeedsReplacementIsRefused(t *testing.T) {
	c, b, keys := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}, t.TempDir()
	client, s := c.Client(t, nil), simulation.Tutorial(t)
	simulation.Up(t, simulation.Deployment(t, client, s, b, keys))
	s.Network.Subnets[1].CIDR = netip.MustParsePrefix("10.0.9.0/24")
	s.Security.SSH.From = nil
	_, err := simulation.Deployment(t, client, s, b, keys).Up(t.Context())
	list := diag.From(err)
	if len(list) != 1 || list[0].Where != "subnet-2" || !strings.Contains(list[0].Hint, "aloft down") {
		t.Errorf("got %v", err)
	}
	simulation.PlanIsEmpty(t, simulation.Deployment(t, client, simulation.Tutorial(t), b, keys))
}

func TestLostPrivateKeyIsReportedBeforeAnyChange(t *testing.T) {
	c, b, keys := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}, t.TempDir()
	client := c.Client(t, nil)
	d := simulation.Deployment(t, client, simulation.Tutorial(t), b, keys)
	before := simulation.InstanceIDs(simulation.Up(t, d))
	if err := os.Remove(simulation.Must(d.KeyFile(t.Context()))(t)); err != nil {
		t.Fatal(err)
	}
	simulation.PlanIsEmpty(t, d) // an empty plan does not need the key
	_, err := simulation.Deployment(
		t, client, simulation.Tutorial(t), &simulation.Builder{ReleaseName: "r2"}, keys,
	).Up(t.Context())
	if list := diag.From(err); len(list) != 1 || !strings.Contains(list[0].Summary, "is missing") ||
		list[0].Hint == "" {
		t.Errorf("got %v", err)
	}
	if status, err := d.Status(t.Context()); err != nil || !maps.Equal(before, simulation.InstanceIDs(status)) {
		t.Errorf("something changed: %v, %v", status, err)
	}
}

func TestUpContinuesOnTheSameMachineAfterAFailedInstall(t *testing.T) {
	c, b, keys := simulation.New(t), &simulation.Builder{
		ReleaseName: "r1", BuildErr: errors.New("npm install failed"),
	}, t.TempDir()
	d := simulation.Deployment(t, c.Client(t, nil), simulation.Tutorial(t), b, keys)
	if _, err := d.Up(t.Context()); err == nil || !strings.Contains(err.Error(), "npm install failed") {
		t.Fatalf("got %v", err)
	}
	status, err := d.Status(t.Context())
	if err != nil || len(status.Machines) != 1 || status.LoadBalancerARN == "" {
		t.Fatalf("resources that do not depend on the install are missing: %+v, %v", status, err)
	}
	b.BuildErr = nil
	if after := simulation.Up(t, d); after.Machines[0].InstanceID != status.Machines[0].InstanceID {
		t.Error("another builder was launched")
	}
	simulation.EverythingOnce(t, c)
}

func TestOnlyOneRunWorksOnADeployment(t *testing.T) {
	c, b, keys := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}, t.TempDir()
	held := func() error {
		d, err := apply.New(apply.Config{
			Spec:    simulation.Tutorial(t),
			Client:  c.Client(t, nil),
			Builder: b,
			KeyDir:  keys,
			Dead:    func(lease.Holder) bool { return false },
			SourceAddress: func(context.Context, netip.Addr) ([]netip.Prefix, error) {
				return []netip.Prefix{netip.MustParsePrefix("198.18.0.9/32")}, nil
			},
		})
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
		t.Error("all runs failed")
	}
	simulation.EverythingOnce(t, c)
}
