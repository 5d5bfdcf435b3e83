//go:build linux

package scaling

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	scalingtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/scaling/scalinggroup"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
	"aloft.dev/aloft/test/simulation"
)

// scalable is a client's view of a group of three behind a load balancer in the
// default VPC.
type scalable struct {
	t       *testing.T
	cloud   *simulation.Cloud
	ec2     *ec2.Client
	scaling *autoscaling.Client
	balance *elb.Client
	targets string // ARN of the target group
}

func newScalable(t *testing.T) *scalable {
	t.Helper()
	c := simulation.New(t)
	config := wiretest.Client(t, simulation.Region, c.Serve(t))
	s := &scalable{
		t:       t,
		cloud:   c,
		ec2:     ec2.NewFromConfig(config),
		scaling: autoscaling.NewFromConfig(config),
		balance: elb.NewFromConfig(config),
	}
	ctx := t.Context()
	image := simulation.Must(s.ec2.DescribeImages(ctx, &ec2.DescribeImagesInput{}))(t).Images[0].ImageId
	c.Until(
		t,
		"the base image is there",
		func(r store.Reader) bool { i, ok := store.Images.Get(r, *image); return ok && i.State == "available" },
	)
	subnets := simulation.Must(s.ec2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{}))(t).Subnets[:3]
	var ids []string
	for _, subnet := range subnets {
		ids = append(ids, *subnet.SubnetId)
	}
	simulation.Must(s.ec2.CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("web"),
		LaunchTemplateData: &types.RequestLaunchTemplateData{
			ImageId:      image,
			InstanceType: types.InstanceTypeT3Micro,
		},
	}))(t)
	group := simulation.Must(s.balance.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
		Name: aws.String("web"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: subnets[0].VpcId,
	}))(t).TargetGroups[0]
	s.targets = *group.TargetGroupArn
	simulation.Must(s.balance.ModifyTargetGroupAttributes(ctx, &elb.ModifyTargetGroupAttributesInput{
		TargetGroupArn: &s.targets,
		Attributes: []elbtypes.TargetGroupAttribute{
			{Key: aws.String("deregistration_delay.timeout_seconds"), Value: aws.String("1")},
		},
	}))(t)
	lb := simulation.Must(s.balance.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
		Name: aws.String("web"), Subnets: ids,
	}))(t).LoadBalancers[0]
	simulation.Must(s.balance.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn,
		Port:            aws.Int32(80),
		Protocol:        elbtypes.ProtocolEnumHttp,
		DefaultActions:  []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &s.targets}},
	}))(t)
	simulation.Must(s.scaling.CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("web"), MinSize: aws.Int32(3), MaxSize: aws.Int32(6),
		LaunchTemplate:    &scalingtypes.LaunchTemplateSpecification{LaunchTemplateName: aws.String("web")},
		VPCZoneIdentifier: aws.String(ids[0] + "," + ids[1] + "," + ids[2]),
		TargetGroupARNs:   []string{s.targets}, HealthCheckType: aws.String("ELB"),
		Tags: []scalingtypes.Tag{
			{Key: aws.String("Name"), Value: aws.String("web"), PropagateAtLaunch: aws.Bool(true)},
		},
	}))(t)
	return s
}

// serving returns the ids of the group's instances that are in service and healthy
// behind the load balancer.
func (s *scalable) serving(r store.Reader) []string {
	var out []string
	for _, i := range scalinggroup.Instances(r, simulation.Region+"/web") {
		t, ok := store.Targets.Get(r, s.targets+"|"+i.InstanceID+"|80")
		if ok && t.State == "healthy" && i.State == store.LifecycleInService {
			out = append(out, i.InstanceID)
		}
	}
	return out
}

func (s *scalable) three() []string {
	s.t.Helper()
	s.cloud.Until(s.t, "three serve", func(r store.Reader) bool {
		return len(s.serving(r)) == 3 && len(scalinggroup.Instances(r, simulation.Region+"/web")) == 3
	})
	return s.serving(s.cloud.Store.View())
}

func TestGroupKeepsDesiredCapacity(t *testing.T) {
	s := newScalable(t)
	ctx := t.Context()
	ids := s.three()
	zones := map[string]bool{}
	for _, i := range simulation.Must(s.scaling.DescribeAutoScalingInstances(
		ctx, &autoscaling.DescribeAutoScalingInstancesInput{},
	))(t).AutoScalingInstances {
		zones[*i.AvailabilityZone] = true
	}
	described := simulation.Must(s.ec2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{
		Filters: []types.Filter{
			{Name: aws.String("tag:aws:autoscaling:groupName"), Values: []string{"web"}},
			{Name: aws.String("tag:Name"), Values: []string{"web"}},
		},
	}))(t)
	if len(zones) != 3 || len(described.Reservations) != 3 {
		t.Errorf("zones %v, %d instances with the group's tags", zones, len(described.Reservations))
	}
	simulation.Must(s.ec2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: ids[:1]}))(t)
	s.cloud.Until(
		t,
		"the terminated one is gone",
		func(r store.Reader) bool { _, there := store.ScalingInstances.Get(r, ids[0]); return !there },
	)
	simulation.Must(s.ec2.CreateTags(ctx, &ec2.CreateTagsInput{
		Resources: ids[1:2],
		Tags:      []types.Tag{{Key: aws.String("sick"), Value: aws.String("yes")}},
	}))(t)
	s.cloud.Until(
		t,
		"the unhealthy instance is gone",
		func(r store.Reader) bool { _, there := store.ScalingInstances.Get(r, ids[1]); return !there },
	)
	after := s.three()
	if slices.Contains(after, ids[0]) || slices.Contains(after, ids[1]) || !slices.Contains(after, ids[2]) {
		t.Errorf("before %v, after %v", ids, after)
	}
	_, err := s.scaling.DeleteAutoScalingGroup(
		ctx,
		&autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: aws.String("web")},
	)
	if err == nil {
		t.Error("a group with instances was deleted")
	}
	simulation.Must(s.scaling.DeleteAutoScalingGroup(ctx, &autoscaling.DeleteAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("web"),
		ForceDelete:          aws.Bool(true),
	}))(t)
	s.cloud.Until(t, "the group is gone", func(r store.Reader) bool {
		_, there := store.ScalingGroups.Get(r, simulation.Region+"/web")
		return !there
	})
	for _, i := range store.Instances.List(s.cloud.Store.View()) {
		if i.State != store.Terminated {
			t.Errorf("%s is %s", i.ID, i.State)
		}
	}
}
