package acm

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// tagRules are the API's rules (AWS Certificate Manager API Reference, Tag).
var tagRules = constraint.TagRules{
	Code:     "ValidationException",
	Member:   "tags",
	Pattern:  `[\p{L}\p{Z}\p{N}_.:\/=+\-@]*`,
	Reserved: wire.Errorf("InvalidTagException", "aws: prefixed tag key names are not allowed for external use."),
	TooMany:  wire.Errorf("TooManyTagsException", "A certificate has at most %d tags.", constraint.MaxTags),
}

// mergeTags returns the old tags with the added ones, which replace tags with the same
// keys.
func mergeTags(old store.Tags, added []types.Tag) (store.Tags, error) {
	return constraint.MergeTags(tagRules, old, added, func(t types.Tag) (key, value *string) { return t.Key, t.Value })
}

func (a *API) editTags(
	ctx context.Context,
	arn *string,
	given []types.Tag,
	change func(store.Tags) (store.Tags, error),
) error {
	if err := model.Size("tags", len(given), constraint.MaxTags); err != nil {
		return err
	}
	return a.Store.Update(func(tx *store.Tx) error {
		row, err := findCertificate(tx, wire.RegionFrom(ctx), arn)
		if err != nil {
			return err
		}
		tags, err := change(row.Tags)
		if err != nil {
			return err
		}
		store.Certificates.Edit(tx, row.ARN, func(edited *store.Certificate) { edited.Tags = tags })
		return nil
	})
}

// AddTagsToCertificate adds tags to a certificate. A tag replaces one with the same
// key.
func (a *API) AddTagsToCertificate(
	ctx context.Context, in *acm.AddTagsToCertificateInput,
) (*acm.AddTagsToCertificateOutput, error) {
	return &acm.AddTagsToCertificateOutput{}, a.editTags(
		ctx, in.CertificateArn, in.Tags, func(old store.Tags) (store.Tags, error) { return mergeTags(old, in.Tags) },
	)
}

// RemoveTagsFromCertificate removes the tags with the keys from a certificate. If the
// request also has a tag's value, it removes the tag only if the values are equal.
func (a *API) RemoveTagsFromCertificate(
	ctx context.Context, in *acm.RemoveTagsFromCertificateInput,
) (*acm.RemoveTagsFromCertificateOutput, error) {
	return &acm.RemoveTagsFromCertificateOutput{}, a.editTags(
		ctx,
		in.CertificateArn,
		in.Tags,
		func(old store.Tags) (store.Tags, error) {
			left := maps.Clone(old)
			for _, tag := range in.Tags {
				if key := aws.ToString(tag.Key); tag.Value == nil || left[key] == *tag.Value {
					delete(left, key)
				}
			}
			return left, nil
		},
	)
}

// ListTagsForCertificate lists the tags of a certificate.
func (a *API) ListTagsForCertificate(
	ctx context.Context, in *acm.ListTagsForCertificateInput,
) (*acm.ListTagsForCertificateOutput, error) {
	row, err := findCertificate(a.Store.Read(ctx), wire.RegionFrom(ctx), in.CertificateArn)
	if err != nil {
		return nil, err
	}
	out := &acm.ListTagsForCertificateOutput{Tags: []types.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(row.Tags)) {
		out.Tags = append(out.Tags, types.Tag{Key: new(key), Value: new(row.Tags[key])})
	}
	return out, nil
}
