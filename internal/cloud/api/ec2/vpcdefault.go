package ec2

import (
	"context"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

var (
	anywhere    = netip.MustParsePrefix("0.0.0.0/0")
	defaultCIDR = netip.MustParsePrefix("172.31.0.0/16")
)

// defaultSubnetBits is the length of the prefix of a default subnet (Amazon VPC User Guide, Default
// VPCs).
const defaultSubnetBits = 20

// newDefaultVPC stores a default VPC with a route to an internet gateway and a public subnet in each
// zone (Amazon VPC User Guide, Default VPCs).
func (a *API) newDefaultVPC(tx *store.Tx, here identity.Region) *store.VPC {
	vpc := &store.VPC{
		CIDR:         defaultCIDR,
		Region:       here,
		IsDefault:    true,
		DNSHostnames: true,
		Tenancy:      string(types.TenancyDefault),
	}
	a.newVPC(tx, vpc)
	gateway := &store.InternetGateway{ID: a.ids.ID("igw-"), Region: here, VPCID: vpc.ID}
	store.InternetGateways.Put(tx, gateway)
	main := mainRouteTable(tx, vpc.ID)
	store.RouteTables.Edit(tx, main.ID, func(row *store.RouteTable) {
		row.Routes = append(
			row.Routes[:1:1],
			store.Route{Destination: anywhere, GatewayID: gateway.ID, Origin: string(types.RouteOriginCreateRoute)},
		)
	})
	block := netip.PrefixFrom(defaultCIDR.Addr(), defaultSubnetBits)
	for _, z := range a.zones(here) {
		a.newDefaultSubnet(tx, vpc, z, block)
		block = nextBlock(block)
	}
	return vpc
}

// newDefaultSubnet stores a default subnet of a zone.
func (a *API) newDefaultSubnet(tx *store.Tx, vpc *store.VPC, z zone, block netip.Prefix) *store.Subnet {
	subnet := &store.Subnet{
		Region: vpc.Region, VPCID: vpc.ID, Zone: z.name, ZoneID: z.id, DefaultForAZ: true, MapPublicIPOnLaunch: true,
		CIDR: block,
	}
	a.newSubnet(tx, subnet)
	return subnet
}

// nextBlock returns the IPv4 block after another one, of the same size.
func nextBlock(block netip.Prefix) netip.Prefix {
	b := block.Addr().As4()
	for size, i := 1<<(32-block.Bits()), 3; i >= 0; i-- {
		size += int(b[i])
		b[i], size = byte(size), size>>8
	}
	return netip.PrefixFrom(netip.AddrFrom4(b), block.Bits())
}

// CreateDefaultVpc creates a default VPC in place of one that was deleted.
func (a *API) CreateDefaultVpc(
	ctx context.Context, in *ec2.CreateDefaultVpcInput,
) (*ec2.CreateDefaultVpcOutput, error) {
	out := &ec2.CreateDefaultVpcOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		if _, ok := defaultVPC(tx, region); ok {
			return wire.Errorf(
				"DefaultVpcAlreadyExists", "A Default VPC already exists for this account in this region.",
			)
		}
		if err := a.limitVPCs(tx, region); err != nil {
			return err
		}
		item := vpcItem(a.newDefaultVPC(tx, region))
		out.Vpc = &item
		return nil
	})
}

// CreateDefaultSubnet creates the default subnet of a zone in place of one that was deleted, with
// the first free block of the default VPC.
func (a *API) CreateDefaultSubnet(
	ctx context.Context, in *ec2.CreateDefaultSubnetInput,
) (*ec2.CreateDefaultSubnetOutput, error) {
	if err := supportOnly(in, "DryRun", "AvailabilityZone", "AvailabilityZoneId"); err != nil {
		return nil, err
	}
	if aws.ToString(in.AvailabilityZone)+aws.ToString(in.AvailabilityZoneId) == "" {
		return nil, missingParameter("availabilityZone")
	}
	out := &ec2.CreateDefaultSubnetOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		z, err := a.chooseZone(region, &ec2.CreateSubnetInput{
			AvailabilityZone: in.AvailabilityZone, AvailabilityZoneId: in.AvailabilityZoneId,
		}, nil)
		if err != nil {
			return err
		}
		vpc, ok := defaultVPC(tx, region)
		if !ok {
			return wire.Errorf("DefaultVpcDoesNotExist", "No default VPC exists for this account in this region.")
		}
		siblings := store.SubnetsByVPC.List(tx, vpc.ID)
		if slices.ContainsFunc(siblings, func(s *store.Subnet) bool { return s.DefaultForAZ && s.Zone == z.name }) {
			return wire.Errorf("DefaultSubnetAlreadyExistsInAvailabilityZone",
				"A default subnet already exists in the Availability Zone '%s'.", z.name)
		}
		if err := a.limitSubnets(siblings); err != nil {
			return err
		}
		block := netip.PrefixFrom(vpc.CIDR.Addr(), defaultSubnetBits)
		for slices.ContainsFunc(siblings, func(s *store.Subnet) bool { return s.CIDR.Overlaps(block) }) {
			block = nextBlock(block)
		}
		if !vpc.CIDR.Contains(block.Addr()) {
			return wire.Errorf("InsufficientFreeAddressesInSubnet", "The default VPC has no free block of addresses.")
		}
		item := subnetItem(tx)(a.newDefaultSubnet(tx, vpc, z, block))
		out.Subnet = &item
		return nil
	})
}
