package acm

import (
	"context"
	"crypto/x509"
	"strings"

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
	users := store.CertificateUsers(view, row.ARN)
	out := &types.CertificateDetail{
		CertificateArn:           new(row.ARN),
		Type:                     types.CertificateTypeImported,
		CertificateKeyPairOrigin: types.CertificateKeyPairOriginCustomerProvided,
		CreatedAt:                new(row.Created),
		InUseBy:                  append([]string{}, users...),
		RenewalEligibility:       types.RenewalEligibilityIneligible,
		Options:                  &types.CertificateOptions{Export: types.CertificateExportDisabled},
		KeyUsages:                []types.KeyUsage{},
		ExtendedKeyUsages:        []types.ExtendedKeyUsage{},
	}
	var leaf *x509.Certificate
	if row.Body != "" {
		if leaf, err = parseStored(row); err != nil {
			return nil, err
		}
		describeLeaf(out, leaf)
	}
	out.Status = status(row, leaf, a.Now())
	if row.Request != nil {
		a.describeRequest(out, row.Request)
		if leaf != nil && len(users) > 0 {
			out.RenewalEligibility = types.RenewalEligibilityEligible
		}
	} else {
		out.ImportedAt = new(row.Imported)
		for i := range out.SubjectAlternativeNames {
			out.DomainValidationOptions = append(
				out.DomainValidationOptions, types.DomainValidation{DomainName: &out.SubjectAlternativeNames[i]},
			)
		}
		//nolint:staticcheck // clients read it
		out.Options.CertificateTransparencyLoggingPreference = types.CertificateTransparencyLoggingPreferenceDisabled
	}
	return &acm.DescribeCertificateOutput{Certificate: out}, nil
}

// describeLeaf adds what a certificate itself says.
func describeLeaf(out *types.CertificateDetail, leaf *x509.Certificate) {
	names := domainNames(leaf)
	out.SubjectAlternativeNames = names
	if len(names) > 0 {
		out.DomainName = new(names[0])
	}
	out.NotBefore, out.NotAfter = new(leaf.NotBefore), new(leaf.NotAfter)
	out.Serial, out.Subject, out.Issuer = new(serial(leaf)), new(leaf.Subject.String()), new(issuer(leaf))
	out.KeyAlgorithm = describedKey(keyAlgorithm(leaf.PublicKey))
	out.SignatureAlgorithm, out.ExtendedKeyUsages = new(signatureAlgorithm(leaf)), extendedKeyUsagesOf(leaf)
	for _, name := range keyUsagesOf(leaf) {
		out.KeyUsages = append(out.KeyUsages, types.KeyUsage{Name: name})
	}
}

// describeRequest adds what is known of a certificate that was requested.
func (a *API) describeRequest(out *types.CertificateDetail, r *store.CertificateRequest) {
	out.Type, out.CertificateKeyPairOrigin = types.CertificateTypeAmazonIssued, types.CertificateKeyPairOriginAwsManaged
	out.DomainName, out.SubjectAlternativeNames = new(r.Names[0]), r.Names
	out.KeyAlgorithm = describedKey(types.KeyAlgorithm(r.KeyAlgorithm))
	preference := types.CertificateTransparencyLoggingPreferenceEnabled
	if r.NoTransparency {
		preference = types.CertificateTransparencyLoggingPreferenceDisabled
	}
	out.Options.CertificateTransparencyLoggingPreference = preference //nolint:staticcheck // clients read it
	if !r.Issued.IsZero() {
		out.IssuedAt = new(r.Issued)
	}
	if out.Subject == nil { // it is not issued yet
		out.Subject, out.Issuer = new("CN="+r.Names[0]), new("Amazon")
		if strings.HasPrefix(r.KeyAlgorithm, "RSA") {
			out.SignatureAlgorithm = new("SHA256WITHRSA")
		}
	}
	out.DomainValidationOptions = a.validations(r)
	if r.Renewal.Status != "" {
		out.RenewalSummary = &types.RenewalSummary{
			RenewalStatus: types.RenewalStatus(r.Renewal.Status), UpdatedAt: new(r.Renewal.Updated),
			DomainValidationOptions: out.DomainValidationOptions,
		}
	}
}

// validations returns the validations of a request. At first they lack their records (AWS
// Certificate Manager API Reference, RequestCertificate).
func (a *API) validations(r *store.CertificateRequest) []types.DomainValidation {
	out := []types.DomainValidation{}
	for _, v := range r.Validations {
		one := types.DomainValidation{
			DomainName: new(v.Domain), ValidationDomain: new(v.Domain), ValidationMethod: types.ValidationMethodDns,
			ValidationStatus: types.DomainStatusPendingValidation,
		}
		if !a.Now().Before(r.OfferedAt) {
			one.ResourceRecord = &types.ResourceRecord{
				Name: new(v.Record), Type: types.RecordTypeCname, Value: new(v.Value),
			}
		}
		switch {
		case v.Valid:
			one.ValidationStatus = types.DomainStatusSuccess
		case r.TimedOut:
			one.ValidationStatus = types.DomainStatusFailed
		}
		out = append(out, one)
	}
	return out
}

// GetCertificate returns a certificate and its chain, as they were imported or issued.
func (a *API) GetCertificate(ctx context.Context, in *acm.GetCertificateInput) (*acm.GetCertificateOutput, error) {
	row, err := findCertificate(a.Store.Read(ctx), wire.RegionFrom(ctx), in.CertificateArn)
	if err != nil {
		return nil, err
	}
	if row.Body == "" {
		return nil, wire.Errorf("RequestInProgressException", "Certificate %s is not issued yet.", row.ARN)
	}
	out := &acm.GetCertificateOutput{Certificate: new(row.Body)}
	if row.Chain != "" {
		out.CertificateChain = new(row.Chain)
	}
	return out, nil
}

// summary describes a certificate in ListCertificates.
func (a *API) summary(r store.Reader, row *store.Certificate) (types.CertificateSummary, error) {
	out := types.CertificateSummary{
		CertificateArn:           new(row.ARN),
		Type:                     types.CertificateTypeImported,
		CertificateKeyPairOrigin: types.CertificateKeyPairOriginCustomerProvided,
		InUse:                    new(len(store.CertificateUsers(r, row.ARN)) > 0),
		RenewalEligibility:       types.RenewalEligibilityIneligible,
		CreatedAt:                new(row.Created),
		KeyUsages:                []types.KeyUsageName{},
		ExtendedKeyUsages:        []types.ExtendedKeyUsageName{},
	}
	var names []string
	var leaf *x509.Certificate
	if row.Body != "" {
		var err error
		if leaf, err = parseStored(row); err != nil {
			return out, err
		}
		names = domainNames(leaf)
		out.KeyAlgorithm, out.KeyUsages = describedKey(keyAlgorithm(leaf.PublicKey)), keyUsagesOf(leaf)
		out.NotBefore, out.NotAfter = new(leaf.NotBefore), new(leaf.NotAfter)
		for _, usage := range extendedKeyUsagesOf(leaf) {
			out.ExtendedKeyUsages = append(out.ExtendedKeyUsages, usage.Name)
		}
	}
	if request := row.Request; request == nil {
		out.ImportedAt = new(row.Imported)
	} else {
		out.Type, names = types.CertificateTypeAmazonIssued, request.Names
		out.CertificateKeyPairOrigin = types.CertificateKeyPairOriginAwsManaged
		out.KeyAlgorithm = describedKey(types.KeyAlgorithm(request.KeyAlgorithm))
		if leaf != nil {
			out.IssuedAt = new(request.Issued)
			if *out.InUse {
				out.RenewalEligibility = types.RenewalEligibilityEligible
			}
		}
	}
	out.Status = status(row, leaf, a.Now())
	out.SubjectAlternativeNameSummaries = names[:min(len(names), 100)]
	out.HasAdditionalSubjectAlternativeNames = new(len(names) > 100)
	if len(names) > 0 {
		out.DomainName = new(names[0])
	}
	return out, nil
}
