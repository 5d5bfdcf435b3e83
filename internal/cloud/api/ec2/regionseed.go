package ec2

import (
	"cmp"
	"slices"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// seedRegion creates what AWS creates in every region of a new account.
func (a *API) seedRegion(tx *store.Tx, here identity.Region) {
	store.DHCPOptionSets.Put(tx, &store.DHCPOptions{
		ID:                a.ids.ID("dopt-"),
		Region:            here,
		DomainName:        regionDomain(here.Name()),
		DomainNameServers: []string{amazonDNS},
	})
	a.newDefaultVPC(tx, here)
}

// seedImage adds a public image to a region. As on AWS the image is available at once. Its
// snapshot has no layers until the images loop has built the base, and the instances
// launched meanwhile stay pending.
func (a *API) seedImage(tx *store.Tx, region identity.Region, base BaseImage) {
	snapshot := &store.Snapshot{
		ID:          a.ids.ID("snap-"),
		Region:      region,
		VolumeID:    copiedVolume,
		Description: base.Description,
		Owner:       base.Owner,
		SizeGiB:     base.SizeGiB,
		Started:     a.Now(),
		State:       "completed",
		Progress:    "100%",
	}
	image := &store.Image{
		ID:             a.ids.ID("ami-"),
		Region:         region,
		Name:           base.Name,
		Description:    base.Description,
		Owner:          base.Owner,
		OwnerAlias:     amazonAlias,
		Public:         true,
		Base:           base.Base,
		SnapshotID:     snapshot.ID,
		RootVolumeType: cmp.Or(base.VolumeType, "gp3"),
		RootDevice:     base.RootDevice,
		Architecture:   base.Architecture,
		Created:        a.Now(),
		State:          "available",
	}
	store.Snapshots.Put(tx, snapshot)
	store.Images.Put(tx, image)
	for _, name := range base.Parameters {
		alias := store.Parameter{
			Region:   region,
			Name:     name,
			Type:     "String",
			DataType: "aws:ec2:image",
			Tier:     "Standard",
		}
		if old, ok := store.Parameters.Get(tx, store.ParameterKey(region, name)); ok {
			alias = *old
		}
		alias.Value, alias.Version, alias.Modified = image.ID, alias.Version+1, a.Now()
		store.Parameters.Put(tx, &alias)
	}
}

// EnsureRegion prepares a region on its first use by an account: it creates the default VPC,
// and the public images and prefix lists, which belong to the local cloud's own account. Later
// it adds the public images that are new. It refuses regions that the local cloud does not
// have.
func (a *API) EnsureRegion(region identity.Region) error {
	if a.isPrepared(a.Store.View(), region) {
		return nil
	}
	if _, ok := regionNamed(region.Name()); !ok {
		return wire.Errorf("InvalidRegion", "The region '%s' is not one that aloft's local cloud has", region.Name())
	}
	err := a.Store.Update(func(tx *store.Tx) error {
		if _, seeded := store.Regions.Get(tx, string(region)); !seeded {
			a.seedRegion(tx, region)
			store.Regions.Put(tx, &store.Region{Name: region})
		}
		public := region.Own()
		if !hasPrefixLists(tx, public) {
			a.seedPrefixLists(tx, public)
		}
		for _, image := range a.missingImages(tx, public) {
			a.seedImage(tx, public, image)
		}
		return nil
	})
	a.Store.ForgetHistory() // on AWS a region was there before its first request
	return err
}

// isPrepared reports whether EnsureRegion has nothing to do.
func (a *API) isPrepared(r store.Reader, region identity.Region) bool {
	_, seeded := store.Regions.Get(r, string(region))
	return seeded && hasPrefixLists(r, region.Own()) && len(a.missingImages(r, region.Own())) == 0
}

// missingImages returns the public images that a region does not offer yet.
func (a *API) missingImages(r store.Reader, region identity.Region) []BaseImage {
	var missing []BaseImage
	for _, image := range a.Images {
		if !slices.ContainsFunc(
			store.ImagesByName.List(r, region.Key(image.Name)),
			func(row *store.Image) bool { return row.IsBase() },
		) {
			missing = append(missing, image)
		}
	}
	return missing
}
