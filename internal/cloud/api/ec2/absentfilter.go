package ec2

import (
	"slices"
	"strings"
)

// absentFilters are the filters of the questions about what the local cloud has none of, apart
// from those by tags, by operation (Amazon EC2 API Reference). The filters of the operations
// that are not in it are not documented.
var absentFilters = map[string]string{
	"DescribeBundleTasks": "bundle-id error-code error-message instance-id " +
		"progress s3-bucket s3-prefix start-time state update-time",
	"DescribeCapacityReservationFleets": "allocation-strategy instance-match-criteria state " +
		"tenancy",
	"DescribeCapacityReservations": "availability-zone end-date end-date-type " +
		"instance-match-criteria instance-platform instance-type outpost-arn owner-id placement-group-arn " +
		"start-date state tenancy",
	"DescribeCarrierGateways":      "carrier-gateway-id owner-id state vpc-id",
	"DescribeClassicLinkInstances": "group-id instance-id vpc-id",
	"DescribeClientVpnEndpoints":   "endpoint-id transport-protocol",
	"DescribeCoipPools": "coip-pool.local-gateway-route-table-id " +
		"coip-pool.pool-id",
	"DescribeCustomerGateways": "bgp-asn customer-gateway-id ip-address state type",
	"DescribeFastSnapshotRestores": "availability-zone availability-zone-id owner-id " +
		"snapshot-id state",
	"DescribeHostReservations": "instance-family payment-option state",
	"DescribeHosts": "auto-placement availability-zone client-token " +
		"host-reservation-id instance-type state",
	"DescribeInstanceEventWindows": "dedicated-host-id event-window-name instance-id " +
		"instance-tag instance-tag-key instance-tag-value",
	"DescribeIpv6Pools":       "",
	"DescribeLocalGateways":   "local-gateway-id outpost-arn owner-id state",
	"DescribeMovingAddresses": "moving-status",
	"DescribeNetworkInterfacePermissions": "network-interface-permission.aws-account-id " +
		"network-interface-permission.aws-service network-interface-permission.network-interface-id " +
		"network-interface-permission.network-interface-permission-id " +
		"network-interface-permission.permission",
	"DescribePublicIpv4Pools": "",
	"DescribeReservedInstances": "availability-zone availability-zone-id duration end " +
		"fixed-price instance-type product-description reserved-instances-id scope start state " +
		"usage-price",
	"DescribeSecurityGroupVpcAssociations": "group-id group-owner-id state vpc-id vpc-owner-id",
	"DescribeTrafficMirrorFilters":         "description traffic-mirror-filter-id",
	"DescribeTrafficMirrorSessions": "description network-interface-id owner-id " +
		"packet-length session-number traffic-mirror-filter-id traffic-mirror-session-id " +
		"traffic-mirror-target-id virtual-network-id",
	"DescribeTrafficMirrorTargets": "description network-interface-id " +
		"network-load-balancer-arn owner-id traffic-mirror-target-id",
	"DescribeTransitGatewayAttachments": "association.state " +
		"association.transit-gateway-route-table-id resource-id resource-owner-id resource-type state " +
		"transit-gateway-attachment-id transit-gateway-id transit-gateway-owner-id",
	"DescribeTransitGatewayRouteTables": "default-association-route-table " +
		"default-propagation-route-table state transit-gateway-id transit-gateway-route-table-id",
	"DescribeTransitGatewayVpcAttachments": "state transit-gateway-attachment-id " +
		"transit-gateway-id vpc-id",
	"DescribeTransitGateways": "options.amazon-side-asn " +
		"options.association-default-route-table-id options.auto-accept-shared-attachments " +
		"options.default-route-table-association options.default-route-table-propagation " +
		"options.dns-support options.propagation-default-route-table-id options.vpn-ecmp-support owner-id " +
		"state transit-gateway-id",
	"DescribeVpcBlockPublicAccessExclusions": "internet-gateway-exclusion-mode resource-arn state",
	"DescribeVpcEndpointConnections": "ip-address-type service-id vpc-endpoint-id " +
		"vpc-endpoint-owner vpc-endpoint-region vpc-endpoint-state",
	"DescribeVpcEndpointServiceConfigurations": "service-id service-name service-state " +
		"supported-ip-address-types",
	"DescribeVpnConnections": "bgp-asn customer-gateway-configuration " +
		"customer-gateway-id option.static-routes-only route.destination-cidr-block state " +
		"transit-gateway-id type vpn-connection-id vpn-gateway-id",
	"DescribeVpnGateways": "amazon-side-asn attachment.state attachment.vpc-id " +
		"availability-zone state type vpn-gateway-id",
}

// hasFilter reports whether an operation of absentFilters has a filter.
func hasFilter(operation, name string) bool {
	known, documented := absentFilters[operation]
	isTag := strings.HasPrefix(name, byTag) || name == "tag-key" || name == "tag-value"
	return !documented || isTag || slices.Contains(strings.Fields(known), name)
}
