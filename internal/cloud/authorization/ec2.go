package authorization

import "aloft.dev/aloft/internal/cloud/servicerole"

// ec2Operations are the operations of Amazon EC2 that are about resources. All others
// whose names start with Describe are about none.
var ec2Operations = operations{
	"RunInstances":              {instead: launchNeeds},
	"StartInstances":            on(instances, "InstanceIds"),
	"StopInstances":             on(instances, "InstanceIds"),
	"RebootInstances":           on(instances, "InstanceIds"),
	"TerminateInstances":        on(instances, "InstanceIds"),
	"GetConsoleOutput":          on(instances, "InstanceId"),
	"DescribeInstanceAttribute": on(instances, "InstanceId"),
	"ResetInstanceAttribute":    on(instances, "InstanceId"),
	"ModifyInstanceAttribute": {resources: []resource{
		of(instances, "InstanceId"), maybe(securityGroups, "Groups"),
	}},
	"ModifyInstanceMetadataOptions":    on(instances, "InstanceId"),
	"ModifyInstanceCpuOptions":         on(instances, "InstanceId"),
	"ModifyInstanceMaintenanceOptions": on(instances, "InstanceId"),
	"ModifyInstancePlacement": {resources: []resource{
		of(instances, "InstanceId"), {fields: []string{"GroupName"}, find: placementGroupNamed, optional: true},
		{fields: []string{"GroupId"}, find: placementGroup, optional: true},
	}},

	"ModifyInstanceCapacityReservationAttributes": on(instances, "InstanceId"),

	"ModifyPrivateDnsNameOptions":       on(instances, "InstanceId"),
	"MonitorInstances":                  on(instances, "InstanceIds"),
	"UnmonitorInstances":                on(instances, "InstanceIds"),
	"ModifyInstanceCreditSpecification": on(instances, "InstanceCreditSpecifications.InstanceId"),

	"GetLaunchTemplateData":   {},
	"GetInstanceUefiData":     on(instances, "InstanceId"),
	"GetPasswordData":         on(instances, "InstanceId"),
	"GetSecurityGroupsForVpc": on(vpcs, "VpcId"),

	"GetInstanceTypesFromInstanceRequirements": {},
	"ListImagesInRecycleBin":                   {},
	"ListSnapshotsInRecycleBin":                {},
	"ListVolumesInRecycleBin":                  {},

	"GetAllowedImagesSettings":          {},
	"GetDefaultCreditSpecification":     {},
	"GetEbsEncryptionByDefault":         {},
	"GetImageBlockPublicAccessState":    {},
	"GetInstanceMetadataDefaults":       {},
	"GetSerialConsoleAccessStatus":      {},
	"GetSnapshotBlockPublicAccessState": {},
	"GetEbsDefaultKmsKeyId":             {},
	"EnableEbsEncryptionByDefault":      {},
	"DisableEbsEncryptionByDefault":     {},
	"ModifyEbsDefaultKmsKeyId":          {},
	"ResetEbsDefaultKmsKeyId":           {},
	"EnableSerialConsoleAccess":         {},
	"DisableSerialConsoleAccess":        {},
	"EnableImageBlockPublicAccess":      {},
	"DisableImageBlockPublicAccess":     {},
	"EnableSnapshotBlockPublicAccess":   {},
	"DisableSnapshotBlockPublicAccess":  {},
	"ModifyInstanceMetadataDefaults":    {},
	"ModifyDefaultCreditSpecification":  {},

	"CreatePlacementGroup": {resources: []resource{{fields: []string{"GroupName"}, find: placementGroupNamed}}},
	"DeletePlacementGroup": {resources: []resource{{fields: []string{"GroupName"}, find: placementGroupNamed}}},
	"RequestSpotInstances": createsRole(
		operation{resources: []resource{created(spotRequests)}}, servicerole.Spot),
	"CancelSpotInstanceRequests": on(spotRequests, "SpotInstanceRequestIds"),
	"CreateFleet":                {resources: []resource{created(fleets)}},
	"DeleteFleets":               on(fleets, "FleetIds"),
	"ModifyFleet":                on(fleets, "FleetId"),

	"AssociateIamInstanceProfile": on(instances, "InstanceId"),
	"DisassociateIamInstanceProfile": {
		resources: []resource{{fields: []string{"AssociationId"}, find: associatedInstance}},
	},
	"ReplaceIamInstanceProfileAssociation": {
		resources: []resource{{fields: []string{"AssociationId"}, find: associatedInstance}},
	},

	"CreateImage": {resources: []resource{
		of(instances, "InstanceId"), created(images), created(snapshots),
	}},
	"CopyImage": {resources: []resource{
		of(images, "SourceImageId"), created(images), created(snapshots),
	}},
	"RegisterImage": {resources: []resource{
		created(images), maybe(snapshots, "BlockDeviceMappings.Ebs.SnapshotId"),
	}},
	"EnableImage":                          on(images, "ImageId"),
	"DisableImage":                         on(images, "ImageId"),
	"EnableImageDeprecation":               on(images, "ImageId"),
	"DisableImageDeprecation":              on(images, "ImageId"),
	"EnableImageDeregistrationProtection":  on(images, "ImageId"),
	"DisableImageDeregistrationProtection": on(images, "ImageId"),
	"DeregisterImage":                      on(images, "ImageId"),
	"DeleteSnapshot":                       on(snapshots, "SnapshotId"),
	"ModifyImageAttribute":                 on(images, "ImageId"),
	"ResetImageAttribute":                  on(images, "ImageId"),
	"ModifySnapshotAttribute":              on(snapshots, "SnapshotId"),
	"ResetSnapshotAttribute":               on(snapshots, "SnapshotId"),
	"DeleteVolume":                         on(volumes, "VolumeId"),

	"CreateVolume": {resources: []resource{created(volumes), maybe(snapshots, "SnapshotId")}},
	"ModifyVolume": on(volumes, "VolumeId"),
	"AttachVolume": {resources: []resource{of(volumes, "VolumeId"), of(instances, "InstanceId")}},
	"DetachVolume": {resources: []resource{of(volumes, "VolumeId"), maybe(instances, "InstanceId")}},
	"CreateReplaceRootVolumeTask": {resources: []resource{
		created(rootReplacements), created(volumes), of(instances, "InstanceId"), maybe(snapshots, "SnapshotId"),
		maybe(images, "ImageId"),
	}},
	"CreateSnapshot": {resources: []resource{created(snapshots), of(volumes, "VolumeId")}},
	"CreateSnapshots": {resources: []resource{
		created(snapshots), of(instances, "InstanceSpecification.InstanceId"),
	}},
	"CopySnapshot":          {resources: []resource{created(snapshots), of(snapshots, "SourceSnapshotId")}},
	"ModifyVolumeAttribute": on(volumes, "VolumeId"),
	"EnableVolumeIO":        on(volumes, "VolumeId"),

	"CreateTags": {instead: taggedNeeds},
	"DeleteTags": {instead: taggedNeeds},

	"CreateDefaultVpc":     {resources: []resource{created(vpcs)}},
	"CreateDefaultSubnet":  {resources: []resource{created(subnets)}},
	"CreateVpc":            {resources: []resource{created(vpcs)}},
	"DeleteVpc":            on(vpcs, "VpcId"),
	"ModifyVpcAttribute":   on(vpcs, "VpcId"),
	"ModifyVpcTenancy":     on(vpcs, "VpcId"),
	"DescribeVpcAttribute": on(vpcs, "VpcId"),

	"AssociateVpcCidrBlock":       on(vpcs, "VpcId"),
	"DisassociateVpcCidrBlock":    {unknown: true},
	"AssociateSubnetCidrBlock":    on(subnets, "SubnetId"),
	"DisassociateSubnetCidrBlock": {unknown: true},

	"CreateVpcPeeringConnection": {resources: []resource{
		created(peerings), of(vpcs, "VpcId"), of(vpcs, "PeerVpcId"),
	}},
	"AcceptVpcPeeringConnection":        on(peerings, "VpcPeeringConnectionId"),
	"RejectVpcPeeringConnection":        on(peerings, "VpcPeeringConnectionId"),
	"DeleteVpcPeeringConnection":        on(peerings, "VpcPeeringConnectionId"),
	"ModifyVpcPeeringConnectionOptions": on(peerings, "VpcPeeringConnectionId"),

	"CreateVpcEndpoint": {resources: []resource{
		created(vpcEndpoints), of(vpcs, "VpcId"), maybe(routeTables, "RouteTableIds"),
		maybe(subnets, "SubnetIds"), maybe(securityGroups, "SecurityGroupIds"),
	}},
	"ModifyVpcEndpoint": {resources: []resource{
		of(vpcEndpoints, "VpcEndpointId"), maybe(routeTables, "AddRouteTableIds"),
		maybe(routeTables, "RemoveRouteTableIds"), maybe(subnets, "AddSubnetIds"), maybe(subnets, "RemoveSubnetIds"),
		maybe(securityGroups, "AddSecurityGroupIds"), maybe(securityGroups, "RemoveSecurityGroupIds"),
	}},
	"DeleteVpcEndpoints": on(vpcEndpoints, "VpcEndpointIds"),

	"CreateManagedPrefixList":          {resources: []resource{created(prefixLists)}},
	"ModifyManagedPrefixList":          on(prefixLists, "PrefixListId"),
	"RestoreManagedPrefixListVersion":  on(prefixLists, "PrefixListId"),
	"DeleteManagedPrefixList":          on(prefixLists, "PrefixListId"),
	"GetManagedPrefixListEntries":      on(prefixLists, "PrefixListId"),
	"GetManagedPrefixListAssociations": on(prefixLists, "PrefixListId"),

	"CreateFlowLogs": {resources: []resource{
		created(flowLogs), {fields: []string{"ResourceIds"}, find: flowLogSources},
	}},
	"DeleteFlowLogs": on(flowLogs, "FlowLogIds"),

	"CreateDhcpOptions":    {resources: []resource{created(dhcpOptions)}},
	"DeleteDhcpOptions":    on(dhcpOptions, "DhcpOptionsId"),
	"AssociateDhcpOptions": {resources: []resource{of(dhcpOptions, "DhcpOptionsId"), of(vpcs, "VpcId")}},

	"CreateSubnet":          {resources: []resource{created(subnets), of(vpcs, "VpcId")}},
	"DeleteSubnet":          on(subnets, "SubnetId"),
	"ModifySubnetAttribute": on(subnets, "SubnetId"),

	"CreateSubnetCidrReservation": {resources: []resource{created(subnetReservations), of(subnets, "SubnetId")}},
	"DeleteSubnetCidrReservation": on(subnetReservations, "SubnetCidrReservationId"),
	"GetSubnetCidrReservations":   {},

	"CreateEgressOnlyInternetGateway": {resources: []resource{created(egressOnlyGateways), of(vpcs, "VpcId")}},
	"DeleteEgressOnlyInternetGateway": on(egressOnlyGateways, "EgressOnlyInternetGatewayId"),

	"CreateInternetGateway": {resources: []resource{created(internetGateways)}},
	"DeleteInternetGateway": on(internetGateways, "InternetGatewayId"),
	"AttachInternetGateway": {resources: []resource{of(internetGateways, "InternetGatewayId"), of(vpcs, "VpcId")}},
	"DetachInternetGateway": {resources: []resource{of(internetGateways, "InternetGatewayId"), of(vpcs, "VpcId")}},

	"AllocateAddress":        {resources: []resource{created(elasticIPs)}},
	"ModifyAddressAttribute": on(elasticIPs, "AllocationId"),
	"ResetAddressAttribute":  on(elasticIPs, "AllocationId"),
	"ReleaseAddress":         {resources: []resource{maybe(elasticIPs, "AllocationId")}},
	"AssociateAddress": {resources: []resource{
		maybe(elasticIPs, "AllocationId"), maybe(instances, "InstanceId"),
		maybe(networkInterfaces, "NetworkInterfaceId"),
	}},
	"DisassociateAddress": {
		resources: []resource{{fields: []string{"AssociationId"}, find: associatedElasticIP}},
	},

	"CreateNatGateway": {resources: []resource{
		created(natGateways), of(subnets, "SubnetId"), maybe(elasticIPs, "AllocationId"),
		maybe(elasticIPs, "SecondaryAllocationIds"),
	}},
	"DeleteNatGateway": on(natGateways, "NatGatewayId"),
	"AssociateNatGatewayAddress": {resources: []resource{
		of(natGateways, "NatGatewayId"), of(elasticIPs, "AllocationIds"),
	}},
	"DisassociateNatGatewayAddress":    on(natGateways, "NatGatewayId"),
	"AssignPrivateNatGatewayAddress":   on(natGateways, "NatGatewayId"),
	"UnassignPrivateNatGatewayAddress": on(natGateways, "NatGatewayId"),

	"CreateRouteTable": {resources: []resource{created(routeTables), of(vpcs, "VpcId")}},
	"DeleteRouteTable": on(routeTables, "RouteTableId"),
	"CreateRoute":      on(routeTables, "RouteTableId"),
	"ReplaceRoute":     on(routeTables, "RouteTableId"),
	"DeleteRoute":      on(routeTables, "RouteTableId"),
	"AssociateRouteTable": {resources: []resource{
		of(routeTables, "RouteTableId"), maybe(subnets, "SubnetId"), maybe(internetGateways, "GatewayId"),
	}},
	"DisassociateRouteTable":       {unknown: true},
	"ReplaceRouteTableAssociation": {unknown: true},

	"CreateNetworkAcl":             {resources: []resource{created(networkACLs), of(vpcs, "VpcId")}},
	"DeleteNetworkAcl":             on(networkACLs, "NetworkAclId"),
	"CreateNetworkAclEntry":        on(networkACLs, "NetworkAclId"),
	"ReplaceNetworkAclEntry":       on(networkACLs, "NetworkAclId"),
	"DeleteNetworkAclEntry":        on(networkACLs, "NetworkAclId"),
	"ReplaceNetworkAclAssociation": {unknown: true},

	"CreateNetworkInterface": {resources: []resource{
		created(networkInterfaces), of(subnets, "SubnetId"), maybe(securityGroups, "Groups"),
	}},
	"DeleteNetworkInterface": on(networkInterfaces, "NetworkInterfaceId"),
	"AttachNetworkInterface": {resources: []resource{
		of(networkInterfaces, "NetworkInterfaceId"), of(instances, "InstanceId"),
	}},
	"DetachNetworkInterface": {resources: []resource{
		{fields: []string{"AttachmentId"}, find: attachedInterface},
		{fields: []string{"AttachmentId"}, find: attachedInstance},
	}},
	"ModifyNetworkInterfaceAttribute": {resources: []resource{
		of(networkInterfaces, "NetworkInterfaceId"), maybe(securityGroups, "Groups"),
	}},
	"ResetNetworkInterfaceAttribute": on(networkInterfaces, "NetworkInterfaceId"),
	"AssignPrivateIpAddresses":       on(networkInterfaces, "NetworkInterfaceId"),
	"UnassignPrivateIpAddresses":     on(networkInterfaces, "NetworkInterfaceId"),
	"AssignIpv6Addresses":            on(networkInterfaces, "NetworkInterfaceId"),
	"UnassignIpv6Addresses":          on(networkInterfaces, "NetworkInterfaceId"),

	"CreateSecurityGroup": {resources: []resource{created(securityGroups), of(vpcs, "VpcId")}},
	"DeleteSecurityGroup": {resources: []resource{onSecurityGroup}},
	"AuthorizeSecurityGroupIngress": {
		resources: []resource{onSecurityGroup, created(securityGroupRules)},
	},
	"AuthorizeSecurityGroupEgress": {
		resources: []resource{of(securityGroups, "GroupId"), created(securityGroupRules)},
	},
	"RevokeSecurityGroupIngress": {
		resources: []resource{onSecurityGroup, maybe(securityGroupRules, "SecurityGroupRuleIds")},
	},
	"RevokeSecurityGroupEgress": {
		resources: []resource{of(securityGroups, "GroupId"), maybe(securityGroupRules, "SecurityGroupRuleIds")},
	},
	"ModifySecurityGroupRules": {resources: []resource{
		of(securityGroups, "GroupId"), of(securityGroupRules, "SecurityGroupRules.SecurityGroupRuleId"),
	}},
	"UpdateSecurityGroupRuleDescriptionsIngress": {resources: []resource{onSecurityGroup}},
	"UpdateSecurityGroupRuleDescriptionsEgress":  {resources: []resource{onSecurityGroup}},

	"CreateInstanceConnectEndpoint": {resources: []resource{
		created(connectEndpoints), of(subnets, "SubnetId"), maybe(securityGroups, "SecurityGroupIds"),
	}},
	"DeleteInstanceConnectEndpoint": on(connectEndpoints, "InstanceConnectEndpointId"),

	"CreateKeyPair": {resources: []resource{{fields: []string{"KeyName"}, find: keyPairNamed}}},
	"ImportKeyPair": {resources: []resource{{fields: []string{"KeyName"}, find: keyPairNamed}}},
	"DeleteKeyPair": {resources: []resource{{fields: []string{"KeyName", "KeyPairId"}, find: keyPair}}},

	"CreateLaunchTemplate":         {resources: []resource{created(launchTemplates)}},
	"ModifyLaunchTemplate":         {resources: []resource{onLaunchTemplate}},
	"DeleteLaunchTemplate":         {resources: []resource{onLaunchTemplate}},
	"CreateLaunchTemplateVersion":  {resources: []resource{onLaunchTemplate}},
	"DeleteLaunchTemplateVersions": {resources: []resource{onLaunchTemplate}},
}

var (
	onSecurityGroup  = resource{fields: []string{"GroupId", "GroupName"}, find: securityGroup}
	onLaunchTemplate = resource{fields: []string{"LaunchTemplateId", "LaunchTemplateName"}, find: launchTemplate}
)

// on describes an operation on the resources of one kind.
func on(k kind, field string) operation { return operation{resources: []resource{of(k, field)}} }

// of describes the resources of a kind whose ids are in a field.
func of(k kind, field string) resource { return resource{fields: []string{field}, find: k.withID} }

// maybe is of for a field that an input may omit.
func maybe(k kind, field string) resource {
	r := of(k, field)
	r.optional = true
	return r
}

// created describes resources of a kind that the call will create.
func created(k kind) resource {
	return resource{find: func(s *subject, _ string) []target { return k.withID(s, "*") }}
}
