package acm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

const (
	domainPattern = `(\*\.)?(((?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9])\.)+((?!-)[A-Za-z0-9-]{1,62}[A-Za-z0-9])`
	maxDomain     = 253
	// maxNames is the number of names in a certificate (AWS Certificate Manager User Guide,
	// "Quotas", "Number of domain names per ACM certificate").
	maxNames = 10
	// tokenValid is how long a repeated request returns the first certificate (AWS
	// Certificate Manager API Reference, RequestCertificate, IdempotencyToken).
	tokenValid = time.Hour
)

// domainName is domainPattern; Go has no look-ahead.
var domainName = regexp.MustCompile(
	`^(\*\.)?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])$`,
)

var tokenPattern = regexp.MustCompile(`^\w{1,32}$`)

// requestedKeys are the key algorithms of certificates that ACM issues. The first is the
// default.
var requestedKeys = []types.KeyAlgorithm{
	types.KeyAlgorithmRsa2048, types.KeyAlgorithmEcPrime256v1, types.KeyAlgorithmEcSecp384r1,
}

// RequestCertificate requests a certificate. A loop validates its names against the
// hosted zones of the local cloud and issues it.
func (a *API) RequestCertificate(
	ctx context.Context, in *acm.RequestCertificateInput,
) (*acm.RequestCertificateOutput, error) {
	if err := checkRequest(in); err != nil {
		return nil, err
	}
	tags, err := mergeTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	now := a.Now().UTC()
	row := &store.Certificate{
		ARN: newARN(wire.RegionFrom(ctx)), Region: wire.RegionFrom(ctx), Created: now, Tags: tags,
		Request: &store.CertificateRequest{
			Names:          requestedNames(in),
			KeyAlgorithm:   string(in.KeyAlgorithm),
			Token:          aws.ToString(in.IdempotencyToken),
			NoTransparency: in.Options != nil && optsOut(*in.Options),
		},
	}
	if row.Request.KeyAlgorithm == "" {
		row.Request.KeyAlgorithm = string(requestedKeys[0])
	}
	row.Request.OfferedAt = a.Manners.Until(now, manners.OfferValidation, row.ARN)
	row.Request.CheckedAt = a.Manners.Until(now, manners.IssueCertificate, row.ARN)
	for _, name := range row.Request.Names {
		row.Request.Validations = append(row.Request.Validations, validation(row.Region, name))
	}
	out := &acm.RequestCertificateOutput{CertificateArn: &row.ARN}
	return out, a.Store.Update(func(tx *store.Tx) error {
		for _, old := range store.Certificates.InRegion(tx, row.Region) {
			if repeats(old, row) {
				out.CertificateArn = &old.ARN
				return nil
			}
		}
		store.Certificates.Put(tx, row)
		return nil
	})
}

// repeats reports whether a request is an earlier one once more.
func repeats(old, row *store.Certificate) bool {
	return old.Request != nil && row.Request.Token != "" && old.Request.Token == row.Request.Token &&
		row.Created.Sub(old.Created) < tokenValid && slices.Equal(old.Request.Names, row.Request.Names)
}

// requestedNames returns the names of a certificate, each once.
func requestedNames(in *acm.RequestCertificateInput) []string {
	out := []string{strings.ToLower(*in.DomainName)}
	for _, name := range in.SubjectAlternativeNames {
		if name = strings.ToLower(name); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func checkRequest(in *acm.RequestCertificateInput) error {
	if in.DomainName == nil {
		return model.Null("domainName")
	}
	for i, name := range append([]string{*in.DomainName}, in.SubjectAlternativeNames...) {
		member := "domainName"
		if i > 0 {
			member = "subjectAlternativeNames"
		}
		switch {
		case len(name) > maxDomain:
			return model.TooLong(member, maxDomain)
		case !domainName.MatchString(name):
			return model.Refuse(member, name, "satisfy regular expression pattern: %s", domainPattern)
		}
	}
	token := in.IdempotencyToken
	switch {
	case token != nil && !tokenPattern.MatchString(*token):
		return model.Refuse("idempotencyToken", *token, `satisfy regular expression pattern: \w+`)
	case len(requestedNames(in)) > maxNames:
		return wire.Errorf("LimitExceededException", "A certificate has at most %d domain names.", maxNames)
	case in.KeyAlgorithm != "" && !slices.Contains(in.KeyAlgorithm.Values(), in.KeyAlgorithm):
		return checkEnum("keyAlgorithm", []types.KeyAlgorithm{in.KeyAlgorithm}, in.KeyAlgorithm.Values())
	case in.KeyAlgorithm != "" && !slices.Contains(requestedKeys, in.KeyAlgorithm):
		return wire.Errorf("ValidationException", "The key algorithm %s is not supported for certificates that ACM "+
			"issues.", in.KeyAlgorithm)
	}
	return checkOptions(in)
}

// checkOptions refuses what the local cloud does not implement, by name.
func checkOptions(in *acm.RequestCertificateInput) error {
	if err := checkEnum("validationMethod", nonEmpty(in.ValidationMethod), in.ValidationMethod.Values()); err != nil {
		return err
	}
	for name, given := range map[string]bool{
		"validation by email, which is ACM's default: set ValidationMethod to DNS": in.ValidationMethod == "" ||
			in.ValidationMethod == types.ValidationMethodEmail,
		"validation by HTTP":                    in.ValidationMethod == types.ValidationMethodHttp,
		"private certificate authorities":       in.CertificateAuthorityArn != nil,
		"the parameter DomainValidationOptions": len(in.DomainValidationOptions) > 0,
		"the parameter ManagedBy":               in.ManagedBy != "",
		"the parameter ValidationMethod of Options": in.Options != nil && in.Options.ValidationMethod != "" &&
			in.Options.ValidationMethod != types.ValidationMethodDns,
		"certificates that can be exported": in.Options != nil &&
			in.Options.Export == types.CertificateExportEnabled,
	} {
		if given {
			return wire.NotImplemented("%s", name)
		}
	}
	return nil
}

// validation returns the record that proves the control of a name. As on AWS it is the same
// for a name and its wildcard and for each certificate of the account, so that one record
// serves all renewals (AWS Certificate Manager User Guide, "DNS validation").
func validation(region identity.Region, name string) store.DomainValidation {
	base := strings.TrimPrefix(name, "*.")
	digest := func(what string) string {
		sum := sha256.Sum256([]byte(strings.Join([]string{what, region.Account(), region.Name(), base}, " ")))
		return hex.EncodeToString(sum[:16])
	}
	return store.DomainValidation{
		Domain: name, Record: "_" + digest("record") + "." + base + ".",
		Value: "_" + digest("value") + "." + letters(digest("zone")[:10]) + ".acm-validations.aws.",
	}
}

// letters replaces hexadecimal digits by letters, which ACM's zones have.
func letters(digits string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r - '0' + 'q'
		}
		return r
	}, digits)
}

// optsOut reports whether a certificate is not to be logged publicly.
func optsOut(o types.CertificateOptions) bool {
	preference := o.CertificateTransparencyLoggingPreference //nolint:staticcheck // clients set it
	return preference == types.CertificateTransparencyLoggingPreferenceDisabled
}
