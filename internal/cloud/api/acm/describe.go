package acm

import (
	"context"
	"crypto/x509"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// status is ISSUED until the certificate expires.
func status(leaf *x509.Certificate, now time.Time) types.CertificateStatus {
	if now.After(leaf.NotAfter) {
		return types.CertificateStatusExpired
	}
	return types.CertificateStatusIssued
}

// issuer is the organization that signed the certificate, or its name.
func issuer(leaf *x509.Certificate) string {
	if names := leaf.Issuer.Organization; len(names) > 0 {
		return names[0]
	}
	return leaf.Issuer.CommonName
}

// DescribeCertificate tells everything of a certificate but its key.
func (a *API) DescribeCertificate(ctx context.Context, in *acm.DescribeCertificateInput) (*acm.DescribeCertificateOutput, error) {
	view := a.Store.View()
	row, err := find(view, wire.RegionFrom(ctx), in.CertificateArn)
	if err != nil {
		return nil, err
	}
	leaf, err := leafOf(row)
	if err != nil {
		return nil, err
	}
	names := domains(leaf)
	out := &types.CertificateDetail{
		CertificateArn: new(row.ARN), SubjectAlternativeNames: names, Type: types.CertificateTypeImported,
		Status: status(leaf, a.Now()), CreatedAt: new(row.Created), ImportedAt: new(row.Imported),
		NotBefore: new(leaf.NotBefore), NotAfter: new(leaf.NotAfter), Serial: new(serial(leaf)),
		Subject: new(leaf.Subject.String()), Issuer: new(issuer(leaf)), KeyAlgorithm: algorithm(leaf.PublicKey),
		SignatureAlgorithm: new(signature(leaf)),
		ExtendedKeyUsages:  extendedUsagesOf(leaf), KeyUsages: []types.KeyUsage{},
		InUseBy: append([]string{}, users(view, row)...), RenewalEligibility: types.RenewalEligibilityIneligible,
		Options: &types.CertificateOptions{Export: types.CertificateExportDisabled},
	}
	if len(names) > 0 {
		out.DomainName = new(names[0])
	}
	for _, name := range usagesOf(leaf) {
		out.KeyUsages = append(out.KeyUsages, types.KeyUsage{Name: name})
	}
	return &acm.DescribeCertificateOutput{Certificate: out}, nil
}

// signature is how the certificate was signed, as in "SHA256WITHRSA".
func signature(leaf *x509.Certificate) string {
	kind, hash, ok := strings.Cut(leaf.SignatureAlgorithm.String(), "-")
	if !ok {
		return strings.ToUpper(kind)
	}
	if kind == "SHA256" || kind == "SHA384" || kind == "SHA512" || kind == "SHA1" {
		kind, hash = hash, kind
	}
	return strings.ToUpper(hash + "WITH" + kind)
}

// GetCertificate tells the certificate and its chain, as they were imported.
func (a *API) GetCertificate(ctx context.Context, in *acm.GetCertificateInput) (*acm.GetCertificateOutput, error) {
	row, err := find(a.Store.View(), wire.RegionFrom(ctx), in.CertificateArn)
	if err != nil {
		return nil, err
	}
	out := &acm.GetCertificateOutput{Certificate: new(row.Body)}
	if row.Chain != "" {
		out.CertificateChain = new(row.Chain)
	}
	return out, nil
}

// summary is a line of ListCertificates.
func (a *API) summary(r store.Reader, row *store.Certificate, leaf *x509.Certificate) types.CertificateSummary {
	names := domains(leaf)
	out := types.CertificateSummary{
		CertificateArn:                       new(row.ARN),
		SubjectAlternativeNameSummaries:      names[:min(len(names), 100)],
		HasAdditionalSubjectAlternativeNames: new(len(names) > 100),
		Status: status(
			leaf,
			a.Now(),
		), Type: types.CertificateTypeImported, KeyAlgorithm: algorithm(leaf.PublicKey), KeyUsages: usagesOf(leaf),
		InUse: new(len(users(r, row)) > 0), RenewalEligibility: types.RenewalEligibilityIneligible,
		NotBefore: new(leaf.NotBefore),
		NotAfter:  new(leaf.NotAfter), CreatedAt: new(row.Created), ImportedAt: new(row.Imported),
	}
	if len(names) > 0 {
		out.DomainName = new(names[0])
	}
	for _, usage := range extendedUsagesOf(leaf) {
		out.ExtendedKeyUsages = append(out.ExtendedKeyUsages, usage.Name)
	}
	return out
}
