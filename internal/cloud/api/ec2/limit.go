package ec2

import (
	"strings"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/quota"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// The codes are those of the Amazon EC2 API Reference, Error codes for the Amazon EC2
// API. Clients report the messages about VPCs, subnets, internet gateways, rules and
// vCPUs; the others follow their pattern.

// allows reports whether a quota allows a number of resources.
func (a *API) allows(q quota.Quota, count int) bool {
	return count <= q.Applied(a.Manners.Has(manners.Limits))
}

// limit returns the error for a number of resources that a quota does not allow, or
// nil. what names the resources.
func (a *API) limit(q quota.Quota, count int, code, what string) error {
	if a.allows(q, count) {
		return nil
	}
	return wire.Errorf(code, "The maximum number of %s has been reached.", what)
}

func (a *API) limitVPCs(r store.Reader, region identity.Region) error {
	return a.limit(quota.VPCs, len(store.VPCs.InRegion(r, region))+1, "VpcLimitExceeded", "VPCs")
}

func (a *API) limitInternetGateways(r store.Reader, region identity.Region) error {
	count := len(store.InternetGateways.InRegion(r, region)) + 1
	return a.limit(quota.InternetGateways, count, "InternetGatewayLimitExceeded", "internet gateways")
}

func (a *API) limitEgressOnlyGateways(r store.Reader, region identity.Region) error {
	count := len(store.EgressOnlyGateways.InRegion(r, region)) + 1
	return a.limit(
		quota.EgressOnlyGateways, count, "EgressOnlyInternetGatewayLimitExceeded", "egress-only internet gateways",
	)
}

func (a *API) limitElasticIPs(r store.Reader, region identity.Region) error {
	return a.limit(
		quota.ElasticIPs, len(store.ElasticIPs.InRegion(r, region))+1, "AddressLimitExceeded", "addresses",
	)
}

func (a *API) limitGatewayEndpoints(r store.Reader, region identity.Region) error {
	count := 1
	for _, row := range store.VPCEndpoints.InRegion(r, region) {
		if !row.IsInterface() {
			count++
		}
	}
	return a.limit(quota.GatewayEndpoints, count, "VpcEndpointLimitExceeded", "gateway endpoints")
}

func (a *API) limitInterfaceEndpoints(r store.Reader, vpcID string) error {
	count := 1
	for _, row := range store.VPCEndpointsByVPC.List(r, vpcID) {
		if row.IsInterface() {
			count++
		}
	}
	return a.limit(quota.InterfaceEndpoints, count, "VpcEndpointLimitExceeded", "interface endpoints")
}

func (a *API) limitSubnets(siblings []*store.Subnet) error {
	return a.limit(quota.Subnets, len(siblings)+1, "SubnetLimitExceeded", "subnets")
}

func (a *API) limitRouteTables(r store.Reader, vpc *store.VPC) error {
	count := len(store.RouteTablesByVPC.List(r, vpc.ID)) + 1
	return a.limit(quota.RouteTables, count, "RouteTableLimitExceeded", "route tables")
}

func (a *API) limitRoutes(table *store.RouteTable) error {
	return a.limit(quota.Routes, len(table.Routes)+1, "RouteLimitExceeded", "routes")
}

func (a *API) limitSecurityGroups(r store.Reader, region identity.Region) error {
	count := len(store.SecurityGroups.InRegion(r, region)) + 1
	return a.limit(quota.SecurityGroups, count, "SecurityGroupLimitExceeded", "security groups")
}

func (a *API) limitRules(rules int) error {
	return a.limit(
		quota.SecurityGroupRules, rules, "RulesPerSecurityGroupLimitExceeded", "rules per security group",
	)
}

func (a *API) limitNetworkInterfaces(r store.Reader, region identity.Region) error {
	count := len(store.NetworkInterfaces.InRegion(r, region)) + 1
	return a.limit(quota.NetworkInterfaces, count, "NetworkInterfaceLimitExceeded", "network interfaces")
}

func (a *API) limitInterfaceGroups(groups []string) error {
	return a.limit(
		quota.InterfaceGroups, len(groups), "SecurityGroupsPerInstanceLimitExceeded",
		"security groups for network interface",
	)
}

func (a *API) limitLaunchTemplates(r store.Reader, region identity.Region) error {
	count := len(store.LaunchTemplates.InRegion(r, region)) + 1
	return a.limit(quota.LaunchTemplates, count, "ResourceLimitExceeded", "launch templates")
}

// limitVCPUs returns the error for running more instances of a type in a region, or
// nil. Instances that stop or have stopped do not count (Amazon EC2 User Guide,
// On-Demand Instance quotas).
func (a *API) limitVCPUs(r store.Reader, region identity.Region, instanceType string, more int) error {
	if !a.Manners.Has(manners.Limits) {
		return nil
	}
	vcpus := standardVCPUs(instanceType) * more
	for _, row := range store.Instances.InRegion(r, region) {
		if row.State == store.Pending || row.State == store.Running {
			vcpus += standardVCPUs(row.Type)
		}
	}
	if a.allows(quota.StandardVCPUs, vcpus) {
		return nil
	}
	return wire.Errorf("VcpuLimitExceeded", "You have requested more vCPU capacity than your current vCPU limit of %d "+
		"allows for the instance bucket that the specified instance type belongs to. Please visit "+
		"http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.",
		quota.StandardVCPUs.Applied(true))
}

// standardVCPUs returns how many vCPUs an instance of a type takes from the quota of
// standard instances.
func standardVCPUs(name string) int {
	t, ok := instancetype.ByName(name)
	if !ok || !strings.Contains("acdhimrtz", name[:1]) {
		return 0
	}
	return t.VCPUs
}
