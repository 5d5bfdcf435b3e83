package autoscaling_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func TestCreateGroupAppliesDefaults(t *testing.T) {
	withLoop(t, func(w *world) {
		ids := w.createGroup(nil)
		g := w.describeGroup()
		if !strings.HasPrefix(
			*g.AutoScalingGroupARN, "arn:aws:autoscaling:us-east-1:000000000000:autoScalingGroup:",
		) || !strings.HasSuffix(*g.AutoScalingGroupARN, ":autoScalingGroupName/g") {
			t.Error(*g.AutoScalingGroupARN)
		}
		if *g.DefaultCooldown != 300 || *g.HealthCheckType != "EC2" || *g.HealthCheckGracePeriod != 0 ||
			g.DefaultInstanceWarmup != nil || *g.NewInstancesProtectedFromScaleIn || *g.CapacityRebalance ||
			*g.ServiceLinkedRoleARN != "arn:aws:iam::000000000000:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling" || !slices.Equal(
			g.TerminationPolicies, []string{"Default"},
		) ||
			g.AvailabilityZoneDistribution.CapacityDistributionStrategy != "balanced-best-effort" ||
			*g.AvailabilityZoneImpairmentPolicy.ZonalShiftEnabled || g.InstanceMaintenancePolicy != nil ||
			g.MaxInstanceLifetime != nil || g.Status != nil || g.MixedInstancesPolicy != nil ||
			g.DeletionProtection != "none" {
			t.Errorf("%+v", g)
		}
		if lt := g.LaunchTemplate; *lt.LaunchTemplateName != "web" || !strings.HasPrefix(*lt.LaunchTemplateId, "lt-") ||
			lt.Version != nil {
			t.Errorf("%+v", lt) // the version is told as it was given
		}
		if *g.VPCZoneIdentifier != strings.Join(w.subnets, ",") || !slices.Equal(g.AvailabilityZones, []string{
			"us-east-1a", "us-east-1b", "us-east-1c",
		}) || len(g.AvailabilityZoneIds) != 3 ||
			!slices.Equal(
				g.TargetGroupARNs, []string{w.targetGroup},
			) || len(g.TrafficSources) != 1 || *g.TrafficSources[0].Type != "elbv2" {
			t.Errorf("%+v", g)
		}
		if len(ids) != 3 {
			t.Fatalf("%v", ids)
		}
		if i := g.Instances[0]; i.LifecycleState != "InService" || *i.HealthStatus != "Healthy" ||
			*i.LaunchTemplate.Version != "1" || *i.LaunchTemplate.LaunchTemplateName != "web" ||
			*i.InstanceType != "t3.micro" || *i.ProtectedFromScaleIn {
			t.Errorf("%+v", i)
		}
		details := must(w.DescribeAutoScalingInstances(w.ctx, &autoscaling.DescribeAutoScalingInstancesInput{
			InstanceIds: []string{ids[1], "i-0"},
		}))(t).AutoScalingInstances
		if len(details) != 1 || *details[0].AutoScalingGroupName != "g" || *details[0].HealthStatus != "HEALTHY" ||
			*details[0].LifecycleState != "InService" {
			t.Errorf("%+v", details)
		}
		without := must(w.DescribeAutoScalingGroups(
			w.ctx, &autoscaling.DescribeAutoScalingGroupsInput{IncludeInstances: new(false)},
		))(t).AutoScalingGroups
		if len(without) != 1 || len(without[0].Instances) != 0 {
			t.Errorf("%+v", without)
		}
	})
}

func TestMixedInstancesPolicyGetsDefaultsAndLaunchesItsFirstType(t *testing.T) {
	withLoop(t, func(w *world) {
		base := &types.LaunchTemplateSpecification{LaunchTemplateName: new("web"), Version: new("$Latest")}
		w.createGroup(func(in *autoscaling.CreateAutoScalingGroupInput) {
			in.LaunchTemplate = nil
			in.MixedInstancesPolicy = &types.MixedInstancesPolicy{LaunchTemplate: &types.LaunchTemplate{LaunchTemplateSpecification: base, Overrides: []types.LaunchTemplateOverrides{
				{InstanceType: new("t3.small")}, {InstanceType: new("t3.medium")},
			}}}
		})
		g := w.describeGroup()
		d, lt := g.MixedInstancesPolicy.InstancesDistribution, g.MixedInstancesPolicy.LaunchTemplate
		if *d.OnDemandAllocationStrategy != "prioritized" || *d.OnDemandBaseCapacity != 0 ||
			*d.OnDemandPercentageAboveBaseCapacity != 100 || *d.SpotAllocationStrategy != "lowest-price" ||
			*d.SpotInstancePools != 2 {
			t.Errorf("%+v", d)
		}
		if g.LaunchTemplate != nil || *lt.LaunchTemplateSpecification.Version != "$Latest" ||
			*lt.LaunchTemplateSpecification.LaunchTemplateId == "" || len(lt.Overrides) != 2 ||
			*g.Instances[0].InstanceType != "t3.small" {
			t.Errorf("%+v", g)
		}
		must(w.UpdateAutoScalingGroup(w.ctx, &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: new("g"), LaunchTemplate: base,
		}))(t)
		if g = w.describeGroup(); g.MixedInstancesPolicy != nil || *g.LaunchTemplate.Version != "$Latest" {
			t.Errorf("%+v", g)
		}
	})
}

func TestCreateGroupRefusesInvalidRequests(t *testing.T) {
	w := newWorld(t)
	must(w.ec2.CreateLaunchTemplate(w.ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: new("bad"),
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{
			ImageId: &w.image, InstanceType: "t3.micro", KeyName: new("x"),
		},
	}))(t)
	vpc := *must(w.ec2.CreateVpc(w.ctx, &ec2.CreateVpcInput{CidrBlock: new("10.9.0.0/16")}))(t).Vpc.VpcId
	other := *must(w.ec2.CreateSecurityGroup(w.ctx, &ec2.CreateSecurityGroupInput{
		GroupName: new("o"), Description: new("o"), VpcId: &vpc,
	}))(t).GroupId
	must(w.ec2.CreateLaunchTemplate(w.ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: new("elsewhere"),
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{
			ImageId: &w.image, InstanceType: "t3.micro", SecurityGroupIds: []string{other},
		},
	}))(t)
	addresses := *must(w.elb.CreateTargetGroup(w.ctx, &elb.CreateTargetGroupInput{
		Name: new("ip"), Protocol: elbtypes.ProtocolEnumHttp, Port: new(int32(80)), VpcId: &vpc,
		TargetType: elbtypes.TargetTypeEnumIp,
	}))(t).TargetGroups[0].TargetGroupArn
	must(w.CreateAutoScalingGroup(w.ctx, func() *autoscaling.CreateAutoScalingGroupInput {
		in := w.groupOfThree()
		in.AutoScalingGroupName = new("taken")
		return in
	}()))(t)
	type input = autoscaling.CreateAutoScalingGroupInput
	template := func(name string) *types.LaunchTemplateSpecification {
		return &types.LaunchTemplateSpecification{LaunchTemplateName: &name}
	}
	for name, c := range map[string]struct {
		change     func(*input)
		code, text string
	}{
		"no name":              {func(in *input) { in.AutoScalingGroupName = nil }, "ValidationError", "autoScalingGroupName"},
		"a colon":              {func(in *input) { in.AutoScalingGroupName = new("a:b") }, "ValidationError", "colon"},
		"taken":                {func(in *input) { in.AutoScalingGroupName = new("taken") }, "AlreadyExists", "AutoScalingGroup by this name already exists - A group with the name taken already exists"},
		"no size":              {func(in *input) { in.MaxSize = nil }, "ValidationError", "Value null at 'maxSize'"},
		"max below min":        {func(in *input) { in.MinSize = new(int32(7)) }, "ValidationError", "Max bound, 6, must be greater than or equal to min bound, 7"},
		"desired above max":    {func(in *input) { in.DesiredCapacity = new(int32(7)) }, "ValidationError", "Desired capacity:7 must be between the specified min size:1 and max size:6"},
		"no source":            {func(in *input) { in.LaunchTemplate = nil }, "ValidationError", "Valid requests must contain either launchTemplate"},
		"two sources":          {func(in *input) { in.MixedInstancesPolicy = &types.MixedInstancesPolicy{} }, "ValidationError", "Valid requests must contain either launchTemplate"},
		"template of no name":  {func(in *input) { in.LaunchTemplate = &types.LaunchTemplateSpecification{} }, "ValidationError", "Valid requests must contain either launchTemplateId or LaunchTemplateName"},
		"no such template":     {func(in *input) { in.LaunchTemplate = template("none") }, "ValidationError", "You must use a valid fully-formed launch template. "},
		"a bad template":       {func(in *input) { in.LaunchTemplate = template("bad") }, "ValidationError", "You must use a valid fully-formed launch template. The key pair 'x' does not exist"},
		"another VPC's group":  {func(in *input) { in.LaunchTemplate = template("elsewhere") }, "ValidationError", "One or more security groups in the launch template are not linked to the VPCs configured in the Auto Scaling group"},
		"no place":             {func(in *input) { in.VPCZoneIdentifier = nil }, "ValidationError", "At least one Availability Zone or VPC Subnet is required."},
		"no such subnet":       {func(in *input) { in.VPCZoneIdentifier = new("subnet-0") }, "ValidationError", "The subnet ID 'subnet-0' does not exist"},
		"a subnet elsewhere":   {func(in *input) { in.AvailabilityZones = []string{"us-east-1a"} }, "ValidationError", "do not match"},
		"no such zone":         {func(in *input) { in.VPCZoneIdentifier, in.AvailabilityZones = nil, []string{"us-east-1x"} }, "ValidationError", "us-east-1x"},
		"zones twice":          {func(in *input) { in.AvailabilityZones, in.AvailabilityZoneIds = []string{"a"}, []string{"b"} }, "ValidationError", "both AvailabilityZones and AvailabilityZoneIds"},
		"no such target group": {func(in *input) { in.TargetGroupARNs = []string{"arn:none"} }, "ValidationError", "One or more target groups not found"},
		"addresses":            {func(in *input) { in.TargetGroupARNs = []string{addresses} }, "ValidationError", "target type must be instance"},
		"a reserved tag":       {func(in *input) { in.Tags = []types.Tag{{Key: new("aws:x")}} }, "ValidationError", "reserved"},
		"a policy of no name":  {func(in *input) { in.TerminationPolicies = []string{"Youngest"} }, "ValidationError", "Youngest"},
		"a Lambda":             {func(in *input) { in.TerminationPolicies = []string{"arn:aws:lambda:x"} }, "NotImplemented", "Lambda"},
		"a short life":         {func(in *input) { in.MaxInstanceLifetime = new(int32(60)) }, "ValidationError", "MaxInstanceLifetime"},
		"a health check":       {func(in *input) { in.HealthCheckType = new("PING") }, "ValidationError", "PING"},
		"VPC Lattice":          {func(in *input) { in.HealthCheckType = new("EC2,VPC_LATTICE") }, "NotImplemented", "VPC_LATTICE"},
		"half a maintenance": {func(in *input) {
			in.InstanceMaintenancePolicy = &types.InstanceMaintenancePolicy{MinHealthyPercentage: new(int32(90))}
		}, "ValidationError", "Both"},
		"a wide maintenance": {func(in *input) {
			in.InstanceMaintenancePolicy = &types.InstanceMaintenancePolicy{
				MinHealthyPercentage: new(int32(50)), MaxHealthyPercentage: new(int32(200)),
			}
		}, "ValidationError", "greater than 100"},
		"an impairment": {func(in *input) {
			in.AvailabilityZoneImpairmentPolicy = &types.AvailabilityZoneImpairmentPolicy{ZonalShiftEnabled: new(true)}
		}, "ValidationError", "ImpairedZoneHealthCheckBehavior"},
		"a launch configuration": {func(in *input) { in.LaunchConfigurationName = new("lc") }, "NotImplemented", "launch configurations"},
		"an instance":            {func(in *input) { in.InstanceId = new("i-1") }, "NotImplemented", "InstanceId"},
		"Classic ELB":            {func(in *input) { in.LoadBalancerNames = []string{"elb"} }, "NotImplemented", "Classic Load Balancers"},
		"a placement group":      {func(in *input) { in.PlacementGroup = new("p") }, "NotImplemented", "PlacementGroup"},
		"vCPUs":                  {func(in *input) { in.DesiredCapacityType = new("vcpu") }, "NotImplemented", "vcpu"},
		"weights": {func(in *input) {
			in.LaunchTemplate, in.MixedInstancesPolicy = nil, &types.MixedInstancesPolicy{
				LaunchTemplate: &types.LaunchTemplate{
					LaunchTemplateSpecification: template("web"),
					Overrides:                   []types.LaunchTemplateOverrides{{WeightedCapacity: new("2")}},
				},
			}
		}, "NotImplemented", "WeightedCapacity"},
		"a hook of no transition": {func(in *input) {
			in.LifecycleHookSpecificationList = []types.LifecycleHookSpecification{{LifecycleHookName: new("h")}}
		}, "ValidationError", "Invalid lifecycle transition"},
		"a hook that tells": {func(in *input) {
			in.LifecycleHookSpecificationList = []types.LifecycleHookSpecification{
				{LifecycleHookName: new("h"), NotificationTargetARN: new("arn:sns")},
			}
		}, "NotImplemented", "NotificationTargetARN"},
	} {
		t.Run(name, func(t *testing.T) {
			in := w.groupOfThree()
			c.change(in)
			_, err := w.CreateAutoScalingGroup(w.ctx, in)
			wantError(t, err, c.code, c.text)
		})
	}
}
