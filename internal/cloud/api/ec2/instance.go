package ec2

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/dnsname"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/store"
)

// vm abbreviates the type of an instance's row.
type vm = *store.Instance

func monitoringOf(row vm) types.MonitoringState {
	if row.Monitoring {
		return types.MonitoringStateEnabled
	}
	return types.MonitoringStateDisabled
}

var instances = resourceType[store.Instance]{
	table: store.Instances, kind: types.ResourceTypeInstance, prefix: "i-",
	notFoundCode: "InvalidInstanceID.NotFound", notFoundText: "The instance ID",
	notFoundSeveral: "The instance IDs '%s' do not exist",
	malformedCode:   "InvalidInstanceID.Malformed",
	key:             func(row vm) (identity.Region, string) { return row.Region, row.ID },
	tags:            func(row vm) *store.Tags { return &row.Tags },
	filters: withTagFilters(func(row vm) store.Tags { return row.Tags }, withSharedFilters(filters[vm]{
		"instance-id":               field(func(row vm) string { return row.ID }),
		"instance-state-name":       field(func(row vm) string { return row.State }),
		"instance-state-code":       field(stateCode),
		"instance-type":             field(func(row vm) string { return row.Type }),
		"image-id":                  field(func(row vm) string { return row.ImageID }),
		"key-name":                  field(func(row vm) string { return row.KeyName }),
		"vpc-id":                    field(func(row vm) string { return row.VPCID }),
		"subnet-id":                 field(func(row vm) string { return row.SubnetID }),
		"availability-zone":         field(func(row vm) string { return row.Zone }),
		"availability-zone-id":      bySubnet(func(s *store.Subnet) string { return s.ZoneID }),
		"reservation-id":            field(func(row vm) string { return row.ReservationID }),
		"iam-instance-profile.arn":  byProfile(profileARN),
		"iam-instance-profile.id":   byProfile(profileIDOf),
		"iam-instance-profile.name": byProfile(profileNameOf),
		"client-token":              field(func(row vm) string { return row.ClientToken }),
		"owner-id":                  field(func(row vm) string { return row.Region.Account() }),
		"architecture":              field(architectureOf),
		"root-device-type":          constant[vm](string(types.DeviceTypeEbs)),
		"virtualization-type":       field(func(row vm) string { return string(virtualizationOf(row.Traits)) }),
		"private-ip-address":        byInterface(privateIPs),
		"instance.group-id":         byInterface(groupIDs),
		"group-id":                  byInterface(groupIDs),
		"instance.group-name":       byInterface(groupNames),
		"group-name":                byInterface(groupNames),
		"ip-address":                byInterface(ifPublic(publicIP)),
		"dns-name": byInterface(
			ifPublic(func(r store.Reader, row nic) string { return dnsname.Public(r, row.VPCID, row.PublicIP) }),
		),
		"private-dns-name": func(r store.Reader, row vm) []string {
			return byInterface(field(func(eni nic) string { return dnsname.PrivateOf(row, eni.PrivateIP) }))(r, row)
		},
		"maintenance-options.auto-recovery":      field(func(row vm) string { return string(autoRecovery(row)) }),
		"private-dns-name-options.hostname-type": field(func(row vm) string { return string(hostnameType(row)) }),
		"private-dns-name-options.enable-resource-name-dns-a-record": booleanField(
			func(row vm) bool { return row.ResourceNames.A },
		),
		"private-dns-name-options.enable-resource-name-dns-aaaa-record": booleanField(
			func(row vm) bool { return row.ResourceNames.AAAA },
		),
		"launch-index": field(func(row vm) string { return strconv.Itoa(int(row.LaunchIndex)) }),
		"launch-time":  field(func(row vm) string { return filterTime(row.LaunchTime) }),
		"hypervisor":   constant[vm](string(types.HypervisorTypeXen)),
		"tenancy":      field(func(row vm) string { return string(tenancyOf(row)) }),
		"placement-group-name": func(r store.Reader, row vm) []string {
			if group, ok := store.PlacementGroups.Get(r, row.PlacementGroupID); ok {
				return []string{group.Name}
			}
			return nil
		},
		"placement-partition-number": optionalField(func(row vm) string {
			if row.Partition == 0 {
				return ""
			}
			return strconv.Itoa(int(row.Partition))
		}),
		"root-device-name": func(r store.Reader, row vm) []string {
			return []string{rootDeviceOf(r, row)}
		},
		"ena-support": booleanField(func(row vm) bool { return !row.Traits.NoENA }),
		"platform":    noValue[vm],
		"instance-lifecycle": optionalField(
			func(row vm) string { return string(lifecycleOf(row)) },
		),
		"ebs-optimized":                           booleanField(func(row vm) bool { return row.EBSOptimized }),
		"source-dest-check":                       booleanField(func(row vm) bool { return row.SourceDestCheck }),
		"monitoring-state":                        field(func(row vm) string { return string(monitoringOf(row)) }),
		"reason":                                  field(func(row vm) string { return row.TransitionReason }),
		"state-reason-code":                       field(func(row vm) string { return row.StateReasonCode }),
		"state-reason-message":                    field(func(row vm) string { return row.StateReason }),
		"metadata-options.http-tokens":            field(func(row vm) string { return row.MetadataTokens }),
		"metadata-options.http-endpoint":          field(func(row vm) string { return row.MetadataEndpoint }),
		"metadata-options.instance-metadata-tags": field(func(row vm) string { return row.MetadataTags }),
		"metadata-options.http-protocol-ipv6":     field(func(row vm) string { return string(metadataIPv6(row)) }),
		"metadata-options.http-put-response-hop-limit": field(
			func(row vm) string { return strconv.Itoa(int(row.MetadataHopLimit)) },
		),
		"block-device-mapping.volume-id":   byVolume(func(row disk) string { return row.ID }),
		"block-device-mapping.device-name": byVolume(func(row disk) string { return row.Device }),
		"block-device-mapping.status":      byVolume(attachedStatus),
		"block-device-mapping.attach-time": byVolume(func(row disk) string { return filterTime(row.AttachedAt) }),
		"block-device-mapping.delete-on-termination": byVolume(
			func(row disk) string { return strconv.FormatBool(row.DeleteOnTermination) },
		),
	})),
}

// DescribeInstances lists instances by reservation. The API Reference does not say
// whether MaxResults counts reservations or instances. Users of AWS report that it
// limits the instances on a page (aws/aws-sdk-js#939,
// awsdocs/aws-doc-sdk-examples#201), and so does the local cloud. The instances of one
// reservation share a page if they fit on one.
func (a *API) DescribeInstances(
	ctx context.Context, in *ec2.DescribeInstancesInput,
) (*ec2.DescribeInstancesOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	pages := pageRequest{in.MaxResults, in.NextToken}
	if err := pages.check("instancesSet", len(in.InstanceIds) > 0); err != nil {
		return nil, err
	}
	rows, _, err := instances.describe(
		view, region, describeQuery{ids: in.InstanceIds, idParameter: "instancesSet", filters: in.Filters},
	)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(rows, func(x, y vm) int { return strings.Compare(reservationKey(x), reservationKey(y)) })
	rows, next, err := paginateGroups(pages, rows, reservationKey, func(row vm) string { return row.ReservationID })
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeInstancesOutput{Reservations: []types.Reservation{}, NextToken: next}
	for _, row := range rows {
		last := len(out.Reservations) - 1
		if last < 0 || *out.Reservations[last].ReservationId != row.ReservationID {
			out.Reservations = append(out.Reservations, types.Reservation{
				ReservationId: aws.String(row.ReservationID),
				OwnerId:       aws.String(row.Region.Account()),
				Groups:        []types.GroupIdentifier{},
			})
			last++
		}
		out.Reservations[last].Instances = append(out.Reservations[last].Instances, instanceItem(view)(row))
	}
	return out, nil
}

// stateCode returns the number of an instance's state.
func stateCode(row vm) string { return strconv.Itoa(int(*instanceState(row.State).Code)) }

func architectureOf(row vm) string { return string(instancetype.ArchitectureOf(row.Type)) }

// rootDeviceOf returns the name of an instance's root device, which its image determined.
func rootDeviceOf(r store.Reader, row vm) string {
	if volume, ok := store.Volumes.Get(r, row.RootVolumeID); ok {
		return volume.Device
	}
	return "/dev/xvda" // the instance terminated, and its volume with it
}

// reservationKey is an instance's sort key in DescribeInstances.
func reservationKey(row vm) string { return row.ReservationID + " " + row.ID }

func instanceItem(r store.Reader) func(vm) types.Instance {
	return func(row vm) types.Instance {
		item := types.Instance{
			InstanceId:            aws.String(row.ID),
			ImageId:               aws.String(row.ImageID),
			InstanceType:          types.InstanceType(row.Type),
			KeyName:               optionalString(row.KeyName),
			State:                 instanceState(row.State),
			StateTransitionReason: aws.String(row.TransitionReason),
			LaunchTime:            aws.Time(row.LaunchTime),
			AmiLaunchIndex:        aws.Int32(row.LaunchIndex),
			Placement:             placementItem(r, row),
			Monitoring:            &types.Monitoring{State: monitoringOf(row)},
			VpcId:                 optionalString(row.VPCID),
			SubnetId:              optionalString(row.SubnetID),
			Architecture:          types.ArchitectureValues(instancetype.ArchitectureOf(row.Type)),
			Hypervisor:            types.HypervisorTypeXen,
			VirtualizationType:    virtualizationOf(row.Traits),
			RootDeviceName:        aws.String(rootDeviceOf(r, row)),
			RootDeviceType:        types.DeviceTypeEbs,
			EbsOptimized:          aws.Bool(row.EBSOptimized),
			SourceDestCheck:       aws.Bool(row.SourceDestCheck),
			EnaSupport:            aws.Bool(!row.Traits.NoENA),
			SriovNetSupport:       optionalString(row.Traits.SRIOV),
			InstanceLifecycle:     lifecycleOf(row),
			SpotInstanceRequestId: optionalString(row.SpotRequestID),
			BootMode:              types.BootModeValues(row.Traits.BootMode),
			ClientToken:           aws.String(row.ClientToken),
			Tags:                  tagSet(row.Tags),
			ProductCodes:          []types.ProductCode{},
			MetadataOptions:       metadataOptionsItem(row, types.InstanceMetadataOptionsStateApplied),
			SecurityGroups:        []types.GroupIdentifier{},
			NetworkInterfaces:     []types.InstanceNetworkInterface{},
			BlockDeviceMappings:   []types.InstanceBlockDeviceMapping{},
		}
		addFixed(&item, row)
		item.CapacityReservationSpecification = &types.CapacityReservationSpecificationResponse{
			CapacityReservationPreference: reservationPreference(row),
		}
		item.CpuOptions = cpuOptionsItem(row)
		item.MaintenanceOptions = &types.InstanceMaintenanceOptions{AutoRecovery: autoRecovery(row)}
		item.PrivateDnsNameOptions = &types.PrivateDnsNameOptionsResponse{
			HostnameType:                    hostnameType(row),
			EnableResourceNameDnsARecord:    aws.Bool(row.ResourceNames.A),
			EnableResourceNameDnsAAAARecord: aws.Bool(row.ResourceNames.AAAA),
		}
		item.IamInstanceProfile = profileItem(r, row)
		if row.StateReasonCode != "" {
			item.StateReason = &types.StateReason{
				Code:    aws.String(row.StateReasonCode),
				Message: aws.String(row.StateReason),
			}
		}
		for _, volume := range disksOf(r, row) {
			item.BlockDeviceMappings = append(item.BlockDeviceMappings, types.InstanceBlockDeviceMapping{
				DeviceName: aws.String(volume.Device),
				Ebs: &types.EbsInstanceBlockDevice{
					VolumeId:            aws.String(volume.ID),
					Status:              types.AttachmentStatus(attachmentOf(volume)),
					AttachTime:          aws.Time(volume.AttachedAt),
					DeleteOnTermination: aws.Bool(volume.DeleteOnTermination),
				},
			})
		}
		for _, id := range row.InterfaceIDs {
			if eni, ok := store.NetworkInterfaces.Get(r, id); ok {
				addInterface(r, &item, row, eni)
			}
		}
		return item
	}
}

// disksOf returns the volumes of an instance, the root volume first.
func disksOf(r store.Reader, row vm) []disk {
	disks := store.VolumesByInstance.List(r, row.ID)
	if root := slices.IndexFunc(disks, func(d disk) bool { return d.ID == row.RootVolumeID }); root > 0 {
		disks[0], disks[root] = disks[root], disks[0]
	}
	return disks
}

// addInterface adds a network interface to the description of its instance.
func addInterface(r store.Reader, item *types.Instance, row vm, eni nic) {
	described := networkInterfaceItem(r)(eni)
	addresses := list(eni.Addresses(), func(address store.InterfaceAddress) types.InstancePrivateIpAddress {
		return types.InstancePrivateIpAddress{
			Primary:          aws.Bool(address.Private == eni.PrivateIP),
			PrivateIpAddress: aws.String(address.Private.String()),
			PrivateDnsName:   aws.String(dnsname.Private(eni.Region.Name(), address.Private)),
			Association:      instanceAssociation(associationItem(r, eni, address)),
		}
	})
	item.NetworkInterfaces = append(item.NetworkInterfaces, types.InstanceNetworkInterface{
		NetworkInterfaceId: described.NetworkInterfaceId,
		OwnerId:            described.OwnerId,
		VpcId:              described.VpcId,
		SubnetId:           described.SubnetId,
		MacAddress:         described.MacAddress,
		Description:        described.Description,
		Groups:             described.Groups,
		PrivateIpAddress:   described.PrivateIpAddress,
		PrivateDnsName:     described.PrivateDnsName,
		Association:        instanceAssociation(described.Association),
		SourceDestCheck:    described.SourceDestCheck,
		Status:             types.NetworkInterfaceStatusInUse,
		InterfaceType:      aws.String("interface"),
		Attachment: &types.InstanceNetworkInterfaceAttachment{
			AttachmentId:        aws.String(eni.AttachmentID),
			AttachTime:          aws.Time(eni.AttachedAt),
			DeleteOnTermination: aws.Bool(eni.DeleteOnTermination),
			DeviceIndex:         aws.Int32(eni.DeviceIndex),
			NetworkCardIndex:    aws.Int32(0),
			Status:              types.AttachmentStatusAttached,
		},
		PrivateIpAddresses: addresses,
		Ipv6Addresses:      instanceIPv6Items(eni),
	})
	if eni.DeviceIndex == 0 {
		item.SecurityGroups, item.Ipv6Address = described.Groups, described.Ipv6Address
		item.PrivateIpAddress = described.PrivateIpAddress
		item.PrivateDnsName = aws.String(dnsname.PrivateOf(row, eni.PrivateIP))
		if public := described.Association; public != nil {
			item.PublicIpAddress, item.PublicDnsName = public.PublicIp, public.PublicDnsName
		}
	}
}

func instanceAssociation(public *types.NetworkInterfaceAssociation) *types.InstanceNetworkInterfaceAssociation {
	if public == nil {
		return nil
	}
	return &types.InstanceNetworkInterfaceAssociation{
		IpOwnerId: public.IpOwnerId, PublicIp: public.PublicIp, PublicDnsName: public.PublicDnsName,
	}
}
