package ec2

import (
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

var (
	anywhere    = netip.MustParsePrefix("0.0.0.0/0")
	defaultCIDR = netip.MustParsePrefix("172.31.0.0/16")
)

// seedRegion creates what AWS creates in every region of a new account: a default VPC
// with a public /20 subnet in each zone (Amazon VPC User Guide, Default VPCs).
func (a *API) seedRegion(tx *store.Tx, r region) {
	store.DHCPOptionSets.Put(tx, &store.DHCPOptions{
		ID:                a.ids.ID("dopt-"),
		Region:            r.name,
		DomainName:        regionDomain(r.name),
		DomainNameServers: []string{amazonDNS},
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
	for i, z := range a.zones(r.name) {
		a.newSubnet(tx, &store.Subnet{
			Region: r.name, VPCID: vpc.ID, Zone: z.name, ZoneID: z.id, DefaultForAZ: true, MapPublicIPOnLaunch: true,
			CIDR: netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 31, byte(16 * i), 0}), 20),
		})
	}
}

// seedImage adds a public image to a region. As on AWS the image is available at once. Its
// snapshot has no layers until the images loop has built the base, and the instances
// launched meanwhile stay pending.
func (a *API) seedImage(tx *store.Tx, regionName string, base BaseImage) {
	snapshot := &store.Snapshot{
		ID:          a.ids.ID("snap-"),
		Region:      regionName,
		VolumeID:    "vol-ffffffff",
		Description: base.Description,
		Owner:       base.Owner,
		SizeGiB:     base.SizeGiB,
		Started:     a.Now(),
		State:       "completed",
		Progress:    "100%",
	}
	image := &store.Image{
		ID:             a.ids.ID("ami-"),
		Region:         regionName,
		Name:           base.Name,
		Description:    base.Description,
		Owner:          base.Owner,
		OwnerAlias:     amazonAlias,
		Public:         true,
		Base:           base.Base,
		SnapshotID:     snapshot.ID,
		RootVolumeType: "gp3",
		RootDevice:     base.RootDevice,
		Architecture:   base.Architecture,
		Created:        a.Now(),
		State:          "available",
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

// EnsureRegion prepares a region on its first use: it creates the default VPC and the
// public images. Later it adds the public images that are new. It refuses regions that
// the local cloud does not have.
func (a *API) EnsureRegion(name string) error {
	view := a.Store.View()
	if _, seeded := store.Regions.Get(view, name); seeded &&
		hasPrefixLists(view, name) && len(a.missingImages(view, name)) == 0 {
		return nil
	}
	r, ok := regionNamed(name)
	if !ok {
		return wire.Errorf("InvalidRegion", "The region '%s' is not one that aloft's local cloud has", name)
	}
	err := a.Store.Update(func(tx *store.Tx) error {
		if _, seeded := store.Regions.Get(tx, name); !seeded {
			a.seedRegion(tx, r)
			store.Regions.Put(tx, &store.Region{Name: name})
		}
		if !hasPrefixLists(tx, name) {
			a.seedPrefixLists(tx, name)
		}
		for _, image := range a.missingImages(tx, name) {
			a.seedImage(tx, name, image)
		}
		return nil
	})
	a.Store.ForgetHistory() // on AWS a region was there before its first request
	return err
}

// missingImages returns the public images that a region does not offer yet.
func (a *API) missingImages(r store.Reader, regionName string) []BaseImage {
	var missing []BaseImage
	for _, image := range a.Images {
		if !slices.ContainsFunc(
			store.ImagesByName.List(r, regionName+"/"+image.Name),
			func(row *store.Image) bool { return row.Public },
		) {
			missing = append(missing, image)
		}
	}
	return missing
}
