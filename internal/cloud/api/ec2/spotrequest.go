package ec2

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

type spot = *store.SpotRequest

var spotRequests = resourceType[store.SpotRequest]{
	table: store.SpotRequests, kind: types.ResourceTypeSpotInstancesRequest, prefix: "sir-",
	notFoundCode: "InvalidSpotInstanceRequestID.NotFound", notFoundText: "The spot instance request ID",
	malformedCode: "InvalidSpotInstanceRequestID.Malformed",
	key:           func(row spot) (identity.Region, string) { return row.Region, row.ID },
	tags:          func(row spot) *store.Tags { return &row.Tags },
	filters: withTagFilters(func(row spot) store.Tags { return row.Tags }, filters[spot]{
		"spot-instance-request-id":   field(func(row spot) string { return row.ID }),
		"instance-id":                field(func(row spot) string { return row.InstanceID }),
		"availability-zone-group":    optionalField(func(row spot) string { return row.ZoneGroup }),
		"launch-group":               optionalField(func(row spot) string { return row.LaunchGroup }),
		"create-time":                field(func(row spot) string { return filterTime(row.Created) }),
		"launched-availability-zone": field(func(row spot) string { return row.Zone }),
		"product-description":        constant[spot](string(types.RIProductDescriptionLinuxUnix)),
		"spot-price":                 optionalField(func(row spot) string { return row.MaxPrice }),
		"type":                       field(func(row spot) string { return string(spotType(row)) }),
		"fault-code":                 noValue[spot],
		"fault-message":              noValue[spot],
		"valid-from":                 noValue[spot],
		"valid-until": func(_ store.Reader, row spot) []string {
			if row.ValidUntil.IsZero() {
				return nil
			}
			return []string{filterTime(row.ValidUntil)}
		},
		"state": func(r store.Reader, row spot) []string {
			state, _ := spotState(r, row)
			return []string{string(state)}
		},
		"status-code": func(r store.Reader, row spot) []string {
			_, status := spotState(r, row)
			return []string{*status.Code}
		},
		"status-message": func(r store.Reader, row spot) []string {
			_, status := spotState(r, row)
			return []string{*status.Message}
		},
		"launch.image-id":      field(func(row spot) string { return *spotLaunch(row).ImageId }),
		"launch.instance-type": field(func(row spot) string { return string(spotLaunch(row).InstanceType) }),
		"launch.key-name":      optionalField(func(row spot) string { return aws.ToString(spotLaunch(row).KeyName) }),
		"launch.kernel-id":     noValue[spot],
		"launch.ramdisk-id":    noValue[spot],
		"launch.monitoring-enabled": field(func(row spot) string {
			return strconv.FormatBool(aws.ToBool(spotLaunch(row).Monitoring.Enabled))
		}),
		"launch.group-id": func(_ store.Reader, row spot) []string {
			return list(spotLaunch(row).SecurityGroups, func(g types.GroupIdentifier) string {
				return aws.ToString(g.GroupId)
			})
		},
		"launch.group-name": func(_ store.Reader, row spot) []string {
			return list(spotLaunch(row).SecurityGroups, func(g types.GroupIdentifier) string {
				return aws.ToString(g.GroupName)
			})
		},
		"network-interface.subnet-id": field(func(row spot) string { return aws.ToString(spotLaunch(row).SubnetId) }),
	}),
}

// spotLaunch returns what was launched for a request.
func spotLaunch(row spot) *types.LaunchSpecification {
	spec := &types.LaunchSpecification{}
	if err := json.Unmarshal([]byte(row.Launch), spec); err != nil {
		return &types.LaunchSpecification{} // nothing else writes the field
	}
	return spec
}

// spotState returns the state of a request and its reason (Amazon EC2 User Guide, "Get the status of a
// Spot Instance request"). Instances are never interrupted: users alone terminate them.
func spotState(r store.Reader, row spot) (types.SpotInstanceState, *types.SpotInstanceStatus) {
	state, code, message := types.SpotInstanceStateActive, "fulfilled", "Your Spot request is fulfilled."
	at := row.Created
	if !row.CancelledAt.IsZero() {
		state, code = types.SpotInstanceStateCancelled, "request-canceled-and-instance-running"
		message, at = "Your Spot request is canceled, but the Spot Instances are still running.", row.CancelledAt
	}
	instance, ok := store.Instances.Get(r, row.InstanceID)
	isGone := !ok || instance.State == store.ShuttingDown || instance.State == store.Terminated
	switch {
	case isGone && row.CancelledAt.IsZero() && spotType(row) == types.SpotInstanceTypePersistent:
		state, code = types.SpotInstanceStateOpen, "pending-evaluation"
		message = "Your Spot request has been submitted for review, and is pending evaluation."
	case isGone:
		if row.CancelledAt.IsZero() {
			state = types.SpotInstanceStateClosed
		}
		code, message = "instance-terminated-by-user", "Spot Instance terminated due to user-initiated termination."
		if ok && !instance.TerminatedAt.IsZero() {
			at = instance.TerminatedAt
		}
	}
	return state, &types.SpotInstanceStatus{Code: &code, Message: &message, UpdateTime: &at}
}

// spotPriceItem describes a price per hour, with six decimals. It is nil without a price.
func spotPriceItem(price string) *string {
	p, err := strconv.ParseFloat(price, 64)
	if err != nil {
		return nil
	}
	return aws.String(strconv.FormatFloat(p, 'f', 6, 64))
}

func spotItem(r store.Reader) func(spot) types.SpotInstanceRequest {
	return func(row spot) types.SpotInstanceRequest {
		item := types.SpotInstanceRequest{
			SpotInstanceRequestId: aws.String(row.ID), InstanceId: aws.String(row.InstanceID),
			CreateTime: aws.Time(row.Created), SpotPrice: spotPriceItem(row.MaxPrice),
			LaunchSpecification: spotLaunch(row), LaunchedAvailabilityZone: aws.String(row.Zone),
			LaunchGroup: optionalString(row.LaunchGroup), AvailabilityZoneGroup: optionalString(row.ZoneGroup),
			ProductDescription:           types.RIProductDescriptionLinuxUnix,
			InstanceInterruptionBehavior: types.InstanceInterruptionBehaviorTerminate,
			Type:                         spotType(row), Tags: tagSet(row.Tags),
		}
		if !row.ValidUntil.IsZero() {
			item.ValidUntil = aws.Time(row.ValidUntil)
		}
		item.State, item.Status = spotState(r, row)
		return item
	}
}

// DescribeSpotInstanceRequests lists requests for Spot Instances.
func (a *API) DescribeSpotInstanceRequests(
	ctx context.Context, in *ec2.DescribeSpotInstanceRequestsInput,
) (*ec2.DescribeSpotInstanceRequestsOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	rows, next, err := spotRequests.describe(view, region, describeQuery{
		ids: in.SpotInstanceRequestIds, idParameter: "spotInstanceRequestIds", filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
	})
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeSpotInstanceRequestsOutput{
		SpotInstanceRequests: list(rows, spotItem(view)), NextToken: next,
	}, nil
}

// spotParameters are the parameters of RequestSpotInstances that the local cloud supports. A launch
// specification has those that RunInstances supports. No instance is interrupted.
var spotParameters = []string{
	"DryRun", "ClientToken", "SpotPrice", "InstanceCount", "Type=one-time", "Type=persistent",
	"InstanceInterruptionBehavior=terminate",
	"LaunchGroup", "AvailabilityZoneGroup", "ValidFrom", "ValidUntil", "TagSpecifications",
	"LaunchSpecification.EbsOptimized", "LaunchSpecification.IamInstanceProfile.Arn",
	"LaunchSpecification.IamInstanceProfile.Name", "LaunchSpecification.ImageId", "LaunchSpecification.InstanceType",
	"LaunchSpecification.KeyName", "LaunchSpecification.Monitoring.Enabled",
	"LaunchSpecification.Placement.AvailabilityZone", "LaunchSpecification.Placement.GroupName",
	"LaunchSpecification.Placement.Tenancy=default", "LaunchSpecification.Placement.Tenancy=dedicated",
	"LaunchSpecification.SecurityGroupIds", "LaunchSpecification.SecurityGroups", "LaunchSpecification.SubnetId",
	"LaunchSpecification.UserData", "LaunchSpecification.BlockDeviceMappings.DeviceName",
	"LaunchSpecification.BlockDeviceMappings.Ebs.DeleteOnTermination",
	"LaunchSpecification.BlockDeviceMappings.Ebs.Encrypted", "LaunchSpecification.BlockDeviceMappings.Ebs.Iops",
	"LaunchSpecification.BlockDeviceMappings.Ebs.KmsKeyId", "LaunchSpecification.BlockDeviceMappings.Ebs.SnapshotId",
	"LaunchSpecification.BlockDeviceMappings.Ebs.Throughput",
	"LaunchSpecification.BlockDeviceMappings.Ebs.VolumeSize",
	"LaunchSpecification.BlockDeviceMappings.Ebs.VolumeType", "LaunchSpecification.BlockDeviceMappings.NoDevice",
	"LaunchSpecification.BlockDeviceMappings.VirtualName",
	"LaunchSpecification.NetworkInterfaces.AssociatePublicIpAddress",
	"LaunchSpecification.NetworkInterfaces.DeleteOnTermination", "LaunchSpecification.NetworkInterfaces.Description",
	"LaunchSpecification.NetworkInterfaces.DeviceIndex", "LaunchSpecification.NetworkInterfaces.Groups",
	"LaunchSpecification.NetworkInterfaces.Ipv6AddressCount",
	"LaunchSpecification.NetworkInterfaces.Ipv6Addresses.Ipv6Address",
	"LaunchSpecification.NetworkInterfaces.NetworkInterfaceId", "LaunchSpecification.NetworkInterfaces.PrimaryIpv6",
	"LaunchSpecification.NetworkInterfaces.PrivateIpAddress",
	"LaunchSpecification.NetworkInterfaces.PrivateIpAddresses.Primary",
	"LaunchSpecification.NetworkInterfaces.PrivateIpAddresses.PrivateIpAddress",
	"LaunchSpecification.NetworkInterfaces.SecondaryPrivateIpAddressCount",
	"LaunchSpecification.NetworkInterfaces.SubnetId",
}

// RequestSpotInstances launches Spot Instances, each for a request of its own, or none. There is
// always capacity, so the requests are fulfilled at once.
func (a *API) RequestSpotInstances(
	ctx context.Context, in *ec2.RequestSpotInstancesInput,
) (*ec2.RequestSpotInstancesOutput, error) {
	if err := supportOnly(in, spotParameters...); err != nil {
		return nil, err
	}
	if in.LaunchSpecification == nil {
		return nil, missingParameter("LaunchSpecification")
	}
	if _, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeSpotInstancesRequest); err != nil {
		return nil, err
	}
	now := a.Now()
	switch {
	case in.ValidFrom != nil && in.ValidFrom.After(now):
		return nil, unsupported(map[string]bool{"validFrom in the future": true})
	case in.ValidUntil != nil && !in.ValidUntil.After(now):
		return nil, invalidValue("validUntil", in.ValidUntil.UTC().Format(timeFormat), "The time is in the past.")
	}
	run := spotInput(in)
	out := &ec2.RequestSpotInstancesOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		q := tokenRequest{"RequestSpotInstances", in.ClientToken, in, rowExists(tx, store.SpotRequests)}
		ids, err := a.oncePerToken(tx, region, q, func() ([]string, error) {
			return a.requestSpot(ctx, tx, region, in, run)
		})
		for _, id := range ids {
			row, _ := store.SpotRequests.Get(tx, id)
			out.SpotInstanceRequests = append(out.SpotInstanceRequests, spotItem(tx)(row))
		}
		return err
	})
}

// spotInput returns the launch of a request.
func spotInput(in *ec2.RequestSpotInstancesInput) *ec2.RunInstancesInput {
	count := in.InstanceCount
	if count == nil {
		count = aws.Int32(1)
	}
	spec := in.LaunchSpecification
	run := &ec2.RunInstancesInput{
		MinCount: count, MaxCount: count, BlockDeviceMappings: spec.BlockDeviceMappings,
		EbsOptimized: spec.EbsOptimized, IamInstanceProfile: spec.IamInstanceProfile, ImageId: spec.ImageId,
		InstanceType: spec.InstanceType, KeyName: spec.KeyName, Monitoring: spec.Monitoring,
		NetworkInterfaces: spec.NetworkInterfaces, SecurityGroupIds: spec.SecurityGroupIds,
		SecurityGroups: spec.SecurityGroups, SubnetId: spec.SubnetId, UserData: spec.UserData,
		TagSpecifications: in.TagSpecifications,
		InstanceMarketOptions: &types.InstanceMarketOptionsRequest{
			MarketType: types.MarketTypeSpot, SpotOptions: &types.SpotMarketOptions{MaxPrice: in.SpotPrice},
		},
	}
	if p := spec.Placement; p != nil {
		run.Placement = &types.Placement{
			AvailabilityZone: p.AvailabilityZone, GroupName: p.GroupName, Tenancy: p.Tenancy,
		}
	}
	return run
}

// requestSpot launches the instances of requests and returns the ids of the requests.
func (a *API) requestSpot(
	ctx context.Context, tx *store.Tx, region identity.Region, in *ec2.RequestSpotInstancesInput,
	run *ec2.RunInstancesInput,
) ([]string, error) {
	launched, err := a.launchOnce(ctx, tx, region, launchRequest{in: run, identity: run})
	if err != nil {
		return nil, err
	}
	again, err := spotAgain(in, run)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, id := range launched {
		instance, _ := store.Instances.Get(tx, id)
		ids = append(ids, instance.SpotRequestID)
		store.SpotRequests.Edit(tx, instance.SpotRequestID, func(row *store.SpotRequest) {
			row.Again = again
			row.LaunchGroup, row.ZoneGroup = aws.ToString(in.LaunchGroup), aws.ToString(in.AvailabilityZoneGroup)
			if in.ValidUntil != nil {
				row.ValidUntil = in.ValidUntil.UTC()
			}
		})
	}
	return ids, nil
}

// CancelSpotInstanceRequests cancels requests. Their instances keep running.
func (a *API) CancelSpotInstanceRequests(
	ctx context.Context, in *ec2.CancelSpotInstanceRequestsInput,
) (*ec2.CancelSpotInstanceRequestsOutput, error) {
	if len(in.SpotInstanceRequestIds) == 0 {
		return nil, missingParameter("SpotInstanceRequestId")
	}
	out := &ec2.CancelSpotInstanceRequestsOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		rows, err := spotRequests.find(tx, region, in.SpotInstanceRequestIds)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if state, _ := spotState(tx, row); isUncancelled(state) {
				store.SpotRequests.Edit(tx, row.ID, func(row *store.SpotRequest) { row.CancelledAt = a.Now().UTC() })
			}
			after, _ := store.SpotRequests.Get(tx, row.ID)
			state, _ := spotState(tx, after)
			out.CancelledSpotInstanceRequests = append(
				out.CancelledSpotInstanceRequests, types.CancelledSpotInstanceRequest{
					SpotInstanceRequestId: aws.String(row.ID), State: types.CancelSpotInstanceRequestState(state),
				},
			)
		}
		return nil
	})
}
