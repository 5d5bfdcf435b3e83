package autoscaling

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/store"
)

// configurationLike returns the launch configuration that a new group like an instance gets: it has
// the group's name and the instance's attributes (Amazon EC2 Auto Scaling API Reference,
// CreateAutoScalingGroup). It returns nil if the request names no instance.
func (a *API) configurationLike(
	ctx context.Context, r store.Reader, g *store.ScalingGroup, instanceID *string,
) (*store.LaunchConfiguration, error) {
	if instanceID == nil {
		return nil, nil
	}
	if i, ok := store.Instances.Get(r, *instanceID); !ok || i.Region != g.Region {
		return nil, invalid("Instance [%s] is invalid.", *instanceID)
	}
	return a.newConfiguration(ctx, g.Region, &autoscaling.CreateLaunchConfigurationInput{
		LaunchConfigurationName: &g.Name, InstanceId: instanceID,
	})
}

// subnetsLike returns the subnets of a request, or those of the instance that it names, if it names
// neither subnets nor zones.
func subnetsLike(r store.Reader, in *autoscaling.CreateAutoScalingGroupInput) *string {
	if in.InstanceId == nil || in.VPCZoneIdentifier != nil ||
		len(in.AvailabilityZones) > 0 || len(in.AvailabilityZoneIds) > 0 {
		return in.VPCZoneIdentifier
	}
	if i, ok := store.Instances.Get(r, *in.InstanceId); ok && len(i.InterfaceIDs) > 0 {
		if eni, ok := store.NetworkInterfaces.Get(r, i.InterfaceIDs[0]); ok {
			return &eni.SubnetID
		}
	}
	return nil
}
