//go:build linux

package reachability

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/reachability"
)

// networkBalancer puts a Network Load Balancer before port 9000 of the first server.
func (s *setup) networkBalancer(t *testing.T) reachability.Place {
	t.Helper()
	c, ctx := s.client.ELB, t.Context()
	group := must(c.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
		Name: aws.String("tcp"), Protocol: elbtypes.ProtocolEnumTcp, Port: aws.Int32(9000), VpcId: &s.status.VPCID,
	}))(t).TargetGroups[0].TargetGroupArn
	must(c.RegisterTargets(ctx, &elb.RegisterTargetsInput{
		TargetGroupArn: group, Targets: []elbtypes.TargetDescription{{Id: &s.status.Machines[0].InstanceID}},
	}))(t)
	var subnets []string
	for _, machine := range s.status.Machines {
		for _, nic := range s.all.Interfaces {
			if nic.Attachment != nil && aws.ToString(nic.Attachment.InstanceId) == machine.InstanceID {
				subnets = append(subnets, aws.ToString(nic.SubnetId))
			}
		}
	}
	made := must(c.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
		Name: aws.String("tcp"), Type: elbtypes.LoadBalancerTypeEnumNetwork, Subnets: subnets,
	}))(t).LoadBalancers[0].LoadBalancerArn
	must(c.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: made, Protocol: elbtypes.ProtocolEnumTcp, Port: aws.Int32(80),
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: group}},
	}))(t)
	return reachability.Place{Name: "tcp", Ref: *made}
}

// admit lets a block open connections to port 9000 of the servers.
func (s *setup) admit(t *testing.T, block string) {
	t.Helper()
	must(s.client.EC2.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: aws.String(s.group("server")), IpProtocol: aws.String("tcp"), CidrIp: &block,
		FromPort: aws.Int32(9000), ToPort: aws.Int32(9000),
	}))(t)
	s.read(t)
}

// A target's security group sees the client, and not the node that forwards what it sends.
func TestTargetsOfANetworkLoadBalancerSeeItsClients(t *testing.T) {
	s := newSetup(t)
	balancer := s.networkBalancer(t)
	for _, step := range []struct {
		admitted string
		want     reachability.State
	}{{"10.0.0.0/16", reachability.Blocks}, {"0.0.0.0/0", reachability.Allows}} {
		s.admit(t, step.admitted)
		stages := s.find(t, internet, balancer, 80).Stages
		if len(stages) != 2 {
			t.Fatalf("got %d stages, want the way to the nodes and that to the targets", len(stages))
		}
		hops := stages[1].Paths[0].Hops
		i := slices.IndexFunc(hops, func(h reachability.Hop) bool { return h.Kind == reachability.GroupIn })
		if i < 0 || hops[i].State != step.want {
			t.Errorf("the target admits %s: got %+v, want a security group that %s", step.admitted, hops, step.want)
		}
	}
}
