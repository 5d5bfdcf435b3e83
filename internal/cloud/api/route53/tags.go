package route53

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxTags is how many tags a call may add or remove, and list resources (Amazon Route 53
// API Reference, ChangeTagsForResource, ListTagsForResources).
const maxTags = 10

var tagRules = constraint.TagRules{
	Code:     "InvalidInput",
	Reserved: wire.Errorf("InvalidInput", "Tag keys beginning with 'aws:' are reserved for system use"),
	TooMany:  wire.Errorf("InvalidInput", "A resource has at most %d tags.", constraint.MaxTags),
}

// taggedZone returns the zone that a request for tags names.
func taggedZone(
	ctx context.Context, r store.Reader, kind types.TagResourceType, id *string,
) (*store.HostedZone, error) {
	switch kind {
	case types.TagResourceTypeHostedzone:
		return findZone(ctx, r, id)
	case types.TagResourceTypeHealthcheck:
		return nil, &wire.Error{
			Code: "NoSuchHealthCheck", Message: "No health check exists with ID: " + aws.ToString(id),
			Status: http.StatusNotFound,
		}
	}
	return nil, model.OutOfSet("resourceType", kind, "healthcheck", "hostedzone")
}

// ChangeTagsForResource adds tags to a zone and removes others.
func (a *API) ChangeTagsForResource(
	ctx context.Context, in *route53.ChangeTagsForResourceInput,
) (*route53.ChangeTagsForResourceOutput, error) {
	switch {
	case len(in.AddTags) == 0 && len(in.RemoveTagKeys) == 0:
		return nil, model.Errorf("The request must contain AddTags or RemoveTagKeys.")
	case len(in.AddTags) > maxTags:
		return nil, model.TooLong("addTags", maxTags)
	case len(in.RemoveTagKeys) > maxTags:
		return nil, model.TooLong("removeTagKeys", maxTags)
	}
	return &route53.ChangeTagsForResourceOutput{}, a.Store.Update(func(tx *store.Tx) error {
		zone, err := taggedZone(ctx, tx, in.ResourceType, in.ResourceId)
		if err != nil {
			return err
		}
		kept := maps.Clone(zone.Tags)
		for _, key := range in.RemoveTagKeys {
			delete(kept, key)
		}
		tags, err := constraint.MergeTags(tagRules, kept, in.AddTags, func(t types.Tag) (key, value *string) {
			return t.Key, t.Value
		})
		if err != nil {
			return err
		}
		store.HostedZones.Edit(tx, zone.ID, func(edited *store.HostedZone) { edited.Tags = tags })
		return nil
	})
}

// ListTagsForResource lists the tags of a zone.
func (a *API) ListTagsForResource(
	ctx context.Context, in *route53.ListTagsForResourceInput,
) (*route53.ListTagsForResourceOutput, error) {
	zone, err := taggedZone(ctx, a.Store.Read(ctx), in.ResourceType, in.ResourceId)
	if err != nil {
		return nil, err
	}
	return &route53.ListTagsForResourceOutput{ResourceTagSet: describeTags(zone)}, nil
}

// ListTagsForResources lists the tags of several zones.
func (a *API) ListTagsForResources(
	ctx context.Context, in *route53.ListTagsForResourcesInput,
) (*route53.ListTagsForResourcesOutput, error) {
	if err := model.Size("resourceIds", len(in.ResourceIds), maxTags); err != nil {
		return nil, err
	}
	view, out := a.Store.Read(ctx), &route53.ListTagsForResourcesOutput{}
	for _, id := range in.ResourceIds {
		zone, err := taggedZone(ctx, view, in.ResourceType, &id)
		if err != nil {
			return nil, err
		}
		out.ResourceTagSets = append(out.ResourceTagSets, *describeTags(zone))
	}
	return out, nil
}

func describeTags(zone *store.HostedZone) *types.ResourceTagSet {
	out := &types.ResourceTagSet{
		ResourceId: aws.String(zone.ID), ResourceType: types.TagResourceTypeHostedzone, Tags: []types.Tag{},
	}
	for _, key := range slices.Sorted(maps.Keys(zone.Tags)) {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(key), Value: aws.String(zone.Tags[key])})
	}
	return out
}
