package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/wire"
)

// DescribeSpotPriceHistory lists prices of Spot Instances, which the local cloud does not offer.
func (a *API) DescribeSpotPriceHistory(
	ctx context.Context, in *ec2.DescribeSpotPriceHistoryInput,
) (*ec2.DescribeSpotPriceHistoryOutput, error) {
	out := &ec2.DescribeSpotPriceHistoryOutput{SpotPriceHistory: []types.SpotPrice{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, filters: in.Filters, page: pageRequest{in.MaxResults, in.NextToken},
	})
}

// DescribeReservedInstancesOfferings lists offerings of Reserved Instances.
func (a *API) DescribeReservedInstancesOfferings(
	ctx context.Context, in *ec2.DescribeReservedInstancesOfferingsInput,
) (*ec2.DescribeReservedInstancesOfferingsOutput, error) {
	out := &ec2.DescribeReservedInstancesOfferingsOutput{
		ReservedInstancesOfferings: []types.ReservedInstancesOffering{},
	}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.ReservedInstancesOfferingIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidReservedInstancesOfferingId", text: "The reserved instances offering ID",
	})
}

// DescribeReservedInstancesModifications lists modifications of Reserved Instances.
func (a *API) DescribeReservedInstancesModifications(
	ctx context.Context, in *ec2.DescribeReservedInstancesModificationsInput,
) (*ec2.DescribeReservedInstancesModificationsOutput, error) {
	out := &ec2.DescribeReservedInstancesModificationsOutput{
		ReservedInstancesModifications: []types.ReservedInstancesModification{},
	}
	return out, a.none(ctx, absent{
		ids: in.ReservedInstancesModificationIds, filters: in.Filters, page: pageRequest{token: in.NextToken},
		code: "InvalidReservedInstancesModificationId", text: "The reserved instances modification ID",
	})
}

// DescribeReservedInstancesListings lists listings of Reserved Instances.
func (a *API) DescribeReservedInstancesListings(
	ctx context.Context, in *ec2.DescribeReservedInstancesListingsInput,
) (*ec2.DescribeReservedInstancesListingsOutput, error) {
	out := &ec2.DescribeReservedInstancesListingsOutput{ReservedInstancesListings: []types.ReservedInstancesListing{}}
	return out, a.none(ctx, absent{
		ids: oneID(in.ReservedInstancesListingId), filters: in.Filters,
		code: "InvalidReservedInstancesListingId", text: "The reserved instances listing ID",
	})
}

// DescribeScheduledInstances lists Scheduled Instances.
func (a *API) DescribeScheduledInstances(
	ctx context.Context, in *ec2.DescribeScheduledInstancesInput,
) (*ec2.DescribeScheduledInstancesOutput, error) {
	out := &ec2.DescribeScheduledInstancesOutput{ScheduledInstanceSet: []types.ScheduledInstance{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.ScheduledInstanceIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidScheduledInstance", text: "The scheduled instance ID",
	})
}

// DescribeHostReservationOfferings lists offerings of reservations of Dedicated Hosts.
func (a *API) DescribeHostReservationOfferings(
	ctx context.Context, in *ec2.DescribeHostReservationOfferingsInput,
) (*ec2.DescribeHostReservationOfferingsOutput, error) {
	out := &ec2.DescribeHostReservationOfferingsOutput{OfferingSet: []types.HostOffering{}}
	return out, a.none(ctx, absent{
		ids: oneID(in.OfferingId), filters: in.Filter, page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidHostReservationOfferingId.NotFound", text: "The host reservation offering ID",
	})
}

// DescribeMacHosts lists Mac Dedicated Hosts.
func (a *API) DescribeMacHosts(
	ctx context.Context, in *ec2.DescribeMacHostsInput,
) (*ec2.DescribeMacHostsOutput, error) {
	out := &ec2.DescribeMacHostsOutput{MacHosts: []types.MacHost{}}
	return out, a.none(ctx, absent{
		ids: in.HostIds, filters: in.Filters, page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidHostID.NotFound", text: "The host ID",
	})
}

// DescribeElasticGpus lists Elastic Graphics accelerators, which AWS has retired.
func (a *API) DescribeElasticGpus(
	ctx context.Context, in *ec2.DescribeElasticGpusInput,
) (*ec2.DescribeElasticGpusOutput, error) {
	out := &ec2.DescribeElasticGpusOutput{ElasticGpuSet: []types.ElasticGpus{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.ElasticGpuIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidElasticGpuID.NotFound", text: "The elastic GPU ID",
	})
}

// DescribeFpgaImages lists FPGA images.
func (a *API) DescribeFpgaImages(
	ctx context.Context, in *ec2.DescribeFpgaImagesInput,
) (*ec2.DescribeFpgaImagesOutput, error) {
	out := &ec2.DescribeFpgaImagesOutput{FpgaImages: []types.FpgaImage{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.FpgaImageIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidFpgaImageID.NotFound", text: "The fpgaImage ID",
	})
}

// DescribePrincipalIdFormat lists principals with longer-ID settings of their own.
func (a *API) DescribePrincipalIdFormat(
	ctx context.Context, in *ec2.DescribePrincipalIdFormatInput,
) (*ec2.DescribePrincipalIdFormatOutput, error) {
	out := &ec2.DescribePrincipalIdFormatOutput{Principals: []types.PrincipalIdFormat{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, page: pageRequest{in.MaxResults, in.NextToken},
	})
}

// DescribeLockedSnapshots lists snapshots with a lock.
func (a *API) DescribeLockedSnapshots(
	ctx context.Context, in *ec2.DescribeLockedSnapshotsInput,
) (*ec2.DescribeLockedSnapshotsOutput, error) {
	out := &ec2.DescribeLockedSnapshotsOutput{Snapshots: []types.LockedSnapshotsInfo{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.SnapshotIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidSnapshot.NotFound", text: "The locked snapshot",
	})
}

// ListSnapshotsInRecycleBin lists snapshots in the Recycle Bin.
func (a *API) ListSnapshotsInRecycleBin(
	ctx context.Context, in *ec2.ListSnapshotsInRecycleBinInput,
) (*ec2.ListSnapshotsInRecycleBinOutput, error) {
	out := &ec2.ListSnapshotsInRecycleBinOutput{Snapshots: []types.SnapshotRecycleBinInfo{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.SnapshotIds, page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidSnapshot.NotFound", text: "The snapshot",
	})
}

// ListImagesInRecycleBin lists images in the Recycle Bin.
func (a *API) ListImagesInRecycleBin(
	ctx context.Context, in *ec2.ListImagesInRecycleBinInput,
) (*ec2.ListImagesInRecycleBinOutput, error) {
	out := &ec2.ListImagesInRecycleBinOutput{Images: []types.ImageRecycleBinInfo{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.ImageIds, page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidAMIID.NotFound", text: "The image id",
	})
}

// ListVolumesInRecycleBin lists volumes in the Recycle Bin.
func (a *API) ListVolumesInRecycleBin(
	ctx context.Context, in *ec2.ListVolumesInRecycleBinInput,
) (*ec2.ListVolumesInRecycleBinOutput, error) {
	out := &ec2.ListVolumesInRecycleBinOutput{Volumes: []types.VolumeRecycleBinInfo{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.VolumeIds, page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidVolume.NotFound", text: "The volume",
	})
}

// DescribeStoreImageTasks lists tasks that store images in S3.
func (a *API) DescribeStoreImageTasks(
	ctx context.Context, in *ec2.DescribeStoreImageTasksInput,
) (*ec2.DescribeStoreImageTasksOutput, error) {
	out := &ec2.DescribeStoreImageTasksOutput{StoreImageTaskResults: []types.StoreImageTaskResult{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.ImageIds, filters: in.Filters, page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidAMIID.NotFound", text: "The image id",
	})
}

// DescribeFastLaunchImages lists Windows images that launch faster.
func (a *API) DescribeFastLaunchImages(
	ctx context.Context, in *ec2.DescribeFastLaunchImagesInput,
) (*ec2.DescribeFastLaunchImagesOutput, error) {
	out := &ec2.DescribeFastLaunchImagesOutput{FastLaunchImages: []types.DescribeFastLaunchImagesSuccessItem{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.ImageIds, filters: in.Filters, page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidAMIID.NotFound", text: "The image id",
	})
}

// DescribeSpotDatafeedSubscription reports that the account has no data feed.
func (a *API) DescribeSpotDatafeedSubscription(
	ctx context.Context, in *ec2.DescribeSpotDatafeedSubscriptionInput,
) (*ec2.DescribeSpotDatafeedSubscriptionOutput, error) {
	if _, _, err := a.read(ctx, in.DryRun); err != nil {
		return nil, err
	}
	return nil, wire.Errorf("InvalidSpotDatafeed.NotFound", "Spot datafeed subscription does not exist.")
}

// oneID returns the ids of a question that can name one.
func oneID(id *string) []string {
	if aws.ToString(id) == "" {
		return nil
	}
	return []string{*id}
}
