package ec2

import (
	"slices"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// launchImage returns the image with the id, or EC2's error. With AnyImage, an image that does
// not exist is a new row, unless it was deregistered.
func (a *API) launchImage(r store.Reader, region identity.Region, id string) (ami, error) {
	row, err := findImage(r, region, id)
	if err == nil || !a.AnyImage || len(a.Images) == 0 || images.checkID(id) != nil {
		return row, err
	}
	if a.deregistered.has(region.Key(id), a.Now()) {
		return nil, err
	}
	named := store.ImagesByName.List(r, region.Own().Key(a.Images[0].Name))
	i := slices.IndexFunc(named, func(row ami) bool { return row.IsBase() })
	if i < 0 {
		return nil, err
	}
	copied := *named[i]
	copied.ID, copied.Name, copied.Tags = id, "any-"+id, nil
	copied.RootDevice = "/dev/sda1" // as most images of others have
	return &copied, nil
}

// addAnyImages adds the images with the ids that do not exist, if AnyImage is set.
func (a *API) addAnyImages(region identity.Region, ids []string) error {
	if !a.AnyImage || len(ids) == 0 {
		return nil
	}
	if err := a.EnsureRegion(region); err != nil {
		return err
	}
	return a.Store.Update(func(tx *store.Tx) error {
		for _, id := range ids {
			row, err := a.launchImage(tx, region, id)
			if err != nil {
				continue // DescribeImages reports it
			}
			if _, known := store.Images.Get(tx, id); !known {
				store.Images.Put(tx, row)
			}
		}
		return nil
	})
}
