package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// DescribeTrunkInterfaceAssociations lists associations of trunk interfaces.
func (a *API) DescribeTrunkInterfaceAssociations(
	ctx context.Context, in *ec2.DescribeTrunkInterfaceAssociationsInput,
) (*ec2.DescribeTrunkInterfaceAssociationsOutput, error) {
	out := &ec2.DescribeTrunkInterfaceAssociationsOutput{InterfaceAssociations: []types.TrunkInterfaceAssociation{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.AssociationIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidAssociationID.NotFound", text: "The association ID",
	})
}

// DescribeVpcEncryptionControls lists controls of the encryption in VPCs.
func (a *API) DescribeVpcEncryptionControls(
	ctx context.Context, in *ec2.DescribeVpcEncryptionControlsInput,
) (*ec2.DescribeVpcEncryptionControlsOutput, error) {
	out := &ec2.DescribeVpcEncryptionControlsOutput{VpcEncryptionControls: []types.VpcEncryptionControl{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.VpcEncryptionControlIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidVpcEncryptionControlId.NotFound", text: "The vpcEncryptionControl ID",
	})
}

// DescribeNetworkInsightsPaths lists paths of the Reachability Analyzer.
func (a *API) DescribeNetworkInsightsPaths(
	ctx context.Context, in *ec2.DescribeNetworkInsightsPathsInput,
) (*ec2.DescribeNetworkInsightsPathsOutput, error) {
	out := &ec2.DescribeNetworkInsightsPathsOutput{NetworkInsightsPaths: []types.NetworkInsightsPath{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.NetworkInsightsPathIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidNetworkInsightsPathId.NotFound", text: "The networkInsightsPath ID",
	})
}

// DescribeNetworkInsightsAnalyses lists analyses of the Reachability Analyzer.
func (a *API) DescribeNetworkInsightsAnalyses(
	ctx context.Context, in *ec2.DescribeNetworkInsightsAnalysesInput,
) (*ec2.DescribeNetworkInsightsAnalysesOutput, error) {
	out := &ec2.DescribeNetworkInsightsAnalysesOutput{NetworkInsightsAnalyses: []types.NetworkInsightsAnalysis{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.NetworkInsightsAnalysisIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidNetworkInsightsAnalysisId.NotFound", text: "The networkInsightsAnalysis ID",
	})
}

// DescribeVerifiedAccessInstances lists instances of Verified Access.
func (a *API) DescribeVerifiedAccessInstances(
	ctx context.Context, in *ec2.DescribeVerifiedAccessInstancesInput,
) (*ec2.DescribeVerifiedAccessInstancesOutput, error) {
	out := &ec2.DescribeVerifiedAccessInstancesOutput{VerifiedAccessInstances: []types.VerifiedAccessInstance{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.VerifiedAccessInstanceIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidVerifiedAccessInstanceId.NotFound", text: "The verifiedAccessInstance ID",
	})
}

// DescribeVerifiedAccessGroups lists groups of Verified Access.
func (a *API) DescribeVerifiedAccessGroups(
	ctx context.Context, in *ec2.DescribeVerifiedAccessGroupsInput,
) (*ec2.DescribeVerifiedAccessGroupsOutput, error) {
	out := &ec2.DescribeVerifiedAccessGroupsOutput{VerifiedAccessGroups: []types.VerifiedAccessGroup{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.VerifiedAccessGroupIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidVerifiedAccessGroupId.NotFound", text: "The verifiedAccessGroup ID",
	})
}

// DescribeVerifiedAccessEndpoints lists endpoints of Verified Access.
func (a *API) DescribeVerifiedAccessEndpoints(
	ctx context.Context, in *ec2.DescribeVerifiedAccessEndpointsInput,
) (*ec2.DescribeVerifiedAccessEndpointsOutput, error) {
	out := &ec2.DescribeVerifiedAccessEndpointsOutput{VerifiedAccessEndpoints: []types.VerifiedAccessEndpoint{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.VerifiedAccessEndpointIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidVerifiedAccessEndpointId.NotFound", text: "The verifiedAccessEndpoint ID",
	})
}

// DescribeVerifiedAccessTrustProviders lists trust providers of Verified Access.
func (a *API) DescribeVerifiedAccessTrustProviders(
	ctx context.Context, in *ec2.DescribeVerifiedAccessTrustProvidersInput,
) (*ec2.DescribeVerifiedAccessTrustProvidersOutput, error) {
	out := &ec2.DescribeVerifiedAccessTrustProvidersOutput{
		VerifiedAccessTrustProviders: []types.VerifiedAccessTrustProvider{},
	}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.VerifiedAccessTrustProviderIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidVerifiedAccessTrustProviderId.NotFound", text: "The verifiedAccessTrustProvider ID",
	})
}

// DescribeTransitGatewayPeeringAttachments lists peering attachments of transit gateways.
func (a *API) DescribeTransitGatewayPeeringAttachments(
	ctx context.Context, in *ec2.DescribeTransitGatewayPeeringAttachmentsInput,
) (*ec2.DescribeTransitGatewayPeeringAttachmentsOutput, error) {
	out := &ec2.DescribeTransitGatewayPeeringAttachmentsOutput{
		TransitGatewayPeeringAttachments: []types.TransitGatewayPeeringAttachment{},
	}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.TransitGatewayAttachmentIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidTransitGatewayAttachmentID.NotFound", text: "The transitGatewayAttachment ID",
	})
}

// DescribeTransitGatewayMulticastDomains lists multicast domains of transit gateways.
func (a *API) DescribeTransitGatewayMulticastDomains(
	ctx context.Context, in *ec2.DescribeTransitGatewayMulticastDomainsInput,
) (*ec2.DescribeTransitGatewayMulticastDomainsOutput, error) {
	out := &ec2.DescribeTransitGatewayMulticastDomainsOutput{
		TransitGatewayMulticastDomains: []types.TransitGatewayMulticastDomain{},
	}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.TransitGatewayMulticastDomainIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidTransitGatewayMulticastDomainId.NotFound", text: "The transitGatewayMulticastDomain ID",
	})
}

// DescribeTransitGatewayConnects lists Connect attachments of transit gateways.
func (a *API) DescribeTransitGatewayConnects(
	ctx context.Context, in *ec2.DescribeTransitGatewayConnectsInput,
) (*ec2.DescribeTransitGatewayConnectsOutput, error) {
	out := &ec2.DescribeTransitGatewayConnectsOutput{TransitGatewayConnects: []types.TransitGatewayConnect{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.TransitGatewayAttachmentIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidTransitGatewayAttachmentID.NotFound", text: "The transitGatewayAttachment ID",
	})
}

// DescribeRouteServers lists route servers.
func (a *API) DescribeRouteServers(
	ctx context.Context, in *ec2.DescribeRouteServersInput,
) (*ec2.DescribeRouteServersOutput, error) {
	out := &ec2.DescribeRouteServersOutput{RouteServers: []types.RouteServer{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.RouteServerIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidRouteServerId.NotFound", text: "The routeServer ID",
	})
}

// DescribeLocalGatewayRouteTables lists route tables of local gateways.
func (a *API) DescribeLocalGatewayRouteTables(
	ctx context.Context, in *ec2.DescribeLocalGatewayRouteTablesInput,
) (*ec2.DescribeLocalGatewayRouteTablesOutput, error) {
	out := &ec2.DescribeLocalGatewayRouteTablesOutput{LocalGatewayRouteTables: []types.LocalGatewayRouteTable{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.LocalGatewayRouteTableIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidLocalGatewayRouteTableID.NotFound", text: "The localGatewayRouteTable ID",
	})
}

// DescribeByoipCidrs lists address ranges that the account brought.
func (a *API) DescribeByoipCidrs(
	ctx context.Context, in *ec2.DescribeByoipCidrsInput,
) (*ec2.DescribeByoipCidrsOutput, error) {
	out := &ec2.DescribeByoipCidrsOutput{ByoipCidrs: []types.ByoipCidr{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, page: pageRequest{in.MaxResults, in.NextToken},
	})
}

// DescribeIpamResourceDiscoveries lists resource discoveries of IP address managers.
func (a *API) DescribeIpamResourceDiscoveries(
	ctx context.Context, in *ec2.DescribeIpamResourceDiscoveriesInput,
) (*ec2.DescribeIpamResourceDiscoveriesOutput, error) {
	out := &ec2.DescribeIpamResourceDiscoveriesOutput{IpamResourceDiscoveries: []types.IpamResourceDiscovery{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.IpamResourceDiscoveryIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidIpamResourceDiscoveryId.NotFound", text: "The ipamResourceDiscovery ID",
	})
}

// DescribeIpamResourceDiscoveryAssociations lists associations of resource discoveries.
func (a *API) DescribeIpamResourceDiscoveryAssociations(
	ctx context.Context, in *ec2.DescribeIpamResourceDiscoveryAssociationsInput,
) (*ec2.DescribeIpamResourceDiscoveryAssociationsOutput, error) {
	out := &ec2.DescribeIpamResourceDiscoveryAssociationsOutput{
		IpamResourceDiscoveryAssociations: []types.IpamResourceDiscoveryAssociation{},
	}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.IpamResourceDiscoveryAssociationIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidIpamResourceDiscoveryAssociationId.NotFound", text: "The ipamResourceDiscoveryAssociation ID",
	})
}

// DescribeVpcEndpointConnectionNotifications lists notifications of connections of endpoints.
func (a *API) DescribeVpcEndpointConnectionNotifications(
	ctx context.Context, in *ec2.DescribeVpcEndpointConnectionNotificationsInput,
) (*ec2.DescribeVpcEndpointConnectionNotificationsOutput, error) {
	out := &ec2.DescribeVpcEndpointConnectionNotificationsOutput{
		ConnectionNotificationSet: []types.ConnectionNotification{},
	}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: oneID(in.ConnectionNotificationId), filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidConnectionNotification", text: "The connection notification ID",
	})
}

// DescribeAwsNetworkPerformanceMetricSubscriptions lists subscriptions to metrics of Amazon's network.
func (a *API) DescribeAwsNetworkPerformanceMetricSubscriptions(
	ctx context.Context, in *ec2.DescribeAwsNetworkPerformanceMetricSubscriptionsInput,
) (*ec2.DescribeAwsNetworkPerformanceMetricSubscriptionsOutput, error) {
	out := &ec2.DescribeAwsNetworkPerformanceMetricSubscriptionsOutput{Subscriptions: []types.Subscription{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, filters: in.Filters, page: pageRequest{in.MaxResults, in.NextToken},
	})
}
