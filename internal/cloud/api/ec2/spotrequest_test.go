package ec2

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// spotLaunchOne returns a request to launch a Spot Instance.
func spotLaunchOne(image string) *ec2.RunInstancesInput {
	in := launchOne(image)
	in.InstanceMarketOptions = &types.InstanceMarketOptionsRequest{
		MarketType: types.MarketTypeSpot, SpotOptions: &types.SpotMarketOptions{MaxPrice: aws.String("0.05")},
	}
	in.TagSpecifications = specification(types.ResourceTypeSpotInstancesRequest, "Name", "web")
	return in
}

// spotRequest returns a request as it is described.
func (r *remote) spotRequest(id string) types.SpotInstanceRequest {
	r.t.Helper()
	in := &ec2.DescribeSpotInstanceRequestsInput{SpotInstanceRequestIds: []string{id}}
	return doRemote(r, r.DescribeSpotInstanceRequests, in).SpotInstanceRequests[0]
}

func TestSpotInstanceFulfilsARequest(t *testing.T) {
	r := newRemote(t)
	image := r.cloud.availableImage()
	vm := doRemote(r, r.RunInstances, spotLaunchOne(image)).Instances[0]
	if vm.InstanceLifecycle != types.InstanceLifecycleTypeSpot || vm.SpotInstanceRequestId == nil {
		t.Fatalf("instance %+v", vm)
	}
	found := doRemote(r, r.DescribeInstances, &ec2.DescribeInstancesInput{Filters: []types.Filter{
		filter("instance-lifecycle", "spot"), filter("spot-instance-request-id", *vm.SpotInstanceRequestId),
	}})
	if len(found.Reservations) != 1 {
		t.Errorf("found %+v", found.Reservations)
	}
	request := r.spotRequest(*vm.SpotInstanceRequestId)
	if request.State != types.SpotInstanceStateActive || *request.Status.Code != "fulfilled" ||
		*request.InstanceId != *vm.InstanceId || *request.SpotPrice != "0.050000" || len(request.Tags) != 1 ||
		*request.LaunchSpecification.ImageId != image {
		t.Errorf("request %+v", request)
	}
	wantFilters(r, spotRequests.filters, map[string]string{
		"spot-instance-request-id": *request.SpotInstanceRequestId, "instance-id": *vm.InstanceId,
		"availability-zone-group": "", "launch-group": "", "create-time": filterTime(*request.CreateTime),
		"launched-availability-zone": *vm.Placement.AvailabilityZone, "product-description": "Linux/UNIX",
		"spot-price": "0.05", "type": "one-time", "fault-code": "", "fault-message": "", "valid-from": "",
		"valid-until": "", "state": "active", "status-code": "fulfilled",
		"status-message": "Your Spot request is fulfilled.", "launch.image-id": image,
		"launch.instance-type": string(vm.InstanceType), "launch.key-name": "", "launch.kernel-id": "",
		"launch.ramdisk-id": "", "launch.monitoring-enabled": "false", "launch.group-id": *vm.SecurityGroups[0].GroupId,
		"launch.group-name": "default", "network-interface.subnet-id": *vm.SubnetId,
	}, *request.SpotInstanceRequestId, func(by types.Filter) []string {
		in := &ec2.DescribeSpotInstanceRequestsInput{Filters: []types.Filter{by}}
		out := doRemote(r, r.DescribeSpotInstanceRequests, in)
		return list(out.SpotInstanceRequests, func(i types.SpotInstanceRequest) string {
			return *i.SpotInstanceRequestId
		})
	})
	r.cloud.observe(*vm.InstanceId, store.Running)
	ids := []string{*vm.InstanceId}
	wantRemoteError(r, r.ModifyInstanceAttribute, &ec2.ModifyInstanceAttributeInput{
		InstanceId:                        vm.InstanceId,
		InstanceInitiatedShutdownBehavior: &types.AttributeValue{Value: aws.String("stop")},
	}, "UnsupportedOperation:")
	wantRemoteError(r, r.StopInstances, &ec2.StopInstancesInput{InstanceIds: ids}, "UnsupportedOperation:")
	doRemote(r, r.TerminateInstances, &ec2.TerminateInstancesInput{InstanceIds: ids})
	if closed := r.spotRequest(*vm.SpotInstanceRequestId); closed.State != types.SpotInstanceStateClosed ||
		*closed.Status.Code != "instance-terminated-by-user" {
		t.Errorf("after the termination, the request is %+v", closed)
	}
}

func TestRequestedSpotInstancesOutliveTheirRequests(t *testing.T) {
	r := newRemote(t)
	in := &ec2.RequestSpotInstancesInput{
		InstanceCount: aws.Int32(2), SpotPrice: aws.String("0.1"), LaunchGroup: aws.String("group"),
		ClientToken: aws.String("token"), ValidUntil: aws.Time(r.cloud.Now().Add(time.Hour)),
		LaunchSpecification: &types.RequestSpotLaunchSpecification{
			ImageId: aws.String(r.cloud.availableImage()), InstanceType: types.InstanceTypeT3Micro,
		},
		TagSpecifications: specification(types.ResourceTypeSpotInstancesRequest, "Name", "web"),
	}
	made := doRemote(r, r.RequestSpotInstances, in).SpotInstanceRequests
	if len(made) != 2 || *made[0].LaunchGroup != "group" || made[0].ValidUntil == nil || len(made[0].Tags) != 1 {
		t.Fatalf("requests %+v", made)
	}
	if again := doRemote(r, r.RequestSpotInstances, in).SpotInstanceRequests; len(again) != 2 ||
		*again[0].SpotInstanceRequestId != *made[0].SpotInstanceRequestId {
		t.Errorf("the same token made %+v", again)
	}
	cancelled := doRemote(r, r.CancelSpotInstanceRequests, &ec2.CancelSpotInstanceRequestsInput{
		SpotInstanceRequestIds: []string{*made[0].SpotInstanceRequestId},
	}).CancelledSpotInstanceRequests
	if len(cancelled) != 1 || cancelled[0].State != types.CancelSpotInstanceRequestStateCancelled {
		t.Errorf("cancelled %+v", cancelled)
	}
	if request := r.spotRequest(*made[0].SpotInstanceRequestId); request.State != types.SpotInstanceStateCancelled ||
		*request.Status.Code != "request-canceled-and-instance-running" {
		t.Errorf("cancelled request %+v", request)
	}
	row, _ := store.Instances.Get(r.cloud.Store.View(), *made[0].InstanceId)
	if row.Desired != store.Running {
		t.Errorf("the instance of a cancelled request is %+v", row)
	}
}

func TestSpotRequestsAreValidated(t *testing.T) {
	r := newRemote(t)
	image := r.cloud.availableImage()
	const unsupported = "UnsupportedOperation: aloft's local cloud does not support the parameter "
	for want, change := range map[string]func(*ec2.RunInstancesInput){
		"MissingParameter: The request must contain the parameter InstanceMarketOptions.MarketType": func(
			in *ec2.RunInstancesInput,
		) {
			in.InstanceMarketOptions.MarketType = ""
		},
		"InvalidParameterValue: Value (free) for parameter spotPrice is invalid. It is not a price above zero.": func(
			in *ec2.RunInstancesInput,
		) {
			in.InstanceMarketOptions.SpotOptions.MaxPrice = aws.String("free")
		},
		unsupported + "instanceMarketOptions.spotOptions.spotInstanceType": func(in *ec2.RunInstancesInput) {
			in.InstanceMarketOptions.SpotOptions.SpotInstanceType = types.SpotInstanceTypePersistent
		},
		unsupported + "instanceInitiatedShutdownBehavior=stop of Spot Instances": func(in *ec2.RunInstancesInput) {
			in.InstanceInitiatedShutdownBehavior = types.ShutdownBehaviorStop
		},
		"InvalidParameterValue:": func(in *ec2.RunInstancesInput) { in.InstanceMarketOptions = nil }, // its tags
	} {
		in := spotLaunchOne(image)
		change(in)
		wantRemoteError(r, r.RunInstances, in, want)
	}
	for want, change := range map[string]func(*ec2.RequestSpotInstancesInput){
		"MissingParameter: The request must contain the parameter LaunchSpecification": func(
			in *ec2.RequestSpotInstancesInput,
		) {
			in.LaunchSpecification = nil
		},
		unsupported + "type": func(in *ec2.RequestSpotInstancesInput) { in.Type = "other" },
		unsupported + "validFrom in the future": func(in *ec2.RequestSpotInstancesInput) {
			in.ValidFrom = aws.Time(r.cloud.Now().Add(time.Hour))
		},
		"InvalidParameterValue:": func(in *ec2.RequestSpotInstancesInput) {
			in.ValidUntil = aws.Time(r.cloud.Now().Add(-time.Hour))
		},
		dryRun: func(in *ec2.RequestSpotInstancesInput) { in.DryRun = aws.Bool(true) },
	} {
		in := &ec2.RequestSpotInstancesInput{
			LaunchSpecification: &types.RequestSpotLaunchSpecification{ImageId: &image},
		}
		change(in)
		wantRemoteError(r, r.RequestSpotInstances, in, want)
	}
	wantRemoteError(r, r.CancelSpotInstanceRequests, &ec2.CancelSpotInstanceRequestsInput{
		SpotInstanceRequestIds: []string{"sir-0123456789abcdef0"},
	}, "InvalidSpotInstanceRequestID.NotFound: The spot instance request ID 'sir-0123456789abcdef0' does not exist")
}
