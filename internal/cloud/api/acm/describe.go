package acm

import (
	"context"
	"crypto/x509"

	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// DescribeCertificate returns the metadata of a certificate.
func (a *API) DescribeCertificate(
	ctx context.Context, in *acm.DescribeCertificateInput,
) (*acm.DescribeCertificateOutput, error) {
	view := a.Store.Read(ctx)
	row, err := findCertificate(view, wire.RegionFrom(ctx), in.CertificateArn)
	if err != nil {
		return nil, err
	}
	leaf, err := parseStored(row)
	if err != nil {
		return nil, err
	}
	names := domainNames(leaf)
	out := &types.CertificateDetail{
		CertificateArn:          new(row.ARN),
		SubjectAlternativeNames: names,
		Type:                    types.CertificateTypeImported,
		Status:                  status(leaf, a.Now()),
		CreatedAt:               new(row.Created),
		ImportedAt:              new(row.Imported),
		NotBefore:               new(leaf.NotBefore),
		NotAfter:                new(leaf.NotAfter),
		Serial:                  new(serial(leaf)),
		Subject:                 new(leaf.Subject.String()),
		Issuer:                  new(issuer(leaf)),
		KeyAlgorithm:            keyAlgorithm(leaf.PublicKey),
		SignatureAlgorithm:      new(signatureAlgorithm(leaf)),
		ExtendedKeyUsages:       extendedKeyUsagesOf(leaf),
		KeyUsages:               []types.KeyUsage{},
		InUseBy:                 append([]string{}, loadBalancersUsing(view, row)...),
		RenewalEligibility:      types.RenewalEligibilityIneligible,
		Options:                 &types.CertificateOptions{Export: types.CertificateExportDisabled},
	}
	if len(names) > 0 {
		out.DomainName = new(names[0])
	}
	for _, name := range keyUsagesOf(leaf) {
		out.KeyUsages = append(out.KeyUsages, types.KeyUsage{Name: name})
	}
	return &acm.DescribeCertificateOutput{Certificate: out}, nil
}

// GetCertificate returns a certificate and its chain as they were imported.
func (a *API) GetCertificate(ctx context.Context, in *acm.GetCertificateInput) (*acm.GetCertificateOutput, error) {
	row, err := findCertificate(a.Store.Read(ctx), wire.RegionFrom(ctx), in.CertificateArn)
	if err != nil {
		return nil, err
	}
	out := &acm.GetCertificateOutput{Certificate: new(row.Body)}
	if row.Chain != "" {
		out.CertificateChain = new(row.Chain)
	}
	return out, nil
}

// summary describes a certificate in ListCertificates.
func (a *API) summary(r store.Reader, row *store.Certificate, leaf *x509.Certificate) types.CertificateSummary {
	names := domainNames(leaf)
	out := types.CertificateSummary{
		CertificateArn:                       new(row.ARN),
		SubjectAlternativeNameSummaries:      names[:min(len(names), 100)],
		HasAdditionalSubjectAlternativeNames: new(len(names) > 100),
		Status:                               status(leaf, a.Now()),
		Type:                                 types.CertificateTypeImported,
		KeyAlgorithm:                         keyAlgorithm(leaf.PublicKey),
		KeyUsages:                            keyUsagesOf(leaf),
		InUse:                                new(len(loadBalancersUsing(r, row)) > 0),
		RenewalEligibility:                   types.RenewalEligibilityIneligible,
		NotBefore:                            new(leaf.NotBefore),
		NotAfter:                             new(leaf.NotAfter),
		CreatedAt:                            new(row.Created),
		ImportedAt:                           new(row.Imported),
	}
	if len(names) > 0 {
		out.DomainName = new(names[0])
	}
	for _, usage := range extendedKeyUsagesOf(leaf) {
		out.ExtendedKeyUsages = append(out.ExtendedKeyUsages, usage.Name)
	}
	return out
}
