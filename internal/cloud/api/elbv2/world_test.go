package elbv2_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/api/elbv2"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

const testRegion = "eu-west-1"

// world is an API with a store that has a VPC with an internet gateway, public
// subnets and running instances, and a second VPC without a gateway.
type world struct {
	*elbv2.API
	t     *testing.T
	ctx   context.Context
	store *store.Store
	now   time.Time
}

func newWorld(t *testing.T) *world { return newWorldOf(t, elbv2.Config{}) }

// newWorldOf is newWorld with an API of the configuration.
func newWorldOf(t *testing.T, config elbv2.Config) *world {
	t.Helper()
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: s, now: time.Unix(1_800_000_000, 0)}
	w.ctx = wire.WithCaller(t.Context(), wire.Caller{Region: testRegion})
	config.Store, config.Now = s, func() time.Time { return w.now }
	config.PublicRange = netip.MustParsePrefix("198.18.0.0/15")
	w.API = elbv2.New(config)
	w.change(func(tx *store.Tx) {
		store.VPCs.Put(tx, &store.VPC{ID: "vpc-1", Region: testRegion, CIDR: netip.MustParsePrefix("10.0.0.0/16")})
		store.VPCs.Put(tx, &store.VPC{ID: "vpc-2", Region: testRegion, CIDR: netip.MustParsePrefix("10.1.0.0/16")})
		store.InternetGateways.Put(tx, &store.InternetGateway{ID: "igw-1", Region: testRegion, VPCID: "vpc-1"})
		store.SecurityGroups.Put(
			tx,
			&store.SecurityGroup{ID: "sg-default", Region: testRegion, VPCID: "vpc-1", Name: "default"},
		)
		store.SecurityGroups.Put(tx, &store.SecurityGroup{
			ID: "sg-web", Region: testRegion, VPCID: "vpc-1", Name: "web",
		})
		store.SecurityGroups.Put(
			tx,
			&store.SecurityGroup{ID: "sg-other", Region: testRegion, VPCID: "vpc-2", Name: "default"},
		)
		put := func(id, vpc, cidr, zone string) {
			store.Subnets.Put(tx, &store.Subnet{
				ID: id, Region: testRegion, VPCID: vpc, CIDR: netip.MustParsePrefix(cidr), Zone: testRegion + zone,
			})
		}
		put("subnet-a", "vpc-1", "10.0.1.0/24", "a")
		put("subnet-b", "vpc-1", "10.0.2.0/24", "b")
		put("subnet-c", "vpc-1", "10.0.3.0/24", "c")
		put("subnet-a2", "vpc-1", "10.0.4.0/24", "a")
		put("subnet-tiny", "vpc-1", "10.0.5.0/28", "b")
		put("subnet-full", "vpc-1", "10.0.6.0/27", "b")
		put("subnet-x", "vpc-2", "10.1.1.0/24", "a")
		put("subnet-y", "vpc-2", "10.1.2.0/24", "b")
		for i := range 20 {
			store.NetworkInterfaces.Put(tx, &store.NetworkInterface{
				ID: fmt.Sprintf("eni-full-%d", i), Region: testRegion, VPCID: "vpc-1", SubnetID: "subnet-full",
				PrivateIP: netip.AddrFrom4([4]byte{10, 0, 6, byte(4 + i)}),
			})
		}
		for i, state := range []string{store.Running, store.Running, store.Running, store.Stopped} {
			store.Instances.Put(tx, &store.Instance{
				ID:     fmt.Sprintf("i-%d", i+1),
				Region: testRegion,
				VPCID:  "vpc-1",
				Zone:   testRegion + string(rune('a'+i)),
				State:  state,
			})
		}
		store.Instances.Put(tx, &store.Instance{ID: "i-far", Region: testRegion, VPCID: "vpc-2", State: store.Running})
	})
	return w
}

func (w *world) change(do func(tx *store.Tx)) {
	w.t.Helper()
	if err := w.store.Update(func(tx *store.Tx) error { do(tx); return nil }); err != nil {
		w.t.Fatal(err)
	}
}

func must[T any](out T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// wantError checks that err is AWS's error with the code and that its message
// contains the text.
func wantError(t *testing.T, err error, code, text string) {
	t.Helper()
	var aws *wire.Error
	if !errors.As(err, &aws) || aws.Code != code || !strings.Contains(aws.Message, text) {
		t.Errorf("error = %v, want %s with %q", err, code, text)
	}
}

func webBalancer() *elb.CreateLoadBalancerInput {
	return &elb.CreateLoadBalancerInput{
		Name:           new("web"),
		Subnets:        []string{"subnet-a", "subnet-b", "subnet-c"},
		SecurityGroups: []string{"sg-web"},
	}
}

func webGroup() *elb.CreateTargetGroupInput {
	return &elb.CreateTargetGroupInput{
		Name:     new("web"),
		Protocol: types.ProtocolEnumHttp,
		Port:     new(int32(3000)),
		VpcId:    new("vpc-1"),
	}
}

func (w *world) balancer() types.LoadBalancer {
	w.t.Helper()
	return must(w.CreateLoadBalancer(w.ctx, webBalancer()))(w.t).LoadBalancers[0]
}

func (w *world) group() types.TargetGroup {
	w.t.Helper()
	return must(w.CreateTargetGroup(w.ctx, webGroup()))(w.t).TargetGroups[0]
}

func forward(group string) []types.Action {
	return []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &group}}
}

// forwarding creates a load balancer with a listener that forwards to a target
// group.
func (w *world) forwarding() (lb types.LoadBalancer, group types.TargetGroup, listener types.Listener) {
	w.t.Helper()
	lb, group = w.balancer(), w.group()
	listener = must(w.CreateListener(w.ctx, &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Port: new(int32(80)), Protocol: types.ProtocolEnumHttp,
		DefaultActions: forward(*group.TargetGroupArn),
	}))(w.t).Listeners[0]
	return lb, group, listener
}

func targets(ids ...string) []types.TargetDescription {
	var out []types.TargetDescription
	for _, id := range ids {
		out = append(out, types.TargetDescription{Id: &id})
	}
	return out
}

func (w *world) register(group types.TargetGroup, ids ...string) {
	w.t.Helper()
	in := &elb.RegisterTargetsInput{TargetGroupArn: group.TargetGroupArn, Targets: targets(ids...)}
	must(w.RegisterTargets(w.ctx, in))(w.t)
}

func (w *world) deregister(group types.TargetGroup, ids ...string) {
	w.t.Helper()
	in := &elb.DeregisterTargetsInput{TargetGroupArn: group.TargetGroupArn, Targets: targets(ids...)}
	must(w.DeregisterTargets(w.ctx, in))(w.t)
}
