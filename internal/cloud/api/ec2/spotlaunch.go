package ec2

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/servicerole"
	"aloft.dev/aloft/internal/cloud/store"
)

// isSpot reports whether a launch is of Spot Instances.
func isSpot(in *ec2.RunInstancesInput) bool {
	return in.InstanceMarketOptions != nil && in.InstanceMarketOptions.MarketType == types.MarketTypeSpot
}

// checkShutdown refuses Spot Instances that stop when they shut down. Those of one-time requests
// terminate.
func checkShutdown(spot bool, behavior *types.AttributeValue) error {
	stops := behavior != nil && aws.ToString(behavior.Value) == string(types.ShutdownBehaviorStop)
	return unsupported(map[string]bool{
		"instanceInitiatedShutdownBehavior=stop of Spot Instances": spot && stops,
	})
}

// checkMarket refuses market options without a market, an invalid price, and a shutdown behavior that
// Spot Instances do not support.
func checkMarket(in *ec2.RunInstancesInput) error {
	o := in.InstanceMarketOptions
	if o == nil {
		return nil
	}
	if o.MarketType == "" {
		return missingParameter("InstanceMarketOptions.MarketType")
	}
	behavior := types.AttributeValue{Value: aws.String(string(in.InstanceInitiatedShutdownBehavior))}
	if err := checkShutdown(true, &behavior); err != nil {
		return err
	}
	if o.SpotOptions == nil {
		return nil
	}
	return checkSpotPrice(o.SpotOptions.MaxPrice)
}

// checkSpotPrice refuses a price that is not a positive number.
func checkSpotPrice(price *string) error {
	if price == nil {
		return nil
	}
	if p, err := strconv.ParseFloat(*price, 64); err != nil || !(p > 0) {
		return invalidValue("spotPrice", *price, "It is not a price above zero.")
	}
	return nil
}

// addSpotRequest stores the request for Spot Instances that an instance fulfils. It is listed as long
// as the instance.
func (a *API) addSpotRequest(tx *store.Tx, l *launch, instance *store.Instance) error {
	text, err := json.Marshal(spotLaunchOf(tx, l, instance))
	if err != nil {
		return fmt.Errorf("encode the launch of a Spot Instance: %w", err)
	}
	row := &store.SpotRequest{
		ID: a.ids.ID(spotRequests.prefix), Region: instance.Region, InstanceID: instance.ID, Zone: instance.Zone,
		Launch: string(text), Created: instance.LaunchTime, Tags: l.tags[types.ResourceTypeSpotInstancesRequest],
	}
	if o := l.in.InstanceMarketOptions.SpotOptions; o != nil {
		row.MaxPrice = aws.ToString(o.MaxPrice)
	}
	servicerole.Ensure(tx, a.ids, row.Region, servicerole.Spot, row.Created)
	store.SpotRequests.Put(tx, row)
	instance.SpotRequestID, instance.ShutdownBehavior = row.ID, string(types.ShutdownBehaviorTerminate)
	return nil
}

// spotLaunchOf returns what was launched for a request.
func spotLaunchOf(r store.Reader, l *launch, instance *store.Instance) types.LaunchSpecification {
	spec := types.LaunchSpecification{
		ImageId: aws.String(instance.ImageID), InstanceType: types.InstanceType(instance.Type),
		KeyName: optionalString(instance.KeyName), UserData: optionalString(instance.UserData),
		SubnetId: aws.String(instance.SubnetID), EbsOptimized: aws.Bool(instance.EBSOptimized),
		Monitoring:          &types.RunInstancesMonitoringEnabled{Enabled: aws.Bool(instance.Monitoring)},
		Placement:           &types.SpotPlacement{AvailabilityZone: aws.String(instance.Zone)},
		BlockDeviceMappings: l.in.BlockDeviceMappings,
		IamInstanceProfile:  l.in.IamInstanceProfile,
		NetworkInterfaces:   l.in.NetworkInterfaces,
	}
	if eni, ok := store.NetworkInterfaces.Get(r, instance.InterfaceIDs[0]); ok {
		spec.SecurityGroups = networkInterfaceItem(r)(eni).Groups
	}
	return spec
}

// lifecycleOf returns how an instance was bought: "" stands for On-Demand.
func lifecycleOf(row vm) types.InstanceLifecycleType {
	if row.SpotRequestID != "" {
		return types.InstanceLifecycleTypeSpot
	}
	return ""
}
