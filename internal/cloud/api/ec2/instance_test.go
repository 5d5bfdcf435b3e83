package ec2

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
)

const noInstance = "i-0123456789abcdef0"

func instanceIDs(out *ec2.DescribeInstancesOutput) []string {
	var ids []string
	for _, reservation := range out.Reservations {
		ids = append(ids, list(reservation.Instances, func(i types.Instance) string { return *i.InstanceId })...)
	}
	return ids
}

// launchWeb launches an instance with a value for every filter.
func (r *remote) launchWeb() (types.Instance, types.NetworkInterface) {
	r.t.Helper()
	key := doRemote(r, r.CreateKeyPair, &ec2.CreateKeyPairInput{KeyName: aws.String("key")})
	in := launchOne(r.cloud.availableImage())
	in.KeyName, in.ClientToken, in.Monitoring = key.KeyName, aws.String("token"), &types.RunInstancesMonitoringEnabled{
		Enabled: aws.Bool(true),
	}
	in.NetworkInterfaces = []types.InstanceNetworkInterfaceSpecification{
		{DeviceIndex: aws.Int32(0), Description: aws.String("front"), AssociatePublicIpAddress: aws.Bool(true)},
	}
	in.MetadataOptions = &types.InstanceMetadataOptionsRequest{
		HttpTokens:              types.HttpTokensStateRequired,
		HttpPutResponseHopLimit: aws.Int32(2),
	}
	in.IamInstanceProfile = &types.IamInstanceProfileSpecification{Name: aws.String(r.cloud.profile("web"))}
	doRemote(r, r.CreatePlacementGroup, &ec2.CreatePlacementGroupInput{
		GroupName: aws.String("parts"), Strategy: types.PlacementStrategyPartition, PartitionCount: aws.Int32(3),
	})
	in.Placement = &types.Placement{GroupName: aws.String("parts"), PartitionNumber: aws.Int32(2)}
	in.TagSpecifications = append(
		specification(types.ResourceTypeInstance, "Name", "web"),
		specification(types.ResourceTypeNetworkInterface, "Name", "web")...)
	item := doRemote(r, r.RunInstances, in).Instances[0]
	eni := doRemote(r, r.DescribeNetworkInterfaces, &ec2.DescribeNetworkInterfacesInput{
		NetworkInterfaceIds: []string{*item.NetworkInterfaces[0].NetworkInterfaceId},
	}).NetworkInterfaces[0]
	return item, eni
}

func TestInstancesAreFoundByEveryFilter(t *testing.T) {
	r := newRemote(t)
	item, eni := r.launchWeb()
	id := *item.InstanceId
	doRemote(r, r.StopInstances, &ec2.StopInstancesInput{InstanceIds: []string{id}})
	reservation := doRemote(r, r.DescribeInstances, &ec2.DescribeInstancesInput{}).Reservations[0]
	item = reservation.Instances[0]
	values := map[string]string{
		"affinity": "", "requester-id": "", "operator.principal": "", "ipv6-address": "",
		"metadata-options.state": "applied", "metadata-options.http-protocol-ipv4": "enabled",
		"network-interface.attachment.network-card-index":           "0",
		"network-interface.public-dns-name":                         *item.PublicDnsName,
		"network-interface.ipv6-address":                            "",
		"network-interface.ipv6-native":                             "",
		"network-interface.ipv6-prefixes.ipv6-prefix":               "",
		"network-interface.ipv4-prefixes.ipv4-prefix":               "",
		"network-interface.ipv6-addresses.is-primary-ipv6":          "",
		"network-interface.deny-all-igw-traffic":                    "",
		"network-interface.addresses.association.carrier-ip":        "",
		"network-interface.addresses.association.customer-owned-ip": "",
		"instance-id": id, "instance-state-name": "stopping", "instance-state-code": "64", "instance-type": "t3.micro",
		"image-id": *item.ImageId, "key-name": "key",
		"availability-zone-id": *eni.AvailabilityZoneId, "vpc-id": *item.VpcId, "subnet-id": *item.SubnetId,
		"availability-zone": *item.Placement.AvailabilityZone, "reservation-id": *reservation.ReservationId,
		"client-token": "token", "owner-id": identity.Account, "architecture": "x86_64", "root-device-type": "ebs",
		"virtualization-type": "hvm",
		"private-ip-address":  *item.PrivateIpAddress, "instance.group-id": *item.SecurityGroups[0].GroupId,
		"group-id":            *item.SecurityGroups[0].GroupId,
		"instance.group-name": "default", "group-name": "default", "ip-address": *item.PublicIpAddress,
		"dns-name":         *item.PublicDnsName,
		"private-dns-name": *item.PrivateDnsName, "launch-index": "0", "launch-time": "2026-11-23T12:00:00.000Z",
		"hypervisor": "xen", "tenancy": "default",
		"placement-group-name": "parts", "placement-partition-number": "2",
		"current-instance-boot-mode": "legacy-bios", "boot-mode": "", "tpm-support": "", "capacity-reservation-id": "",
		"capacity-reservation-specification.capacity-reservation-preference": "open",
		"enclave-options.enabled":                                       "false",
		"hibernation-options.configured":                                "false",
		"maintenance-options.auto-recovery":                             "default",
		"metadata-options.http-protocol-ipv6":                           "disabled",
		"network-performance-options.bandwidth-weighting":               "default",
		"operator.managed":                                              "false",
		"private-dns-name-options.enable-resource-name-dns-a-record":    "false",
		"private-dns-name-options.enable-resource-name-dns-aaaa-record": "false",
		"private-dns-name-options.hostname-type":                        "ip-name",
		"platform-details":                                              "Linux/UNIX",
		"usage-operation":                                               "RunInstances",
		"usage-operation-update-time":                                   "2026-11-23T12:00:00.000Z",
		"outpost-arn":                                                   "", "host-id": "", "kernel-id": "",
		"ramdisk-id": "", "product-code": "", "product-code.type": "", "spot-instance-request-id": "",
		"root-device-name": *item.RootDeviceName, "ena-support": "true", "platform": "", "instance-lifecycle": "",
		"ebs-optimized":     "false",
		"source-dest-check": "true", "monitoring-state": "enabled", "reason": *item.StateTransitionReason,
		"state-reason-code":    *item.StateReason.Code,
		"state-reason-message": *item.StateReason.Message, "metadata-options.http-tokens": "required",
		"metadata-options.http-endpoint":          "enabled",
		"metadata-options.instance-metadata-tags": "disabled", "metadata-options.http-put-response-hop-limit": "2",
		"block-device-mapping.volume-id":   *item.BlockDeviceMappings[0].Ebs.VolumeId,
		"block-device-mapping.device-name": *item.BlockDeviceMappings[0].DeviceName,
		"block-device-mapping.status":      "attached", "block-device-mapping.attach-time": "2026-11-23T12:00:00.000Z",
		"block-device-mapping.delete-on-termination": "true",
		"iam-instance-profile.arn":                   *item.IamInstanceProfile.Arn,
		"iam-instance-profile.id":                    *item.IamInstanceProfile.Id,
		"iam-instance-profile.name":                  "web",
		"network-interface.tag-key":                  "Name", "network-interface.tag-value": "web",
	}
	for name, value := range r.interfaceValues(eni) {
		values["network-interface."+name] = value
	}
	wantFilters(r, instances.filters, values, id, func(f types.Filter) []string {
		return instanceIDs(doRemote(r, r.DescribeInstances, &ec2.DescribeInstancesInput{Filters: []types.Filter{f}}))
	})
	wantRemoteError(r, r.DescribeInstances,
		&ec2.DescribeInstancesInput{Filters: []types.Filter{filter("colour", "red")}},
		"InvalidParameterValue: The filter 'colour' is invalid")
	wantRemoteError(r, r.DescribeInstances, &ec2.DescribeInstancesInput{InstanceIds: []string{noInstance}},
		"InvalidInstanceID.NotFound: The instance ID '"+noInstance+"' does not exist")
	wantRemoteError(r, r.DescribeInstances, &ec2.DescribeInstancesInput{
		InstanceIds: []string{noInstance, id, "i-1234567890abcdef0"},
	}, "InvalidInstanceID.NotFound: The instance IDs '"+noInstance+", i-1234567890abcdef0' do not exist")
	wantRemoteError(r, r.DescribeInstances, &ec2.DescribeInstancesInput{InstanceIds: []string{"web"}},
		"InvalidInstanceID.Malformed:")
	wantRemoteError(r, r.DescribeInstances, &ec2.DescribeInstancesInput{InstanceIds: []string{id}, MaxResults: five()},
		"InvalidParameterCombination: The parameter instancesSet cannot be used with the parameter maxResults")
	wantRemoteError(r, r.DescribeInstances, &ec2.DescribeInstancesInput{DryRun: aws.Bool(true)}, dryRun)
}

// On pages of five, two reservations of three instances never share a page. One of
// seven fits on no page and is divided.
func TestAPageOfInstancesKeepsReservationsTogether(t *testing.T) {
	r := newRemote(t)
	want := map[string][]string{}
	for _, count := range []int32{3, 3, 7} {
		items := r.launch(count)
		ids := list(items, func(i types.Instance) string { return *i.InstanceId })
		slices.Sort(ids)
		want[ids[0]] = ids
	}
	parts := map[string][][]string{}
	total := 0
	for in := (&ec2.DescribeInstancesInput{MaxResults: five()}); ; {
		out := doRemote(r, r.DescribeInstances, in)
		if n := len(instanceIDs(out)); n > 5 || n == 0 {
			t.Fatalf("a page of %d instances", n)
		}
		for _, reservation := range out.Reservations {
			ids := list(reservation.Instances, func(i types.Instance) string { return *i.InstanceId })
			parts[*reservation.ReservationId] = append(parts[*reservation.ReservationId], ids)
			total += len(ids)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if total != 13 || len(parts) != 3 {
		t.Errorf("got %d instances of %d reservations, want 13 of 3", total, len(parts))
	}
	for id, pages := range parts {
		whole := slices.Concat(pages...)
		if !slices.Equal(whole, want[whole[0]]) || len(whole) == 3 && len(pages) != 1 ||
			len(whole) == 7 && len(pages) > 3 {
			t.Errorf("reservation %s is divided into %v", id, pages)
		}
	}
}
