package authorization

import (
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// kind is a type of EC2 resources.
type kind struct {
	name   string // in ARNs: "instance"
	prefix string // of ids: "i-"
	shared bool   // ARNs contain no account
	// describe returns tags and condition keys of the resource with an id.
	describe func(r store.Reader, id string) (store.Tags, map[string][]string)
}

// The kinds of EC2 resources that have ids.
var (
	instances = kind{name: "instance", prefix: "i-", describe: describeInstance}
	images    = kind{name: "image", prefix: "ami-", shared: true, describe: tagsOf(store.Images, imageTags)}
	snapshots = kind{
		name: "snapshot", prefix: "snap-", shared: true, describe: tagsOf(store.Snapshots, snapshotTags),
	}
	volumes          = kind{name: "volume", prefix: "vol-", describe: tagsOf(store.Volumes, volumeTags)}
	vpcs             = kind{name: "vpc", prefix: "vpc-", describe: tagsOf(store.VPCs, vpcTags)}
	subnets          = kind{name: "subnet", prefix: "subnet-", describe: describeSubnet}
	internetGateways = kind{
		name: "internet-gateway", prefix: "igw-", describe: tagsOf(store.InternetGateways, gatewayTags),
	}
	egressOnlyGateways = kind{
		name: "egress-only-internet-gateway", prefix: "eigw-",
		describe: tagsOf(store.EgressOnlyGateways, egressOnlyGatewayTags),
	}
	routeTables       = kind{name: "route-table", prefix: "rtb-", describe: tagsOf(store.RouteTables, routeTableTags)}
	networkACLs       = kind{name: "network-acl", prefix: "acl-", describe: tagsOf(store.NetworkACLs, aclTags)}
	networkInterfaces = kind{
		name: "network-interface", prefix: "eni-", describe: tagsOf(store.NetworkInterfaces, interfaceTags),
	}
	elasticIPs = kind{
		name: "elastic-ip", prefix: "eipalloc-", describe: tagsOf(store.ElasticIPs, elasticIPTags),
	}
	natGateways        = kind{name: "natgateway", prefix: "nat-", describe: tagsOf(store.NatGateways, natGatewayTags)}
	securityGroups     = kind{name: "security-group", prefix: "sg-", describe: describeSecurityGroup}
	securityGroupRules = kind{name: "security-group-rule", prefix: "sgr-", describe: noTags}
	launchTemplates    = kind{
		name: "launch-template", prefix: "lt-", describe: tagsOf(store.LaunchTemplates, templateTags),
	}
	connectEndpoints = kind{
		name: "instance-connect-endpoint", prefix: "eice-",
		describe: tagsOf(store.InstanceConnectEndpoints, connectEndpointTags),
	}
	dhcpOptions = kind{name: "dhcp-options", prefix: "dopt-", describe: tagsOf(store.DHCPOptionSets, dhcpOptionsTags)}
	prefixLists = kind{name: "prefix-list", prefix: "pl-", describe: tagsOf(store.PrefixLists, prefixListTags)}
	peerings    = kind{
		name: "vpc-peering-connection", prefix: "pcx-", describe: tagsOf(store.PeeringConnections, peeringTags),
	}
	spotRequests = kind{
		name: "spot-instances-request", prefix: "sir-", describe: tagsOf(store.SpotRequests, spotRequestTags),
	}
	flowLogs           = kind{name: "vpc-flow-log", prefix: "fl-", describe: tagsOf(store.FlowLogs, flowLogTags)}
	fleets             = kind{name: "fleet", prefix: "fleet-", describe: tagsOf(store.Fleets, fleetTags)}
	subnetReservations = kind{
		name: "subnet-cidr-reservation", prefix: "scr-",
		describe: tagsOf(store.SubnetReservations, subnetReservationTags),
	}
	rootReplacements = kind{
		name: "replace-root-volume-task", prefix: "replacevol-",
		describe: tagsOf(store.RootReplacements, rootReplacementTags),
	}
	vpcEndpoints = kind{name: "vpc-endpoint", prefix: "vpce-", describe: tagsOf(store.VPCEndpoints, vpcEndpointTags)}
)

// kinds are the kinds by id. No prefix is the start of another.
var kinds = []kind{
	instances, images, snapshots, volumes, vpcs, subnets, internetGateways, egressOnlyGateways, routeTables,
	networkACLs, networkInterfaces, elasticIPs, natGateways, securityGroups, securityGroupRules, launchTemplates,
	dhcpOptions,
	connectEndpoints, prefixLists, peerings, vpcEndpoints, fleets, spotRequests, flowLogs,
	subnetReservations,
}

// withID returns the resource with an id, or with an id that is not known yet, "*".
func (k kind) withID(s *subject, id string) []target {
	t := target{arn: k.arn(s.region, id)}
	t.tags, t.keys = k.describe(s, id)
	return []target{t}
}

func (k kind) arn(region identity.Region, id string) string {
	if k.shared {
		return "arn:aws:ec2:" + region.Name() + "::" + k.name + "/" + id
	}
	return identity.ARN("ec2", region, k.name+"/"+id)
}

type describer = func(store.Reader, string) (store.Tags, map[string][]string)

// tagsOf returns a describer of the rows of a table.
func tagsOf[T any](table store.Table[T], tags func(*T) store.Tags) describer {
	return func(r store.Reader, id string) (store.Tags, map[string][]string) {
		if row, ok := table.Get(r, id); ok {
			return tags(row), nil
		}
		return nil, nil
	}
}

func noTags(store.Reader, string) (store.Tags, map[string][]string) { return nil, nil }

func imageTags(row *store.Image) store.Tags                             { return row.Tags }
func snapshotTags(row *store.Snapshot) store.Tags                       { return row.Tags }
func volumeTags(row *store.Volume) store.Tags                           { return row.Tags }
func vpcTags(row *store.VPC) store.Tags                                 { return row.Tags }
func dhcpOptionsTags(row *store.DHCPOptions) store.Tags                 { return row.Tags }
func prefixListTags(row *store.PrefixList) store.Tags                   { return row.Tags }
func gatewayTags(row *store.InternetGateway) store.Tags                 { return row.Tags }
func egressOnlyGatewayTags(r *store.EgressOnlyGateway) store.Tags       { return r.Tags }
func routeTableTags(row *store.RouteTable) store.Tags                   { return row.Tags }
func aclTags(row *store.NetworkACL) store.Tags                          { return row.Tags }
func interfaceTags(row *store.NetworkInterface) store.Tags              { return row.Tags }
func elasticIPTags(row *store.ElasticIP) store.Tags                     { return row.Tags }
func natGatewayTags(row *store.NatGateway) store.Tags                   { return row.Tags }
func connectEndpointTags(row *store.InstanceConnectEndpoint) store.Tags { return row.Tags }
func peeringTags(row *store.PeeringConnection) store.Tags               { return row.Tags }
func vpcEndpointTags(row *store.VPCEndpoint) store.Tags                 { return row.Tags }
func subnetReservationTags(row *store.SubnetReservation) store.Tags     { return row.Tags }
func rootReplacementTags(row *store.RootReplacement) store.Tags         { return row.Tags }
func spotRequestTags(row *store.SpotRequest) store.Tags                 { return row.Tags }
func flowLogTags(row *store.FlowLog) store.Tags                         { return row.Tags }
func fleetTags(row *store.Fleet) store.Tags                             { return row.Tags }
func templateTags(row *store.LaunchTemplate) store.Tags                 { return row.Tags }

func describeInstance(r store.Reader, id string) (store.Tags, map[string][]string) {
	row, ok := store.Instances.Get(r, id)
	if !ok {
		return nil, nil
	}
	keys := map[string][]string{
		"ec2:InstanceType": {row.Type}, "ec2:AvailabilityZone": {row.Zone}, "ec2:Tenancy": {"default"},
	}
	if row.ProfileARN != "" {
		keys["ec2:InstanceProfile"] = []string{row.ProfileARN}
	}
	return row.Tags, keys
}

func describeSubnet(r store.Reader, id string) (store.Tags, map[string][]string) {
	row, ok := store.Subnets.Get(r, id)
	if !ok {
		return nil, nil
	}
	return row.Tags, map[string][]string{
		"ec2:AvailabilityZone": {row.Zone}, "ec2:Vpc": {vpcs.arn(row.Region, row.VPCID)},
	}
}

func describeSecurityGroup(r store.Reader, id string) (store.Tags, map[string][]string) {
	row, ok := store.SecurityGroups.Get(r, id)
	if !ok {
		return nil, nil
	}
	return row.Tags, map[string][]string{"ec2:Vpc": {vpcs.arn(row.Region, row.VPCID)}}
}

// A text may be the id of one resource and the name of another: users choose names. The
// finders below therefore return all resources that a text can mean.

// securityGroup returns the security group with an id and all groups of the region with
// the name.
func securityGroup(s *subject, text string) []target {
	var all []target
	if strings.HasPrefix(text, securityGroups.prefix) {
		all = securityGroups.withID(s, text)
	}
	for _, row := range store.SecurityGroups.InRegion(s, s.region) {
		if row.Name == text {
			all = append(all, securityGroups.withID(s, row.ID)...)
		}
	}
	return all
}

// launchTemplate returns the launch templates with an id and with a name.
func launchTemplate(s *subject, text string) []target {
	var all []target
	if strings.HasPrefix(text, launchTemplates.prefix) {
		all = launchTemplates.withID(s, text)
	}
	for _, row := range store.LaunchTemplatesByName.List(s, s.region.Key(text)) {
		all = append(all, launchTemplates.withID(s, row.ID)...)
	}
	return all
}

// keyPair returns the key pairs with an id and with a name. ARNs of key pairs contain
// names.
func keyPair(s *subject, text string) []target {
	row, ok := store.KeyPairs.Get(s, text)
	if !ok {
		return keyPairNamed(s, text)
	}
	all := keyPairNamed(s, row.Name)
	if len(store.KeyPairsByName.List(s, s.region.Key(text))) > 0 {
		all = append(all, keyPairNamed(s, text)...)
	}
	return all
}

func keyPairNamed(s *subject, name string) []target {
	t := target{arn: identity.ARN("ec2", s.region, "key-pair/"+name)}
	for _, row := range store.KeyPairsByName.List(s, s.region.Key(name)) {
		t.tags = row.Tags
	}
	return []target{t}
}

// placementGroup returns the placement group with an id.
func placementGroup(s *subject, id string) []target {
	row, ok := store.PlacementGroups.Get(s, id)
	if !ok {
		return placementGroupNamed(s, "*")
	}
	return placementGroupNamed(s, row.Name)
}

// placementGroupNamed returns the placement group with a name, which may not exist yet: its ARN
// has the name.
func placementGroupNamed(s *subject, name string) []target {
	t := target{arn: identity.ARN("ec2", s.region, "placement-group/"+name)}
	for _, row := range store.PlacementGroupsByName.List(s, s.region.Key(name)) {
		t.tags = row.Tags
	}
	return []target{t}
}

// associatedInstance returns the instance of an association with an instance profile.
func associatedInstance(s *subject, id string) []target {
	for _, row := range store.Instances.InRegion(s, s.region) {
		if row.ProfileAssociationID == id {
			return instances.withID(s, row.ID)
		}
	}
	return nil
}

// attachedInterface returns the network interface of an attachment.
func attachedInterface(s *subject, id string) []target {
	for _, row := range store.NetworkInterfaces.InRegion(s, s.region) {
		if row.AttachmentID == id {
			return networkInterfaces.withID(s, row.ID)
		}
	}
	return nil
}

// attachedInstance returns the instance of an attachment of a network interface.
func attachedInstance(s *subject, id string) []target {
	for _, row := range store.NetworkInterfaces.InRegion(s, s.region) {
		if row.AttachmentID == id && row.InstanceID != "" {
			return instances.withID(s, row.InstanceID)
		}
	}
	return nil
}

// associatedElasticIP returns the Elastic IP address of an association with an interface.
func associatedElasticIP(s *subject, id string) []target {
	for _, row := range store.ElasticIPs.InRegion(s, s.region) {
		if row.AssociationID == id {
			return elasticIPs.withID(s, row.ID)
		}
	}
	return nil
}

// taggedNeeds returns the permission to tag each resource that the call names by id.
func taggedNeeds(s *subject) []need {
	var needs []need
	for _, id := range s.values("Resources") {
		i := slices.IndexFunc(kinds, func(k kind) bool { return strings.HasPrefix(id, k.prefix) })
		switch {
		case strings.HasPrefix(id, "key-"):
			for _, t := range keyPair(s, id) {
				needs = append(needs, s.needOf(actionOf(s.call), t))
			}
		case strings.HasPrefix(id, "pg-"):
			for _, t := range placementGroup(s, id) {
				needs = append(needs, s.needOf(actionOf(s.call), t))
			}
		case i < 0:
			needs = append(needs, need{action: actionOf(s.call), unknown: true})
		default:
			needs = append(needs, s.needOf(actionOf(s.call), kinds[i].withID(s, id)[0]))
		}
	}
	return needs
}

// flowLogSources returns the VPC, subnet or network interface with an id.
func flowLogSources(s *subject, id string) []target {
	for _, k := range []kind{vpcs, subnets, networkInterfaces} {
		if strings.HasPrefix(id, k.prefix) {
			return k.withID(s, id)
		}
	}
	return nil
}

// ec2TagNeeds returns the permission to tag what a call creates with tags (Amazon EC2
// User Guide, "Grant permission to tag Amazon EC2 resources during creation").
func ec2TagNeeds(s *subject) []need {
	var needs []need
	for _, name := range s.values("TagSpecifications.ResourceType") {
		needs = append(needs, tagsCreation(s, name))
	}
	return needs
}

// tagsCreation is the permission to tag new resources of a type.
func tagsCreation(s *subject, name string) need {
	resource := kind{name: name, shared: name == images.name || name == snapshots.name}.arn(s.region, "*")
	return need{
		action: "ec2:CreateTags", resource: resource,
		keys: map[string][]string{"ec2:CreateAction": {s.call.Operation}},
	}
}
