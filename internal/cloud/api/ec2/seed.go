package ec2

import (
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

var (
	anywhere    = netip.MustParsePrefix("0.0.0.0/0")
	defaultCIDR = netip.MustParsePrefix("172.31.0.0/16")
)

// seed gives a region what AWS gives it (Amazon VPC User Guide, Default VPCs):
// a default VPC with a public /20 in each zone.
func (a *API) seed(tx *store.Tx, r region) {
	domain := r.name + ".compute.internal"
	if r.name == "us-east-1" {
		domain = "ec2.internal"
	}
	store.DHCPOptionSets.Put(tx, &store.DHCPOptions{
		ID:                a.ids.ID("dopt-"),
		Region:            r.name,
		DomainName:        domain,
		DomainNameServers: []string{"AmazonProvidedDNS"},
	})
	vpc := &store.VPC{
		CIDR:         defaultCIDR,
		Region:       r.name,
		IsDefault:    true,
		DNSHostnames: true,
		Tenancy:      string(types.TenancyDefault),
	}
	a.newVPC(tx, vpc)
	gateway := &store.InternetGateway{ID: a.ids.ID("igw-"), Region: r.name, VPCID: vpc.ID}
	store.InternetGateways.Put(tx, gateway)
	main := mainRouteTable(tx, vpc.ID)
	store.RouteTables.Edit(tx, main.ID, func(row *store.RouteTable) {
		row.Routes = append(
			row.Routes[:1:1],
			store.Route{Destination: anywhere, GatewayID: gateway.ID, Origin: string(types.RouteOriginCreateRoute)},
		)
	})
	for i, z := range r.all() {
		a.newSubnet(tx, &store.Subnet{
			Region: r.name, VPCID: vpc.ID, Zone: z.name, ZoneID: z.id, DefaultForAZ: true, MapPublicIPOnLaunch: true,
			CIDR: netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 31, byte(16 * i), 0}), 20),
		})
	}
}

// seedImage offers a public image in a region. It is pending until somebody
// has built what it stands for.
func (a *API) seedImage(tx *store.Tx, regionName string, base BaseImage) {
	snapshot := &store.Snapshot{
		ID:     a.ids.ID("snap-"),
		Region: regionName, VolumeID: "vol-ffffffff", Description: base.Description, Owner: base.Owner,
		SizeGiB: base.SizeGiB, Started: a.Now(), State: "pending", Progress: "0%",
	}
	image := &store.Image{
		ID:     a.ids.ID("ami-"),
		Region: regionName, Name: base.Name, Description: base.Description, Owner: base.Owner, Public: true,
		Base: base.Base, SnapshotID: snapshot.ID, RootVolumeType: "gp3", RootDevice: base.RootDevice,
		Architecture: base.Architecture,
		Created:      a.Now(), State: "pending", StateReason: "The base image has not been built yet.",
	}
	store.Snapshots.Put(tx, snapshot)
	store.Images.Put(tx, image)
	if base.Parameter == "" {
		return
	}
	alias := store.Parameter{
		Region:   regionName,
		Name:     base.Parameter,
		Type:     "String",
		DataType: "aws:ec2:image",
		Tier:     "Standard",
	}
	if old, ok := store.Parameters.Get(tx, regionName+base.Parameter); ok {
		alias = *old
	}
	alias.Value, alias.Version, alias.Modified = image.ID, alias.Version+1, a.Now()
	store.Parameters.Put(tx, &alias)
}

// newVPC stores a VPC with all that comes with it: main route table, default
// security group and default network ACL. It fills in what is the same for
// every new VPC.
func (a *API) newVPC(tx *store.Tx, vpc *store.VPC) {
	vpc.ID, vpc.CIDRAssociationID = a.ids.ID("vpc-"), a.ids.ID("vpc-cidr-assoc-")
	vpc.State, vpc.DNSSupport = string(types.VpcStateAvailable), true
	if sets := store.DHCPOptionSets.By(tx, "region", vpc.Region); len(sets) > 0 {
		vpc.DHCPOptionsID = sets[0].ID
	}
	store.VPCs.Put(tx, vpc)
	table := a.newRouteTable(vpc)
	table.Associations = []store.RouteTableAssociation{{ID: a.ids.ID("rtbassoc-"), Main: true}}
	store.RouteTables.Put(tx, table)
	group := a.newSecurityGroup(vpc, defaultGroup, "default VPC security group")
	group.Rules = append(group.Rules, store.SecurityGroupRule{
		ID:       a.ids.ID("sgr-"),
		Protocol: anyProtocol,
		FromPort: -1,
		ToPort:   -1,
		GroupID:  group.ID,
	})
	store.SecurityGroups.Put(tx, group)
	store.NetworkACLs.Put(tx, &store.NetworkACL{
		ID: a.ids.ID("acl-"), Region: vpc.Region, VPCID: vpc.ID, IsDefault: true,
		Entries: append([]store.NetworkACLEntry{
			{Number: 100, Egress: true, Allow: true, Protocol: anyProtocol, CIDR: anywhere},
			{Number: 100, Allow: true, Protocol: anyProtocol, CIDR: anywhere},
		}, lastEntries()...),
	})
}

// newSubnet stores a subnet and puts it under its VPC's default network ACL.
func (a *API) newSubnet(tx *store.Tx, subnet *store.Subnet) {
	subnet.ID, subnet.State, subnet.HostnameType = a.ids.ID("subnet-"), string(types.SubnetStateAvailable),
		string(types.HostnameTypeIpName)
	store.Subnets.Put(tx, subnet)
	for _, acl := range store.NetworkACLs.By(tx, "vpc", subnet.VPCID) {
		if acl.IsDefault {
			a.bindACL(tx, acl.ID, subnet.ID)
		}
	}
}

// arn is the ARN of a resource of EC2.
func arn(regionName, kind, id string) string {
	return identity.ARN("ec2", regionName, kind+"/"+id)
}
