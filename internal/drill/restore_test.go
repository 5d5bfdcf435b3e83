//go:build linux

package drill

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/lease"
	"aloft.dev/aloft/internal/stack"
	"aloft.dev/aloft/test/simulation"
)

const zone = simulation.Region + "a"

// site is an application's network in a simulated cloud.
type site struct {
	*simulation.Cloud
	subnets []string // in the zone
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{Cloud: simulation.New(t)}
	api := s.Client(t, nil).EC2
	tag := []types.Tag{{Key: aws.String(stack.TagApp), Value: aws.String("shop")}}
	vpc := simulation.Must(api.CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16")}))(t)
	for cidr, at := range map[string]string{
		"10.0.1.0/24": zone, "10.0.2.0/24": zone, "10.0.3.0/24": simulation.Region + "b",
	} {
		subnet := simulation.Must(api.CreateSubnet(t.Context(), &ec2.CreateSubnetInput{
			VpcId: vpc.Vpc.VpcId, CidrBlock: &cidr, AvailabilityZone: &at,
			TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeSubnet, Tags: tag}},
		}))(t)
		if at == zone {
			s.subnets = append(s.subnets, *subnet.Subnet.SubnetId)
		}
	}
	slices.Sort(s.subnets)
	return s
}

// isolated returns the subnets that are associated with an ACL of a drill, or nil
// if there is no such ACL.
func (s *site) isolated() []string {
	var subnets []string
	view := s.Store.View()
	for _, acl := range store.NetworkACLs.List(view) {
		if acl.IsDefault {
			continue
		}
		subnets = append(subnets, "")
		for _, a := range acl.Associations {
			subnets = append(subnets, a.SubnetID)
		}
	}
	slices.Sort(subnets)
	return subnets
}

func (s *site) drill(t *testing.T) *Drill {
	holder := lease.Self()
	return New(Config{
		App: "shop", Client: s.Client(t, nil), Poll: time.Millisecond,
		Holder: holder, Dead: simulation.OthersGone(holder),
	})
}

// leave isolates the zone as a drill does that is killed afterwards.
func (s *site) leave(t *testing.T) {
	t.Helper()
	d := s.drill(t)
	c := simulation.Must(d.planIsolation(t.Context(), zone, false))(t)
	l := simulation.Must(d.begin(t.Context(), c))(t)
	if err := d.isolateZone(t.Context(), l, func() {}); err != nil {
		t.Fatal(err)
	}
	if want := append([]string{""}, s.subnets...); !slices.Equal(s.isolated(), want) {
		t.Fatalf("isolated %q, want %q", s.isolated(), want)
	}
}

func TestRestoreUndoesTheIsolationOfAKilledDrill(t *testing.T) {
	s := newSite(t)
	s.leave(t)
	restored, err := s.drill(t).Restore(t.Context(), false)
	if err != nil || restored == nil || restored.At != zone || len(restored.Subnets) != 2 {
		t.Fatalf("got %+v, %v", restored, err)
	}
	if left := s.isolated(); left != nil {
		t.Errorf("isolated after the restore: %q", left)
	}
	if again, err := s.drill(t).Restore(t.Context(), false); again != nil || err != nil {
		t.Errorf("a second restore found %+v, %v", again, err)
	}
}

func TestRestoreLeavesARunningDrillAloneUnlessForced(t *testing.T) {
	s := newSite(t)
	s.leave(t)
	d := New(Config{App: "shop", Client: s.Client(t, nil), Dead: func(lease.Holder) bool { return false }})
	if _, err := d.Restore(t.Context(), false); err == nil || !strings.Contains(err.Error(), zone) {
		t.Errorf("got %v", err)
	}
	if len(s.isolated()) == 0 {
		t.Fatal("the change of a running drill was undone")
	}
	if _, err := d.Restore(t.Context(), true); err != nil || s.isolated() != nil {
		t.Errorf("forced: got %v, isolated %q", err, s.isolated())
	}
}

func TestRestoreSkipsAServerThatIsGone(t *testing.T) {
	s := newSite(t)
	d := s.drill(t)
	d.cfg.Connect = func(context.Context, string) (func(context.Context, string) error, func() error, error) {
		return nil, nil, errors.New("connected to a server that is gone")
	}
	c := Change{Experiment: App, At: "server-1", InstanceID: "i-0123456789abcdef0"}
	simulation.Must(d.begin(t.Context(), c))(t)
	next := s.drill(t)
	next.cfg.Connect = d.cfg.Connect
	if restored, err := next.Restore(t.Context(), false); err != nil || restored == nil {
		t.Errorf("got %+v, %v", restored, err)
	}
}

func TestZoneWithoutSubnetsCannotBeIsolated(t *testing.T) {
	s := newSite(t)
	_, err := s.drill(t).planIsolation(t.Context(), simulation.Region+"f", false)
	if err == nil || !strings.Contains(err.Error(), "no subnet") {
		t.Errorf("got %v", err)
	}
}
