package autoscaling

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// DescribeAutoScalingInstances returns instances of all groups. It ignores IDs of
// instances that are in no group.
func (a *API) DescribeAutoScalingInstances(
	ctx context.Context, in *autoscaling.DescribeAutoScalingInstancesInput,
) (*autoscaling.DescribeAutoScalingInstancesOutput, error) {
	if len(in.InstanceIds) > maxDescribed {
		return nil, invalid("The number of instance ids that may be passed in is limited to %d", maxDescribed)
	}
	view := a.Store.Read(ctx)
	var rows []*store.ScalingInstance
	for _, i := range store.ScalingInstances.InRegion(view, wire.RegionFrom(ctx)) {
		if len(in.InstanceIds) == 0 || slices.Contains(in.InstanceIds, i.InstanceID) {
			rows = append(rows, i)
		}
	}
	rows, next, err := paginate(
		pageRequest{in.MaxRecords, in.NextToken, 50, 50}, rows,
		func(i *store.ScalingInstance) string { return i.InstanceID },
	)
	if err != nil {
		return nil, err
	}
	out := &autoscaling.DescribeAutoScalingInstancesOutput{
		AutoScalingInstances: []types.AutoScalingInstanceDetails{}, NextToken: next,
	}
	for _, i := range rows {
		out.AutoScalingInstances = append(out.AutoScalingInstances, types.AutoScalingInstanceDetails{
			InstanceId:           aws.String(i.InstanceID),
			InstanceType:         aws.String(i.Type),
			AutoScalingGroupName: aws.String(i.Group),
			AvailabilityZone:     aws.String(i.Zone),
			AvailabilityZoneId:   zoneID(view, i.SubnetID),
			LifecycleState:       aws.String(i.State),
			HealthStatus:         aws.String(strings.ToUpper(i.Health)),
			ProtectedFromScaleIn: aws.Bool(i.Protected),
			LaunchTemplate:       describeInstanceTemplate(i),
			ImageId:              aws.String(i.ImageID),
			WeightedCapacity:     describeWeight(i),
		})
		setNonEmpty(&out.AutoScalingInstances[len(out.AutoScalingInstances)-1].LaunchConfigurationName, i.Configuration)
	}
	return out, nil
}

// describeInstance describes an instance as a member of its group.
func describeInstance(r store.Reader, i *store.ScalingInstance) types.Instance {
	out := types.Instance{
		InstanceId:           aws.String(i.InstanceID),
		InstanceType:         aws.String(i.Type),
		AvailabilityZone:     aws.String(i.Zone),
		AvailabilityZoneId:   zoneID(r, i.SubnetID),
		LifecycleState:       types.LifecycleState(i.State),
		HealthStatus:         aws.String(i.Health),
		ProtectedFromScaleIn: aws.Bool(i.Protected),
		LaunchTemplate:       describeInstanceTemplate(i),
		ImageId:              aws.String(i.ImageID),
		WeightedCapacity:     describeWeight(i),
	}
	setNonEmpty(&out.LaunchConfigurationName, i.Configuration)
	return out
}

// describeWeight returns an instance's units of capacity, nil if its group has no weights.
func describeWeight(i *store.ScalingInstance) *string {
	if i.Weight == 0 {
		return nil
	}
	return aws.String(strconv.Itoa(int(i.Weight)))
}

// describeInstanceTemplate returns the version of a launch template from which
// the group launched the instance, nil for an instance that was attached.
func describeInstanceTemplate(i *store.ScalingInstance) *types.LaunchTemplateSpecification {
	if i.TemplateID == "" {
		return nil
	}
	return describeTemplateRef(store.TemplateRef{ID: i.TemplateID, Name: i.TemplateName, Version: i.TemplateVersion})
}

func zoneID(r store.Reader, subnet string) *string {
	if s, ok := store.Subnets.Get(r, subnet); ok {
		return aws.String(s.ZoneID)
	}
	return nil
}
