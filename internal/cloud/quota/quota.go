// Package quota is the catalogue of the account's quotas that the local cloud has:
// AWS's service quotas with their codes, names and default values.
//
// Sources: "Amazon VPC quotas", "Amazon EC2 endpoints and quotas", "Quotas for your
// Application Load Balancers", "Quotas for your Network Load Balancers", "Quotas for Auto
// Scaling resources and groups", and for the codes the links of those pages to the Service
// Quotas console.
package quota

import (
	"cmp"
	"maps"
	"slices"
)

// Quota is a limit of an account in a region, or of one resource in it.
type Quota struct {
	Service string // service code: "vpc"
	Code    string // "L-F678F1CE"
	Name    string
	Default int // of an account that never asked for more
	// Granted is what AWS applies to a new account of its own accord, if that is not
	// the default.
	Granted int
	// Fixed says that the local cloud applies the default even if it does not have
	// the manner of limits.
	Fixed bool
}

// Raised is the value of the quotas that a local cloud without limits applies: more
// than one computer can hold.
const Raised = 100_000

// The quotas.
var (
	VPCs      = Quota{Service: "vpc", Code: "L-F678F1CE", Name: "VPCs per Region", Default: 5}
	VPCBlocks = Quota{
		Service: "vpc", Code: "L-83CA0A9D", Name: "IPv4 CIDR blocks per VPC", Default: 5, Fixed: true,
	}
	VPCIPv6Blocks = Quota{
		Service: "vpc", Code: "L-085A6257", Name: "IPv6 CIDR blocks per VPC", Default: 5, Fixed: true,
	}
	EgressOnlyGateways = Quota{
		Service: "vpc", Code: "L-45FE3B85", Name: "Egress-only internet gateways per Region", Default: 5,
	}
	PeeringConnections = Quota{
		Service: "vpc", Code: "L-7E9ECCDB", Name: "Active VPC peering connections per VPC", Default: 50,
	}
	GatewayEndpoints = Quota{
		Service: "vpc", Code: "L-1B52E74A", Name: "Gateway VPC endpoints per Region", Default: 20,
	}
	InterfaceEndpoints = Quota{
		Service: "vpc", Code: "L-29B6F2EB", Name: "Interface VPC endpoints per VPC", Default: 50,
	}
	InternetGateways = Quota{Service: "vpc", Code: "L-A4707A72", Name: "Internet gateways per Region", Default: 5}
	Subnets          = Quota{Service: "vpc", Code: "L-407747CB", Name: "Subnets per VPC", Default: 200}
	RouteTables      = Quota{Service: "vpc", Code: "L-589F43AA", Name: "Route tables per VPC", Default: 200}
	SecurityGroups   = Quota{
		Service: "vpc", Code: "L-E79EC296", Name: "VPC security groups per Region", Default: 2500,
	}
	SecurityGroupRules = Quota{
		Service: "vpc", Code: "L-0EA8095F", Name: "Inbound or outbound rules per security group",
		Default: 60, Fixed: true,
	}
	InterfaceGroups = Quota{
		Service: "vpc", Code: "L-2AFB9258", Name: "Security groups per network interface", Default: 5,
	}
	Routes      = Quota{Service: "vpc", Code: "L-93826ACB", Name: "Routes per route table", Default: 50}
	NatGateways = Quota{
		Service: "vpc", Code: "L-FE5A380F", Name: "NAT gateways per Availability Zone", Default: 5,
	}
	NetworkInterfaces = Quota{Service: "vpc", Code: "L-DF5E4CA3", Name: "Network interfaces per Region", Default: 5000}

	// StandardVCPUs counts the vCPUs of running instances whose types begin with A,
	// C, D, H, I, M, R, T or Z. AWS raises this quota by itself as an account is used;
	// users of new accounts report 16 to 32.
	StandardVCPUs = Quota{
		Service: "ec2", Code: "L-1216C47A",
		Name: "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", Default: 5, Granted: 32,
	}
	ElasticIPs = Quota{Service: "ec2", Code: "L-0263D0A3", Name: "EC2-VPC Elastic IPs", Default: 5}
	// Amazon EC2 User Guide, Quotas for EC2 Instance Connect Endpoint. Service Quotas does not
	// list them, so they have no codes.
	ConnectEndpoints       = Quota{Service: "ec2", Name: "EC2 Instance Connect Endpoints per Region", Default: 5}
	ConnectEndpointsPerVPC = Quota{
		Service: "ec2", Name: "EC2 Instance Connect Endpoints per VPC", Default: 1, Fixed: true,
	}
	ConnectEndpointsPerSubnet = Quota{
		Service: "ec2", Name: "EC2 Instance Connect Endpoints per subnet", Default: 1, Fixed: true,
	}
	ConnectTunnels = Quota{
		Service: "ec2", Name: "Concurrent connections per EC2 Instance Connect Endpoint", Default: 20, Fixed: true,
	}
	LaunchTemplates = Quota{Service: "ec2", Code: "L-FB451C26", Name: "Launch templates per Region", Default: 5000}

	LoadBalancers = Quota{
		Service: "elasticloadbalancing", Code: "L-53DA6B97",
		Name: "Application Load Balancers per Region", Default: 50,
	}
	NetworkLoadBalancers = Quota{
		Service: "elasticloadbalancing", Code: "L-69A177A2",
		Name: "Network Load Balancers per Region", Default: 50,
	}
	NetworkListeners = Quota{
		Service: "elasticloadbalancing", Code: "L-57A373D6",
		Name: "Listeners per Network Load Balancer", Default: 50,
	}
	NetworkTargets = Quota{
		Service: "elasticloadbalancing", Code: "L-EEF1AD04",
		Name: "Targets per Network Load Balancer", Default: 3000,
	}
	TargetGroups = Quota{
		Service: "elasticloadbalancing", Code: "L-B22855CB", Name: "Target Groups per Region", Default: 3000,
	}
	Listeners = Quota{
		Service: "elasticloadbalancing", Code: "L-B6DF7632",
		Name: "Listeners per Application Load Balancer", Default: 50,
	}
	Targets = Quota{
		Service: "elasticloadbalancing", Code: "L-7E6692B2",
		Name: "Targets per Application Load Balancer", Default: 1000,
	}
	ListenerRules = Quota{
		Service: "elasticloadbalancing", Code: "L-7EED9B64",
		Name: "Rules per Application Load Balancer", Default: 100, Fixed: true,
	}

	ScalingGroups = Quota{
		Service: "autoscaling", Code: "L-CDE20ADC", Name: "Auto Scaling groups per region",
		Default: 500, Fixed: true,
	}
	LaunchConfigurations = Quota{
		Service: "autoscaling", Code: "L-6B80B8FA", Name: "Launch configurations per region", Default: 200,
	}
)

// Applied returns the quota's value. limited says whether the local cloud has AWS's
// limits.
func (q Quota) Applied(limited bool) int {
	if limited || q.Fixed {
		return cmp.Or(q.Granted, q.Default)
	}
	return Raised
}

// All returns all quotas, ordered by service and code.
func All() []Quota {
	list := []Quota{
		VPCs, InternetGateways, Subnets, RouteTables, Routes, SecurityGroups, SecurityGroupRules, InterfaceGroups,
		NatGateways, NetworkInterfaces, VPCBlocks, VPCIPv6Blocks, PeeringConnections, GatewayEndpoints,
		InterfaceEndpoints, EgressOnlyGateways,
		StandardVCPUs, ElasticIPs, LaunchTemplates,
		LoadBalancers, TargetGroups, Listeners, Targets, ListenerRules,
		NetworkLoadBalancers, NetworkListeners, NetworkTargets,
		ScalingGroups, LaunchConfigurations,
	}
	slices.SortFunc(list, func(a, b Quota) int {
		return slices.Compare([]string{a.Service, a.Code}, []string{b.Service, b.Code})
	})
	return list
}

// serviceNames are the names of the services by their codes, as Service Quotas
// lists them.
var serviceNames = map[string]string{
	"autoscaling":          "Amazon EC2 Auto Scaling",
	"ec2":                  "Amazon Elastic Compute Cloud (Amazon EC2)",
	"elasticloadbalancing": "Elastic Load Balancing (ELB)",
	"vpc":                  "Amazon Virtual Private Cloud (Amazon VPC)",
}

// Services returns the codes of the services with quotas, in their order.
func Services() []string { return slices.Sorted(maps.Keys(serviceNames)) }

// ServiceName returns the name of a service, or "" if it has no quotas.
func ServiceName(code string) string { return serviceNames[code] }
