package acm

import (
	"context"
	"crypto/x509"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/acm"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// ImportCertificate takes a certificate with its key, or puts a new one in the
// place of an old one, which load balancers then use at once.
func (a *API) ImportCertificate(ctx context.Context, in *acm.ImportCertificateInput) (*acm.ImportCertificateOutput, error) {
	given, err := take(in.Certificate, in.CertificateChain, in.PrivateKey, a.Now())
	if err != nil {
		return nil, err
	}
	row := &store.Certificate{
		Region: wire.RegionFrom(ctx), Created: a.Now().UTC(), Imported: a.Now().UTC(),
		Body: given.body, Chain: given.chain, Key: given.key,
	}
	if in.CertificateArn == nil {
		row.ARN = newARN(row.Region)
		if row.Tags, err = addTags(nil, in.Tags); err != nil {
			return nil, err
		}
	} else if len(in.Tags) > 0 {
		return nil, wire.Errorf("InvalidParameterException", "Tagging is not permitted on re-import.")
	}
	return &acm.ImportCertificateOutput{CertificateArn: &row.ARN}, a.Store.Update(func(tx *store.Tx) error {
		if in.CertificateArn != nil {
			old, err := find(tx, row.Region, in.CertificateArn)
			if err != nil {
				return err
			}
			if err := replaces(old, given.leaf); err != nil {
				return err
			}
			row.ARN, row.Created, row.Tags = old.ARN, old.Created, old.Tags
		}
		store.Certificates.Put(tx, row)
		return nil
	})
}

// replaces checks that a certificate can take the place of an old one (AWS
// Certificate Manager User Guide, Reimport a certificate).
func replaces(old *store.Certificate, by *x509.Certificate) error {
	was, err := leafOf(old)
	if err != nil {
		return err
	}
	switch {
	case algorithm(was.PublicKey) != algorithm(by.PublicKey):
		return model.Errorf("The key type and size of a certificate cannot be changed by a re-import.")
	case len(domains(was)) > 0 && len(domains(by)) == 0:
		return model.Errorf("A re-import cannot remove all of the domain names from a certificate.")
	case was.KeyUsage&^by.KeyUsage != 0:
		return model.Errorf("A re-import cannot remove key usages from a certificate.")
	}
	for _, usage := range was.ExtKeyUsage {
		if !slices.Contains(by.ExtKeyUsage, usage) {
			return model.Errorf("A re-import cannot remove extended key usages from a certificate.")
		}
	}
	return nil
}

// DeleteCertificate removes a certificate that no listener uses.
func (a *API) DeleteCertificate(ctx context.Context, in *acm.DeleteCertificateInput) (*acm.DeleteCertificateOutput, error) {
	return &acm.DeleteCertificateOutput{}, a.Store.Update(func(tx *store.Tx) error {
		row, err := find(tx, wire.RegionFrom(ctx), in.CertificateArn)
		if err != nil {
			return err
		}
		if len(users(tx, row)) > 0 {
			return wire.Errorf("ResourceInUseException", "Certificate %s is in use.", row.ARN)
		}
		store.Certificates.Delete(tx, row.ARN)
		return nil
	})
}
