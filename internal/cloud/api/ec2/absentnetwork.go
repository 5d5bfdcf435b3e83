package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// DescribeVpcEndpointConnections lists connections to endpoint services.
func (a *API) DescribeVpcEndpointConnections(
	ctx context.Context, in *ec2.DescribeVpcEndpointConnectionsInput,
) (*ec2.DescribeVpcEndpointConnectionsOutput, error) {
	out := &ec2.DescribeVpcEndpointConnectionsOutput{VpcEndpointConnections: []types.VpcEndpointConnection{}}
	return out, a.none(ctx, absent{
		operation: "DescribeVpcEndpointConnections",
		dryRun:    in.DryRun, filters: in.Filters, page: pageRequest{in.MaxResults, in.NextToken},
	})
}

// DescribeVpcEndpointServiceConfigurations lists endpoint services of the account.
func (a *API) DescribeVpcEndpointServiceConfigurations(
	ctx context.Context, in *ec2.DescribeVpcEndpointServiceConfigurationsInput,
) (*ec2.DescribeVpcEndpointServiceConfigurationsOutput, error) {
	out := &ec2.DescribeVpcEndpointServiceConfigurationsOutput{
		ServiceConfigurations: []types.ServiceConfiguration{},
	}
	return out, a.none(ctx, absent{
		operation: "DescribeVpcEndpointServiceConfigurations",
		dryRun:    in.DryRun, ids: in.ServiceIds, filters: in.Filters, page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidVpcEndpointServiceId.NotFound", text: "The VpcEndpointService Id",
	})
}

// DescribeCarrierGateways lists carrier gateways.
func (a *API) DescribeCarrierGateways(
	ctx context.Context, in *ec2.DescribeCarrierGatewaysInput,
) (*ec2.DescribeCarrierGatewaysOutput, error) {
	out := &ec2.DescribeCarrierGatewaysOutput{CarrierGateways: []types.CarrierGateway{}}
	return out, a.none(ctx, absent{
		operation: "DescribeCarrierGateways",
		dryRun:    in.DryRun, ids: in.CarrierGatewayIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidCarrierGatewayID.NotFound", text: "The carrierGateway ID",
	})
}

// DescribeVpnGateways lists virtual private gateways.
func (a *API) DescribeVpnGateways(
	ctx context.Context, in *ec2.DescribeVpnGatewaysInput,
) (*ec2.DescribeVpnGatewaysOutput, error) {
	out := &ec2.DescribeVpnGatewaysOutput{VpnGateways: []types.VpnGateway{}}
	return out, a.none(ctx, absent{
		operation: "DescribeVpnGateways",
		dryRun:    in.DryRun, ids: in.VpnGatewayIds, filters: in.Filters,
		code: "InvalidVpnGatewayID.NotFound", text: "The vpnGateway ID",
	})
}

// DescribeVpnConnections lists VPN connections.
func (a *API) DescribeVpnConnections(
	ctx context.Context, in *ec2.DescribeVpnConnectionsInput,
) (*ec2.DescribeVpnConnectionsOutput, error) {
	out := &ec2.DescribeVpnConnectionsOutput{VpnConnections: []types.VpnConnection{}}
	return out, a.none(ctx, absent{
		operation: "DescribeVpnConnections",
		dryRun:    in.DryRun, ids: in.VpnConnectionIds, filters: in.Filters,
		code: "InvalidVpnConnectionID.NotFound", text: "The vpnConnection ID",
	})
}

// DescribeCustomerGateways lists customer gateways.
func (a *API) DescribeCustomerGateways(
	ctx context.Context, in *ec2.DescribeCustomerGatewaysInput,
) (*ec2.DescribeCustomerGatewaysOutput, error) {
	out := &ec2.DescribeCustomerGatewaysOutput{CustomerGateways: []types.CustomerGateway{}}
	return out, a.none(ctx, absent{
		operation: "DescribeCustomerGateways",
		dryRun:    in.DryRun, ids: in.CustomerGatewayIds, filters: in.Filters,
		code: "InvalidCustomerGatewayID.NotFound", text: "The customerGateway ID",
	})
}

// DescribeClientVpnEndpoints lists Client VPN endpoints.
func (a *API) DescribeClientVpnEndpoints(
	ctx context.Context, in *ec2.DescribeClientVpnEndpointsInput,
) (*ec2.DescribeClientVpnEndpointsOutput, error) {
	out := &ec2.DescribeClientVpnEndpointsOutput{ClientVpnEndpoints: []types.ClientVpnEndpoint{}}
	return out, a.none(ctx, absent{
		operation: "DescribeClientVpnEndpoints",
		dryRun:    in.DryRun, ids: in.ClientVpnEndpointIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidClientVpnEndpointId.NotFound", text: "Endpoint",
	})
}

// DescribeTransitGateways lists transit gateways.
func (a *API) DescribeTransitGateways(
	ctx context.Context, in *ec2.DescribeTransitGatewaysInput,
) (*ec2.DescribeTransitGatewaysOutput, error) {
	out := &ec2.DescribeTransitGatewaysOutput{TransitGateways: []types.TransitGateway{}}
	return out, a.none(ctx, absent{
		operation: "DescribeTransitGateways",
		dryRun:    in.DryRun, ids: in.TransitGatewayIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidTransitGatewayID.NotFound", text: "Transit Gateway",
	})
}

// DescribeTransitGatewayAttachments lists attachments of transit gateways.
func (a *API) DescribeTransitGatewayAttachments(
	ctx context.Context, in *ec2.DescribeTransitGatewayAttachmentsInput,
) (*ec2.DescribeTransitGatewayAttachmentsOutput, error) {
	out := &ec2.DescribeTransitGatewayAttachmentsOutput{
		TransitGatewayAttachments: []types.TransitGatewayAttachment{},
	}
	return out, a.none(ctx, absent{
		operation: "DescribeTransitGatewayAttachments",
		dryRun:    in.DryRun, ids: in.TransitGatewayAttachmentIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidTransitGatewayAttachmentID.NotFound", text: "Transit Gateway Attachment",
	})
}

// DescribeTransitGatewayVpcAttachments lists VPC attachments of transit gateways.
func (a *API) DescribeTransitGatewayVpcAttachments(
	ctx context.Context, in *ec2.DescribeTransitGatewayVpcAttachmentsInput,
) (*ec2.DescribeTransitGatewayVpcAttachmentsOutput, error) {
	out := &ec2.DescribeTransitGatewayVpcAttachmentsOutput{
		TransitGatewayVpcAttachments: []types.TransitGatewayVpcAttachment{},
	}
	return out, a.none(ctx, absent{
		operation: "DescribeTransitGatewayVpcAttachments",
		dryRun:    in.DryRun, ids: in.TransitGatewayAttachmentIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidTransitGatewayAttachmentID.NotFound", text: "Transit Gateway Attachment",
	})
}

// DescribeTransitGatewayRouteTables lists route tables of transit gateways.
func (a *API) DescribeTransitGatewayRouteTables(
	ctx context.Context, in *ec2.DescribeTransitGatewayRouteTablesInput,
) (*ec2.DescribeTransitGatewayRouteTablesOutput, error) {
	out := &ec2.DescribeTransitGatewayRouteTablesOutput{
		TransitGatewayRouteTables: []types.TransitGatewayRouteTable{},
	}
	return out, a.none(ctx, absent{
		operation: "DescribeTransitGatewayRouteTables",
		dryRun:    in.DryRun, ids: in.TransitGatewayRouteTableIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidRouteTableID.NotFound", text: "Transit Gateway Route Table",
	})
}

// DescribeLocalGateways lists local gateways.
func (a *API) DescribeLocalGateways(
	ctx context.Context, in *ec2.DescribeLocalGatewaysInput,
) (*ec2.DescribeLocalGatewaysOutput, error) {
	out := &ec2.DescribeLocalGatewaysOutput{LocalGateways: []types.LocalGateway{}}
	return out, a.none(ctx, absent{
		operation: "DescribeLocalGateways",
		dryRun:    in.DryRun, ids: in.LocalGatewayIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidLocalGatewayID.NotFound", text: "The localGateway ID",
	})
}

// DescribeCoipPools lists customer-owned address pools.
func (a *API) DescribeCoipPools(
	ctx context.Context, in *ec2.DescribeCoipPoolsInput,
) (*ec2.DescribeCoipPoolsOutput, error) {
	out := &ec2.DescribeCoipPoolsOutput{CoipPools: []types.CoipPool{}}
	return out, a.none(ctx, absent{
		operation: "DescribeCoipPools",
		dryRun:    in.DryRun, ids: in.PoolIds, filters: in.Filters, page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidPoolID.NotFound", text: "The pool ID",
	})
}

// DescribeIpv6Pools lists IPv6 address pools.
func (a *API) DescribeIpv6Pools(
	ctx context.Context, in *ec2.DescribeIpv6PoolsInput,
) (*ec2.DescribeIpv6PoolsOutput, error) {
	out := &ec2.DescribeIpv6PoolsOutput{Ipv6Pools: []types.Ipv6Pool{}}
	return out, a.none(ctx, absent{
		operation: "DescribeIpv6Pools",
		dryRun:    in.DryRun, ids: in.PoolIds, filters: in.Filters, page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidPoolID.NotFound", text: "The pool ID",
	})
}

// DescribePublicIpv4Pools lists IPv4 address pools.
func (a *API) DescribePublicIpv4Pools(
	ctx context.Context, in *ec2.DescribePublicIpv4PoolsInput,
) (*ec2.DescribePublicIpv4PoolsOutput, error) {
	out := &ec2.DescribePublicIpv4PoolsOutput{PublicIpv4Pools: []types.PublicIpv4Pool{}}
	return out, a.none(ctx, absent{
		operation: "DescribePublicIpv4Pools",
		ids:       in.PoolIds, filters: in.Filters, page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidPublicIpv4PoolID.NotFound", text: "The pool ID",
	})
}

// DescribeTrafficMirrorSessions lists traffic mirror sessions.
func (a *API) DescribeTrafficMirrorSessions(
	ctx context.Context, in *ec2.DescribeTrafficMirrorSessionsInput,
) (*ec2.DescribeTrafficMirrorSessionsOutput, error) {
	out := &ec2.DescribeTrafficMirrorSessionsOutput{TrafficMirrorSessions: []types.TrafficMirrorSession{}}
	return out, a.none(ctx, absent{
		operation: "DescribeTrafficMirrorSessions",
		dryRun:    in.DryRun, ids: in.TrafficMirrorSessionIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidTrafficMirrorSessionId.NotFound", text: "The trafficMirrorSession ID",
	})
}

// DescribeTrafficMirrorTargets lists traffic mirror targets.
func (a *API) DescribeTrafficMirrorTargets(
	ctx context.Context, in *ec2.DescribeTrafficMirrorTargetsInput,
) (*ec2.DescribeTrafficMirrorTargetsOutput, error) {
	out := &ec2.DescribeTrafficMirrorTargetsOutput{TrafficMirrorTargets: []types.TrafficMirrorTarget{}}
	return out, a.none(ctx, absent{
		operation: "DescribeTrafficMirrorTargets",
		dryRun:    in.DryRun, ids: in.TrafficMirrorTargetIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidTrafficMirrorTargetId.NotFound", text: "The trafficMirrorTarget ID",
	})
}

// DescribeTrafficMirrorFilters lists traffic mirror filters.
func (a *API) DescribeTrafficMirrorFilters(
	ctx context.Context, in *ec2.DescribeTrafficMirrorFiltersInput,
) (*ec2.DescribeTrafficMirrorFiltersOutput, error) {
	out := &ec2.DescribeTrafficMirrorFiltersOutput{TrafficMirrorFilters: []types.TrafficMirrorFilter{}}
	return out, a.none(ctx, absent{
		operation: "DescribeTrafficMirrorFilters",
		dryRun:    in.DryRun, ids: in.TrafficMirrorFilterIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidTrafficMirrorFilterId.NotFound", text: "The trafficMirrorFilter ID",
	})
}

// DescribeNetworkInterfacePermissions lists permissions for network interfaces.
func (a *API) DescribeNetworkInterfacePermissions(
	ctx context.Context, in *ec2.DescribeNetworkInterfacePermissionsInput,
) (*ec2.DescribeNetworkInterfacePermissionsOutput, error) {
	out := &ec2.DescribeNetworkInterfacePermissionsOutput{
		NetworkInterfacePermissions: []types.NetworkInterfacePermission{},
	}
	return out, a.none(ctx, absent{
		operation: "DescribeNetworkInterfacePermissions",
		ids:       in.NetworkInterfacePermissionIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidPermissionID.NotFound", text: "The networkInterfacePermission ID",
	})
}

// DescribeIpams lists IP address managers.
func (a *API) DescribeIpams(ctx context.Context, in *ec2.DescribeIpamsInput) (*ec2.DescribeIpamsOutput, error) {
	out := &ec2.DescribeIpamsOutput{Ipams: []types.Ipam{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.IpamIds, filters: in.Filters, page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidIpamId.NotFound", text: "The ipam ID",
	})
}

// DescribeIpamPools lists pools of IP address managers.
func (a *API) DescribeIpamPools(
	ctx context.Context, in *ec2.DescribeIpamPoolsInput,
) (*ec2.DescribeIpamPoolsOutput, error) {
	out := &ec2.DescribeIpamPoolsOutput{IpamPools: []types.IpamPool{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.IpamPoolIds, filters: in.Filters, page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidIpamPoolId.NotFound", text: "The ipamPool ID",
	})
}

// DescribeIpamScopes lists scopes of IP address managers.
func (a *API) DescribeIpamScopes(
	ctx context.Context, in *ec2.DescribeIpamScopesInput,
) (*ec2.DescribeIpamScopesOutput, error) {
	out := &ec2.DescribeIpamScopesOutput{IpamScopes: []types.IpamScope{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.IpamScopeIds, filters: in.Filters, page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidIpamScopeId.NotFound", text: "The ipamScope ID",
	})
}

// DescribeMovingAddresses lists addresses on the way to EC2-Classic or back.
func (a *API) DescribeMovingAddresses(
	ctx context.Context, in *ec2.DescribeMovingAddressesInput,
) (*ec2.DescribeMovingAddressesOutput, error) {
	out := &ec2.DescribeMovingAddressesOutput{MovingAddressStatuses: []types.MovingAddressStatus{}}
	return out, a.none(ctx, absent{
		operation: "DescribeMovingAddresses",
		dryRun:    in.DryRun, ids: in.PublicIps, filters: in.Filters, page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidAddress.NotFound", text: "The address",
	})
}

// DescribeAddressTransfers lists transfers of Elastic IP addresses to other accounts.
func (a *API) DescribeAddressTransfers(
	ctx context.Context, in *ec2.DescribeAddressTransfersInput,
) (*ec2.DescribeAddressTransfersOutput, error) {
	out := &ec2.DescribeAddressTransfersOutput{AddressTransfers: []types.AddressTransfer{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.AllocationIds, page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidAllocationID.NotFound", text: "The allocation ID",
	})
}

// DescribeVpcBlockPublicAccessExclusions lists exclusions from blocked public access.
func (a *API) DescribeVpcBlockPublicAccessExclusions(
	ctx context.Context, in *ec2.DescribeVpcBlockPublicAccessExclusionsInput,
) (*ec2.DescribeVpcBlockPublicAccessExclusionsOutput, error) {
	out := &ec2.DescribeVpcBlockPublicAccessExclusionsOutput{
		VpcBlockPublicAccessExclusions: []types.VpcBlockPublicAccessExclusion{},
	}
	return out, a.none(ctx, absent{
		operation: "DescribeVpcBlockPublicAccessExclusions",
		dryRun:    in.DryRun, ids: in.ExclusionIds, filters: in.Filters, page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidVpcBlockPublicAccessExclusionId.NotFound", text: "The exclusion ID",
	})
}

// DescribeSecurityGroupVpcAssociations lists associations of security groups with other VPCs.
func (a *API) DescribeSecurityGroupVpcAssociations(
	ctx context.Context, in *ec2.DescribeSecurityGroupVpcAssociationsInput,
) (*ec2.DescribeSecurityGroupVpcAssociationsOutput, error) {
	out := &ec2.DescribeSecurityGroupVpcAssociationsOutput{
		SecurityGroupVpcAssociations: []types.SecurityGroupVpcAssociation{},
	}
	return out, a.none(ctx, absent{
		operation: "DescribeSecurityGroupVpcAssociations",
		dryRun:    in.DryRun, filters: in.Filters, page: pageRequest{in.MaxResults, in.NextToken},
	})
}

// DescribeClassicLinkInstances lists instances of EC2-Classic.
func (a *API) DescribeClassicLinkInstances(
	ctx context.Context, in *ec2.DescribeClassicLinkInstancesInput,
) (*ec2.DescribeClassicLinkInstancesOutput, error) {
	out := &ec2.DescribeClassicLinkInstancesOutput{Instances: []types.ClassicLinkInstance{}}
	return out, a.none(ctx, absent{
		operation: "DescribeClassicLinkInstances",
		dryRun:    in.DryRun, ids: in.InstanceIds, filters: in.Filters, page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidInstanceID.NotFound", text: "The instance ID",
	})
}
