package ec2

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

type vm = *store.Instance

// ofInterface is a filter by the instance's network interfaces.
func ofInterface(values func(store.Reader, nic) []string) func(store.Reader, vm) []string {
	return func(r store.Reader, row vm) []string {
		var all []string
		for _, id := range row.InterfaceIDs {
			if eni, ok := store.NetworkInterfaces.Get(r, id); ok {
				all = append(all, values(r, eni)...)
			}
		}
		return all
	}
}

func groupIDs(_ store.Reader, row nic) []string { return row.GroupIDs }

func privateIPs(_ store.Reader, row nic) []string { return []string{row.PrivateIP.String()} }

func groupNames(r store.Reader, row nic) []string {
	return list(groupsOf(r, row.GroupIDs), func(g types.GroupIdentifier) string { return aws.ToString(g.GroupName) })
}

// ofRoot is a filter by the instance's root volume.
func ofRoot(text func(disk) string) func(store.Reader, vm) []string {
	return func(r store.Reader, row vm) []string {
		if volume, ok := store.Volumes.Get(r, row.RootVolumeID); ok {
			return []string{text(volume)}
		}
		return nil
	}
}

// ofSubnet is a filter by the instance's subnet.
func ofSubnet(text func(*store.Subnet) string) func(store.Reader, vm) []string {
	return func(r store.Reader, row vm) []string {
		if subnet, ok := store.Subnets.Get(r, row.SubnetID); ok {
			return []string{text(subnet)}
		}
		return nil
	}
}

// withInterfaces adds to the filters of instances those of their interfaces.
func withInterfaces(own filters[vm]) filters[vm] {
	for name, values := range networkInterfaces.filters {
		if name != byTag {
			own["network-interface."+name] = ofInterface(values)
		}
	}
	return own
}

func monitoringOf(row vm) types.MonitoringState {
	if row.Monitoring {
		return types.MonitoringStateEnabled
	}
	return types.MonitoringStateDisabled
}

var instances = noun[store.Instance]{
	table: store.Instances, kind: types.ResourceTypeInstance, prefix: "i-",
	notFound: "InvalidInstanceID.NotFound", unknown: "The instance ID", malformed: "InvalidInstanceID.Malformed",
	place: func(row vm) (string, string) { return row.Region, row.ID },
	tags:  func(row vm) *store.Tags { return &row.Tags },
	filters: tagged(func(row vm) store.Tags { return row.Tags }, withInterfaces(filters[vm]{
		"instance-id":          one(func(row vm) string { return row.ID }),
		"instance-state-name":  one(func(row vm) string { return row.State }),
		"instance-state-code":  one(func(row vm) string { return strconv.Itoa(int(*stateOf(row.State).Code)) }),
		"instance-type":        one(func(row vm) string { return row.Type }),
		"image-id":             one(func(row vm) string { return row.ImageID }),
		"key-name":             one(func(row vm) string { return row.KeyName }),
		"vpc-id":               one(func(row vm) string { return row.VPCID }),
		"subnet-id":            one(func(row vm) string { return row.SubnetID }),
		"availability-zone":    one(func(row vm) string { return row.Zone }),
		"availability-zone-id": ofSubnet(func(s *store.Subnet) string { return s.ZoneID }),
		"reservation-id":       one(func(row vm) string { return row.ReservationID }),
		"client-token":         one(func(row vm) string { return row.ClientToken }),
		"owner-id":             always[vm](identity.Account),
		"architecture":         always[vm](string(types.ArchitectureValuesX8664)),
		"root-device-type":     always[vm](string(types.DeviceTypeEbs)),
		"virtualization-type":  always[vm](string(types.VirtualizationTypeHvm)),
		"private-ip-address":   ofInterface(privateIPs),
		"instance.group-id":    ofInterface(groupIDs),
		"group-id":             ofInterface(groupIDs),
		"instance.group-name":  ofInterface(groupNames),
		"group-name":           ofInterface(groupNames),
		"ip-address":           ofInterface(public(func(_ store.Reader, row nic) string { return row.PublicIP.String() })),
		"dns-name": ofInterface(
			public(func(r store.Reader, row nic) string { return publicDNSName(r, row.VPCID, row.PublicIP) }),
		),
		"private-dns-name":               ofInterface(one(func(row nic) string { return privateDNSName(row.Region, row.PrivateIP) })),
		"launch-index":                   one(func(row vm) string { return strconv.Itoa(int(row.LaunchIndex)) }),
		"launch-time":                    one(func(row vm) string { return shortTime(row.LaunchTime) }),
		"hypervisor":                     always[vm](string(types.HypervisorTypeXen)),
		"tenancy":                        always[vm](string(types.TenancyDefault)),
		"root-device-name":               always[vm](rootDevice),
		"ena-support":                    always[vm]("true"),
		"platform":                       never[vm],
		"instance-lifecycle":             never[vm],
		"ebs-optimized":                  one(func(row vm) string { return strconv.FormatBool(row.EBSOptimized) }),
		"source-dest-check":              one(func(row vm) string { return strconv.FormatBool(row.SourceDestCheck) }),
		"monitoring-state":               one(func(row vm) string { return string(monitoringOf(row)) }),
		"reason":                         one(func(row vm) string { return row.TransitionReason }),
		"state-reason-code":              one(func(row vm) string { return row.StateReasonCode }),
		"state-reason-message":           one(func(row vm) string { return row.StateReason }),
		"metadata-options.http-tokens":   one(func(row vm) string { return row.MetadataTokens }),
		"metadata-options.http-endpoint": one(func(row vm) string { return row.MetadataEndpoint }),
		"metadata-options.instance-metadata-tags": one(func(row vm) string { return row.MetadataTags }),
		"metadata-options.http-put-response-hop-limit": one(
			func(row vm) string { return strconv.Itoa(int(row.MetadataHopLimit)) },
		),
		"block-device-mapping.volume-id":   ofRoot(func(row disk) string { return row.ID }),
		"block-device-mapping.device-name": ofRoot(func(row disk) string { return row.Device }),
		"block-device-mapping.status":      ofRoot(func(disk) string { return string(types.AttachmentStatusAttached) }),
		"block-device-mapping.attach-time": ofRoot(func(row disk) string { return shortTime(row.AttachedAt) }),
		"block-device-mapping.delete-on-termination": ofRoot(
			func(row disk) string { return strconv.FormatBool(row.DeleteOnTermination) },
		),
	})),
}

// DescribeInstances lists instances by their reservations. The API Reference
// does not say whether MaxResults counts reservations or instances; what people
// see on AWS are pages of so many instances, at most (aws/aws-sdk-js#939,
// awsdocs/aws-doc-sdk-examples#201). So it is here. The instances of a launch
// are on one page if it can hold them all, and on successive pages otherwise.
func (a *API) DescribeInstances(ctx context.Context, in *ec2.DescribeInstancesInput) (*ec2.DescribeInstancesOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	pages := pageRequest{in.MaxResults, in.NextToken}
	if err := pages.check("instancesSet", len(in.InstanceIds) > 0); err != nil {
		return nil, err
	}
	rows, _, err := instances.describe(
		view, region, query{ids: in.InstanceIds, idParameter: "instancesSet", filters: in.Filters},
	)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(rows, func(x, y vm) int { return strings.Compare(reservedPlace(x), reservedPlace(y)) })
	rows, next, err := paginateGroups(pages, rows, reservedPlace, func(row vm) string { return row.ReservationID })
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeInstancesOutput{Reservations: []types.Reservation{}, NextToken: next}
	for _, row := range rows {
		last := len(out.Reservations) - 1
		if last < 0 || *out.Reservations[last].ReservationId != row.ReservationID {
			out.Reservations = append(out.Reservations, types.Reservation{
				ReservationId: aws.String(row.ReservationID),
				OwnerId:       aws.String(identity.Account),
				Groups:        []types.GroupIdentifier{},
			})
			last++
		}
		out.Reservations[last].Instances = append(out.Reservations[last].Instances, instanceItem(view)(row))
	}
	return out, nil
}

// reservedPlace is where an instance is in the order of DescribeInstances.
func reservedPlace(row vm) string { return row.ReservationID + " " + row.ID }

func instanceItem(r store.Reader) func(vm) types.Instance {
	return func(row vm) types.Instance {
		item := types.Instance{
			InstanceId: aws.String(row.ID),
			ImageId:    aws.String(row.ImageID), InstanceType: types.InstanceType(row.Type),
			KeyName:               optional(row.KeyName),
			State:                 stateOf(row.State),
			StateTransitionReason: aws.String(row.TransitionReason), LaunchTime: aws.Time(row.LaunchTime),
			AmiLaunchIndex: aws.Int32(row.LaunchIndex),
			Placement: &types.Placement{
				AvailabilityZone: aws.String(row.Zone),
				Tenancy:          types.TenancyDefault,
				GroupName:        aws.String(""),
			},
			Monitoring: &types.Monitoring{
				State: monitoringOf(row),
			}, VpcId: optional(row.VPCID), SubnetId: optional(row.SubnetID),
			Architecture: types.ArchitectureValuesX8664, Hypervisor: types.HypervisorTypeXen,
			VirtualizationType: types.VirtualizationTypeHvm,
			RootDeviceName:     aws.String(rootDevice),
			RootDeviceType:     types.DeviceTypeEbs, EbsOptimized: aws.Bool(row.EBSOptimized),
			SourceDestCheck: aws.Bool(row.SourceDestCheck),
			EnaSupport:      aws.Bool(true),
			ClientToken:     aws.String(row.ClientToken), Tags: tagSet(row.Tags), ProductCodes: []types.ProductCode{},
			MetadataOptions: &types.InstanceMetadataOptionsResponse{
				State: types.InstanceMetadataOptionsStateApplied, HttpTokens: types.HttpTokensState(row.MetadataTokens),
				HttpEndpoint:            types.InstanceMetadataEndpointState(row.MetadataEndpoint),
				HttpPutResponseHopLimit: aws.Int32(row.MetadataHopLimit),
				InstanceMetadataTags:    types.InstanceMetadataTagsState(row.MetadataTags),
			},
			SecurityGroups: []types.GroupIdentifier{}, NetworkInterfaces: []types.InstanceNetworkInterface{},
			BlockDeviceMappings: []types.InstanceBlockDeviceMapping{},
		}
		if row.StateReasonCode != "" {
			item.StateReason = &types.StateReason{
				Code:    aws.String(row.StateReasonCode),
				Message: aws.String(row.StateReason),
			}
		}
		if volume, ok := store.Volumes.Get(r, row.RootVolumeID); ok {
			item.BlockDeviceMappings = append(item.BlockDeviceMappings, types.InstanceBlockDeviceMapping{
				DeviceName: aws.String(volume.Device),
				Ebs: &types.EbsInstanceBlockDevice{
					VolumeId: aws.String(volume.ID),
					Status:   types.AttachmentStatusAttached, AttachTime: aws.Time(volume.AttachedAt),
					DeleteOnTermination: aws.Bool(volume.DeleteOnTermination),
				},
			})
		}
		for _, id := range row.InterfaceIDs {
			if eni, ok := store.NetworkInterfaces.Get(r, id); ok {
				connect(r, &item, eni)
			}
		}
		return item
	}
}

// connect shows a network interface in its instance.
func connect(r store.Reader, item *types.Instance, eni nic) {
	groups, name := groupsOf(r, eni.GroupIDs), aws.String(privateDNSName(eni.Region, eni.PrivateIP))
	var association *types.InstanceNetworkInterfaceAssociation
	if public := associationItem(r, eni); public != nil {
		association = &types.InstanceNetworkInterfaceAssociation{
			IpOwnerId:     public.IpOwnerId,
			PublicIp:      public.PublicIp,
			PublicDnsName: public.PublicDnsName,
		}
	}
	item.NetworkInterfaces = append(item.NetworkInterfaces, types.InstanceNetworkInterface{
		NetworkInterfaceId: aws.String(eni.ID),
		OwnerId:            aws.String(identity.Account), VpcId: aws.String(eni.VPCID),
		SubnetId: aws.String(eni.SubnetID), MacAddress: aws.String(eni.MAC),
		Description: aws.String(eni.Description),
		Groups:      groups, PrivateIpAddress: aws.String(eni.PrivateIP.String()), PrivateDnsName: name,
		Association:     association,
		SourceDestCheck: aws.Bool(eni.SourceDestCheck),
		Status:          types.NetworkInterfaceStatusInUse, InterfaceType: aws.String("interface"),
		Attachment: &types.InstanceNetworkInterfaceAttachment{
			AttachmentId: aws.String(eni.AttachmentID),
			AttachTime:   aws.Time(eni.AttachedAt), DeleteOnTermination: aws.Bool(eni.DeleteOnTermination),
			DeviceIndex: aws.Int32(eni.DeviceIndex), Status: types.AttachmentStatusAttached,
		},
		PrivateIpAddresses: []types.InstancePrivateIpAddress{
			{
				Primary:          aws.Bool(true),
				PrivateIpAddress: aws.String(eni.PrivateIP.String()),
				PrivateDnsName:   name,
				Association:      association,
			},
		},
	})
	if eni.DeviceIndex == 0 {
		item.SecurityGroups, item.PrivateIpAddress, item.PrivateDnsName = groups, aws.String(eni.PrivateIP.String()),
			name
		if association != nil {
			item.PublicIpAddress, item.PublicDnsName = association.PublicIp, association.PublicDnsName
		}
	}
}
