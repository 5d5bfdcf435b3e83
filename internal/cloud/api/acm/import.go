package acm

import (
	"context"
	"crypto/x509"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/acm"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// ImportCertificate stores a certificate with its private key, or replaces an earlier
// import, whose load balancers use the new certificate at once.
func (a *API) ImportCertificate(
	ctx context.Context, in *acm.ImportCertificateInput,
) (*acm.ImportCertificateOutput, error) {
	given, err := parseImport(in.Certificate, in.CertificateChain, in.PrivateKey, a.Now())
	if err != nil {
		return nil, err
	}
	row := &store.Certificate{
		Region: wire.RegionFrom(ctx), Created: a.Now().UTC(), Imported: a.Now().UTC(),
		Body: given.body, Chain: given.chain, Key: given.key,
	}
	if in.CertificateArn == nil {
		row.ARN = newARN(row.Region)
		if row.Tags, err = mergeTags(nil, in.Tags); err != nil {
			return nil, err
		}
	} else if len(in.Tags) > 0 {
		return nil, wire.Errorf("InvalidParameterException", "Tagging is not permitted on re-import.")
	}
	return &acm.ImportCertificateOutput{CertificateArn: &row.ARN}, a.Store.Update(func(tx *store.Tx) error {
		if in.CertificateArn != nil {
			old, err := findCertificate(tx, row.Region, in.CertificateArn)
			if err != nil {
				return err
			}
			if old.Request != nil {
				return model.Errorf("Certificate %s was issued by ACM and cannot be replaced by an import.", old.ARN)
			}
			if err := checkReplacement(old, given.leaf); err != nil {
				return err
			}
			row.ARN, row.Created, row.Tags = old.ARN, old.Created, old.Tags
		}
		store.Certificates.Put(tx, row)
		return nil
	})
}

// checkReplacement refuses certificates that cannot replace an earlier import (AWS
// Certificate Manager User Guide, Reimport a certificate).
func checkReplacement(old *store.Certificate, by *x509.Certificate) error {
	was, err := parseStored(old)
	if err != nil {
		return err
	}
	switch {
	case keyAlgorithm(was.PublicKey) != keyAlgorithm(by.PublicKey):
		return model.Errorf("The key type and size of a certificate cannot be changed by a re-import.")
	case len(domainNames(was)) > 0 && len(domainNames(by)) == 0:
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
