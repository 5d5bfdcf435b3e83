package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// maxServerCertificates is the quota of an account (IAM User Guide, "IAM and AWS STS quotas").
const maxServerCertificates = 20

// UploadServerCertificate stores a certificate with its private key.
func (a *API) UploadServerCertificate(
	ctx context.Context, in *iam.UploadServerCertificateInput,
) (*iam.UploadServerCertificateOutput, error) {
	if err := checkName("serverCertificateName", in.ServerCertificateName, maxName); err != nil {
		return nil, err
	}
	path, err := pathOf(in.Path)
	if err != nil {
		return nil, err
	}
	leaf, err := checkCertificate(in, a.now())
	if err != nil {
		return nil, err
	}
	tags, err := sensitive.merge(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	row := &store.ServerCertificate{
		Name: *in.ServerCertificateName, Path: path, ID: a.ids.UniqueID("ASCA"),
		ARN:  arn(ctx, "server-certificate", path, *in.ServerCertificateName),
		Body: strings.TrimSpace(*in.CertificateBody), Chain: strings.TrimSpace(aws.ToString(in.CertificateChain)),
		PrivateKey: *in.PrivateKey,
		Uploaded:   a.now(), Expires: leaf.NotAfter, Tags: tags,
	}
	if err := a.Store.Update(func(tx *store.Tx) error {
		if err := checkCertificateName(tx, row); err != nil {
			return err
		}
		if len(store.ServerCertificates.InRegion(tx, row.Region())) >= maxServerCertificates {
			return quotaExceeded("ServerCertificatesPerAccount", maxServerCertificates)
		}
		store.ServerCertificates.Put(tx, row)
		return nil
	}); err != nil {
		return nil, err
	}
	return &iam.UploadServerCertificateOutput{
		ServerCertificateMetadata: new(certificateMetadata(row)), Tags: tagItems(tags),
	}, nil
}

// checkCertificateName refuses a name that another server certificate has.
func checkCertificateName(r store.Reader, row *store.ServerCertificate) error {
	if _, taken := store.ServerCertificates.Get(r, row.Key()); taken {
		return entityExists("The Server Certificate with name %s already exists.", row.Name)
	}
	return nil
}

// findServerCertificate returns the server certificate that a request names.
func findServerCertificate(ctx context.Context, r store.Reader, name *string) (*store.ServerCertificate, error) {
	if err := checkName("serverCertificateName", name, maxName); err != nil {
		return nil, err
	}
	row, ok := store.ServerCertificates.Get(r, store.NameKey(wire.RegionFrom(ctx), *name))
	if !ok {
		return nil, noSuchEntity("The Server Certificate with name %s cannot be found.", *name)
	}
	return row, nil
}

func certificateMetadata(row *store.ServerCertificate) types.ServerCertificateMetadata {
	return types.ServerCertificateMetadata{
		ServerCertificateName: &row.Name, ServerCertificateId: &row.ID, Path: &row.Path, Arn: &row.ARN,
		UploadDate: &row.Uploaded, Expiration: &row.Expires,
	}
}

// GetServerCertificate returns a server certificate with its chain, but not its private key.
func (a *API) GetServerCertificate(
	ctx context.Context, in *iam.GetServerCertificateInput,
) (*iam.GetServerCertificateOutput, error) {
	row, err := findServerCertificate(ctx, a.Store.Read(ctx), in.ServerCertificateName)
	if err != nil {
		return nil, err
	}
	out := &types.ServerCertificate{
		ServerCertificateMetadata: new(certificateMetadata(row)), CertificateBody: &row.Body,
		Tags: append([]types.Tag{}, tagItems(row.Tags)...),
	}
	if row.Chain != "" {
		out.CertificateChain = &row.Chain
	}
	return &iam.GetServerCertificateOutput{ServerCertificate: out}, nil
}

// ListServerCertificates lists the server certificates below a path.
func (a *API) ListServerCertificates(
	ctx context.Context, in *iam.ListServerCertificatesInput,
) (*iam.ListServerCertificatesOutput, error) {
	prefix, err := prefixOf(in.PathPrefix)
	if err != nil {
		return nil, err
	}
	all := store.ServerCertificates.InRegion(a.Store.Read(ctx), wire.GlobalFrom(ctx))
	rows := slices.DeleteFunc(all, func(row *store.ServerCertificate) bool {
		return !strings.HasPrefix(row.Path, prefix)
	})
	page, err := paginate(rows, (*store.ServerCertificate).Key, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListServerCertificatesOutput{
		ServerCertificateMetadataList: convert(page.items, certificateMetadata),
		IsTruncated:                   page.more, Marker: page.marker,
	}, nil
}

// UpdateServerCertificate changes the name or path of a server certificate, and with them its
// ARN. Listeners that use it keep it.
func (a *API) UpdateServerCertificate(
	ctx context.Context, in *iam.UpdateServerCertificateInput,
) (*iam.UpdateServerCertificateOutput, error) {
	if in.NewServerCertificateName != nil {
		if err := checkName("newServerCertificateName", in.NewServerCertificateName, maxName); err != nil {
			return nil, err
		}
	}
	path, err := pathOf(in.NewPath)
	if err != nil {
		return nil, err
	}
	return &iam.UpdateServerCertificateOutput{}, a.Store.Update(func(tx *store.Tx) error {
		old, err := findServerCertificate(ctx, tx, in.ServerCertificateName)
		if err != nil {
			return err
		}
		row := *old
		if in.NewPath != nil {
			row.Path = path
		}
		if in.NewServerCertificateName != nil {
			row.Name = *in.NewServerCertificateName
		}
		row.ARN = identity.ARN("iam", old.Region(), "server-certificate"+row.Path+row.Name)
		if row.Key() != old.Key() {
			if err := checkCertificateName(tx, &row); err != nil {
				return err
			}
		}
		store.ServerCertificates.Delete(tx, old.Key())
		store.ServerCertificates.Put(tx, &row)
		renameInListeners(tx, old.ARN, row.ARN)
		return nil
	})
}

func renameInListeners(tx *store.Tx, old, renamed string) {
	for _, l := range store.Listeners.List(tx) {
		if i := slices.Index(l.Certificates, old); i >= 0 {
			store.Listeners.Edit(tx, l.ARN, func(l *store.Listener) {
				l.Certificates = slices.Clone(l.Certificates)
				l.Certificates[i] = renamed
			})
		}
	}
}

// DeleteServerCertificate deletes a server certificate that no listener uses.
func (a *API) DeleteServerCertificate(
	ctx context.Context, in *iam.DeleteServerCertificateInput,
) (*iam.DeleteServerCertificateOutput, error) {
	return &iam.DeleteServerCertificateOutput{}, a.Store.Update(func(tx *store.Tx) error {
		row, err := findServerCertificate(ctx, tx, in.ServerCertificateName)
		if err != nil {
			return err
		}
		if users := store.CertificateUsers(tx, row.ARN); len(users) > 0 {
			return deleteConflict("Certificate: " + row.ID + " is currently in use by " + users[0] +
				". Please remove it first before deleting it from IAM.")
		}
		store.ServerCertificates.Delete(tx, row.Key())
		return nil
	})
}
