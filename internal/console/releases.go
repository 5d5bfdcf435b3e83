package console

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Release is a release of an application that has an image, or runs without one.
type Release struct {
	App, Name string
	ImageID   string    // "" while it is not built
	Created   time.Time // of the image
	Machines  []Item    // that run it
}

// tag returns the value of a tag, or "".
func tag(tags []types.Tag, key string) string {
	for _, t := range tags {
		if aws.ToString(t.Key) == key {
			return aws.ToString(t.Value)
		}
	}
	return ""
}

// newReleases arranges images and machines by releases, for each application the newest first.
func newReleases(images []types.Image, machines []types.Instance, item func(types.Instance) Item) []Release {
	type key struct{ app, name string }
	found := map[key]*Release{}
	of := func(tags []types.Tag) *Release {
		k := key{tag(tags, "aloft:app"), tag(tags, "aloft:release")}
		if k.app == "" || k.name == "" {
			return nil
		}
		if found[k] == nil {
			found[k] = &Release{App: k.app, Name: k.name}
		}
		return found[k]
	}
	for _, image := range images {
		if r := of(image.Tags); r != nil {
			r.ImageID = aws.ToString(image.ImageId)
			r.Created, _ = time.Parse(time.RFC3339, aws.ToString(image.CreationDate)) // zero if AWS's form changes
		}
	}
	for _, m := range machines {
		if m.State == nil || m.State.Name == types.InstanceStateNameTerminated {
			continue
		}
		if r := of(m.Tags); r != nil {
			r.Machines = append(r.Machines, item(m))
		}
	}
	all := make([]Release, 0, len(found))
	for _, r := range found {
		slices.SortFunc(r.Machines, func(a, b Item) int { return cmp.Compare(a.Name, b.Name) })
		all = append(all, *r)
	}
	slices.SortFunc(all, func(a, b Release) int {
		return cmp.Or(cmp.Compare(a.App, b.App), b.Created.Compare(a.Created), cmp.Compare(a.Name, b.Name))
	})
	return all
}

func (c *Console) releasesPage(r *http.Request) (View, error) {
	all, err := c.inventory(r)
	if err != nil {
		return View{}, err
	}
	pages := ec2.NewDescribeImagesPaginator(c.clients(r.PathValue("region")).ec2, &ec2.DescribeImagesInput{
		Owners: []string{"self"},
	})
	var images []types.Image
	for pages.HasMorePages() {
		page, err := pages.NextPage(r.Context())
		if err != nil {
			return View{}, fmt.Errorf("read the images: %w", err)
		}
		images = append(images, page.Images...)
	}
	health := targetHealth(all)
	releases := newReleases(images, all.Instances, func(m types.Instance) Item { return machineItem(m, health) })
	return View{Title: "Releases", Current: "releases", Sections: []Section{
		{ID: "releases", Template: "releases.html", Data: releases},
	}}, nil
}
