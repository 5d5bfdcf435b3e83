package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"aloft.dev/aloft/internal/cloud/store"
)

// editCertificateTags stores what change makes of the tags of the server certificate that a
// request names.
func (a *API) editCertificateTags(
	ctx context.Context, name *string, change func(store.Tags) (store.Tags, error),
) error {
	return a.Store.Update(func(tx *store.Tx) error {
		row, err := findServerCertificate(ctx, tx, name)
		if err != nil {
			return err
		}
		tags, err := change(row.Tags)
		if err != nil {
			return err
		}
		store.ServerCertificates.Edit(tx, row.Key(), func(row *store.ServerCertificate) { row.Tags = tags })
		return nil
	})
}

// TagServerCertificate adds tags to a server certificate. A tag replaces one with the same key.
func (a *API) TagServerCertificate(
	ctx context.Context, in *iam.TagServerCertificateInput,
) (*iam.TagServerCertificateOutput, error) {
	if in.Tags == nil {
		return nil, model.Null("tags")
	}
	return &iam.TagServerCertificateOutput{}, a.editCertificateTags(
		ctx, in.ServerCertificateName,
		func(tags store.Tags) (store.Tags, error) { return sensitive.merge(tags, in.Tags) },
	)
}

// UntagServerCertificate removes the tags with the keys from a server certificate.
func (a *API) UntagServerCertificate(
	ctx context.Context, in *iam.UntagServerCertificateInput,
) (*iam.UntagServerCertificateOutput, error) {
	if err := checkTagKeys(in.TagKeys); err != nil {
		return nil, err
	}
	return &iam.UntagServerCertificateOutput{}, a.editCertificateTags(
		ctx, in.ServerCertificateName,
		func(tags store.Tags) (store.Tags, error) { return sensitive.without(tags, in.TagKeys...), nil },
	)
}

// ListServerCertificateTags lists the tags of a server certificate.
func (a *API) ListServerCertificateTags(
	ctx context.Context, in *iam.ListServerCertificateTagsInput,
) (*iam.ListServerCertificateTagsOutput, error) {
	row, err := findServerCertificate(ctx, a.Store.Read(ctx), in.ServerCertificateName)
	if err != nil {
		return nil, err
	}
	page, err := tagPage(row.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListServerCertificateTagsOutput{Tags: page.items, IsTruncated: page.more, Marker: page.marker}, nil
}
