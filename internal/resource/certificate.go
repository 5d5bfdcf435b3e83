package resource

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

const (
	// offerLimit is how long ACM may take to name the records that it wants to see. It
	// takes several seconds (AWS Certificate Manager API Reference, RequestCertificate).
	offerLimit = 3 * time.Minute
	// issueLimit is how long the validation of a certificate may take. It takes up to half an
	// hour from when the records are there (AWS Certificate Manager User Guide, "DNS
	// validation").
	issueLimit = 45 * time.Minute
)

var certificateKind = kind{
	name:   stack.KindCertificate,
	find:   findCertificates,
	create: created((*Provisioner).createCertificate),
	update: updated((*Provisioner).updateCertificate),
	remove: (*Provisioner).deleteCertificate,
}

// ACM is the part of AWS Certificate Manager that the package uses.
type ACM interface {
	ListCertificates(
		context.Context, *acm.ListCertificatesInput, ...func(*acm.Options),
	) (*acm.ListCertificatesOutput, error)
	ListTagsForCertificate(
		context.Context, *acm.ListTagsForCertificateInput, ...func(*acm.Options),
	) (*acm.ListTagsForCertificateOutput, error)
	DescribeCertificate(
		context.Context, *acm.DescribeCertificateInput, ...func(*acm.Options),
	) (*acm.DescribeCertificateOutput, error)
	RequestCertificate(
		context.Context, *acm.RequestCertificateInput, ...func(*acm.Options),
	) (*acm.RequestCertificateOutput, error)
	AddTagsToCertificate(
		context.Context, *acm.AddTagsToCertificateInput, ...func(*acm.Options),
	) (*acm.AddTagsToCertificateOutput, error)
	RemoveTagsFromCertificate(
		context.Context, *acm.RemoveTagsFromCertificateInput, ...func(*acm.Options),
	) (*acm.RemoveTagsFromCertificateOutput, error)
	DeleteCertificate(
		context.Context, *acm.DeleteCertificateInput, ...func(*acm.Options),
	) (*acm.DeleteCertificateOutput, error)
}

// requested reports whether a certificate is one that ACM issues.
func requested(c types.CertificateSummary) bool { return c.Type == types.CertificateTypeAmazonIssued }

// listCertificates returns all certificates of the region. Without a filter ACM leaves out
// those with elliptic curves.
func (c *Cloud) listCertificates(ctx context.Context) ([]types.CertificateSummary, error) {
	list, err := collect(
		ctx,
		acm.NewListCertificatesPaginator(c.ACM, &acm.ListCertificatesInput{
			Includes: &types.Filters{KeyTypes: types.KeyAlgorithm("").Values()},
		}),
		func(page *acm.ListCertificatesOutput) []types.CertificateSummary { return page.CertificateSummaryList },
	)
	return list, awsapi.Wrap("list certificates", err)
}

// findCertificates returns the application's certificates. It asks only if there can be
// any: most applications have no domain, and most policies would not allow the question.
func findCertificates(ctx context.Context, d *discovery) ([]plan.Found, error) {
	return d.certificates.get(func() ([]plan.Found, error) {
		needed, err := d.hasDomain(ctx)
		if err != nil || !needed && !d.AnyDomain {
			return nil, err
		}
		list, err := d.listCertificates(ctx)
		if !needed && (awsapi.IsForbidden(err) || awsapi.IsUnsupported(err)) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		var all []plan.Found
		for _, summary := range list {
			if !requested(summary) {
				continue
			}
			f, ours, err := d.certificate(ctx, summary)
			if err != nil {
				return nil, err
			}
			if ours {
				all = append(all, f)
			}
		}
		return all, nil
	})
}

// hasDomain reports whether the spec names a domain, or a listener serves HTTPS.
func (d *discovery) hasDomain(ctx context.Context) (bool, error) {
	if len(d.Domains) > 0 {
		return true, nil
	}
	listeners, err := d.findAllListeners(ctx)
	return slices.ContainsFunc(listeners, func(f plan.Found) bool {
		return f.Address == stack.AddressSecureListener
	}), err
}

// certificate returns a certificate, and whether it has the application's tag.
func (c *Cloud) certificate(ctx context.Context, s types.CertificateSummary) (f plan.Found, ours bool, err error) {
	tags, err := c.certificateTags(ctx, aws.ToString(s.CertificateArn))
	if err != nil || tags[stack.TagApp] != c.App {
		return f, false, err
	}
	f = plan.Found{
		Address: tags[stack.TagAddress], Kind: stack.KindCertificate, ID: aws.ToString(s.CertificateArn),
		Name:    strings.Join(s.SubjectAlternativeNameSummaries, ", "),
		Created: aws.ToTime(s.CreatedAt).UTC().Format(time.RFC3339),
	}
	f.Set(stack.AttrNames, s.SubjectAlternativeNameSummaries...)
	f.Set(stack.AttrState, strings.ToLower(string(s.Status)))
	setTags(&f, tags)
	switch s.Status {
	case types.CertificateStatusFailed, types.CertificateStatusValidationTimedOut, types.CertificateStatusExpired,
		types.CertificateStatusRevoked:
		f.Broken = "certificate is " + strings.ToLower(string(s.Status))
	}
	return f, true, nil
}

// certificateTags returns the tags of a certificate; none if it does not exist.
func (c *Cloud) certificateTags(ctx context.Context, arn string) (map[string]string, error) {
	out, err := c.ACM.ListTagsForCertificate(ctx, &acm.ListTagsForCertificateInput{CertificateArn: &arn})
	if awsapi.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the tags of certificate %s: %w", arn, err)
	}
	return tagsOf(out.Tags, func(t types.Tag) (key, value *string) { return t.Key, t.Value }), nil
}

func certificateTags(tags []tag) []types.Tag {
	all := make([]types.Tag, len(tags))
	for i, t := range tags {
		all[i] = types.Tag{Key: aws.String(t.key), Value: aws.String(t.value)}
	}
	return all
}

func (p *Provisioner) certificateTagger(arn string) tagger {
	return tagger{
		set: func(ctx context.Context, tags []tag) error {
			_, err := p.ACM.AddTagsToCertificate(ctx, &acm.AddTagsToCertificateInput{
				CertificateArn: &arn, Tags: certificateTags(tags),
			})
			return err
		},
		remove: func(ctx context.Context, keys []string) error {
			in := &acm.RemoveTagsFromCertificateInput{CertificateArn: &arn}
			for _, key := range keys {
				in.Tags = append(in.Tags, types.Tag{Key: aws.String(key)})
			}
			_, err := p.ACM.RemoveTagsFromCertificate(ctx, in)
			return err
		},
	}
}

func (p *Provisioner) createCertificate(
	ctx context.Context, r stack.Resource, body stack.Certificate,
) (plan.Found, error) {
	f := plan.Found{Address: r.Address, Kind: stack.KindCertificate, Name: strings.Join(body.Names, ", ")}
	in := &acm.RequestCertificateInput{
		DomainName: &body.Names[0], SubjectAlternativeNames: body.Names[1:],
		ValidationMethod: types.ValidationMethodDns, KeyAlgorithm: types.KeyAlgorithmEcPrime256v1,
		Tags: certificateTags(p.tags(r)),
		// Repetitions of this call must not request a second certificate, but a later run may.
		IdempotencyToken: aws.String(strconv.FormatInt(time.Now().UnixNano(), 36)),
	}
	out, err := p.ACM.RequestCertificate(ctx, in)
	if err != nil {
		return f, awsapi.Wrap("request a certificate for "+body.Names[0], err)
	}
	f.ID = aws.ToString(out.CertificateArn)
	return f, p.updateCertificate(ctx, r, body, f)
}

// updateCertificate proves the control of a certificate's names and waits until it is
// issued.
func (p *Provisioner) updateCertificate(
	ctx context.Context, r stack.Resource, _ stack.Certificate, current plan.Found,
) error {
	records, err := p.validationRecords(ctx, current.ID)
	if err != nil {
		return err
	}
	zones, err := p.listHostedZones(ctx)
	if err != nil {
		return err
	}
	var elsewhere []string
	for _, record := range records {
		zone := owner(zones, aws.ToString(record.Name))
		if zone == nil {
			text := fmt.Sprintf("%s CNAME %s", aws.ToString(record.Name), aws.ToString(record.Value))
			elsewhere = append(elsewhere, text)
			p.progress(r.Address, "its DNS is not in this account: create the record %s there", text)
			continue
		}
		if err := p.putValidation(ctx, zone, record); err != nil {
			return err
		}
	}
	p.progress(r.Address, "waiting until AWS has seen the records and issues the certificate")
	return p.waitIssued(ctx, r.Address, current.ID, elsewhere)
}

// validationRecords waits until ACM names the records that prove the control of a
// certificate's names, and returns each once.
func (p *Provisioner) validationRecords(ctx context.Context, arn string) (records []types.ResourceRecord, err error) {
	const what = "the records that validate the certificate"
	err = awsapi.Wait(ctx, offerLimit, what, func(ctx context.Context) (bool, error) {
		out, err := p.ACM.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: &arn})
		if awsapi.IsNotFound(err) {
			return false, nil // just requested
		}
		if err != nil {
			return false, fmt.Errorf("read the certificate: %w", err)
		}
		records = nil
		for _, v := range out.Certificate.DomainValidationOptions {
			if v.ResourceRecord == nil {
				return false, nil
			}
			known := func(other types.ResourceRecord) bool {
				return aws.ToString(other.Name) == aws.ToString(v.ResourceRecord.Name)
			}
			if !slices.ContainsFunc(records, known) {
				records = append(records, *v.ResourceRecord)
			}
		}
		return len(records) > 0, nil
	})
	return records, err
}

// waitIssued waits until a certificate is issued. elsewhere are the records that its user
// has to create.
func (p *Provisioner) waitIssued(ctx context.Context, address, arn string, elsewhere []string) error {
	hint := "run aloft up again"
	if len(elsewhere) > 0 {
		hint = "create these records where the DNS of the domain is, then run aloft up again: " +
			strings.Join(elsewhere, "; ")
	}
	err := awsapi.Wait(ctx, issueLimit, "the certificate to be issued", func(ctx context.Context) (bool, error) {
		out, err := p.ACM.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: &arn})
		if err != nil {
			return false, fmt.Errorf("read the certificate: %w", err)
		}
		switch status := out.Certificate.Status; status {
		case types.CertificateStatusIssued:
			return true, nil
		case types.CertificateStatusPendingValidation:
			return false, nil
		default:
			reason := cmp.Or(string(out.Certificate.FailureReason), "no reason given")
			return false, &diag.Diagnostic{
				Where: address, Summary: fmt.Sprintf("AWS did not issue the certificate: %s (%s)",
					strings.ToLower(string(status)), reason),
				Hint: "run aloft up again: it requests another",
			}
		}
	})
	if late, ok := err.(*awsapi.TimeoutError); ok { //nolint:errorlint // Wait returns it as it is
		return &diag.Diagnostic{
			Where: address, Summary: "AWS has not issued the certificate yet", Hint: hint, Cause: late,
		}
	}
	return err
}

// deleteCertificate deletes a certificate, after it takes it from the listeners that have
// another one, and deletes the records that no other certificate needs.
func (p *Provisioner) deleteCertificate(ctx context.Context, f plan.Found) error {
	out, err := p.ACM.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: &f.ID})
	if err != nil {
		return ignoreNotFound("read "+f.Label(), err)
	}
	for _, balancer := range out.Certificate.InUseBy {
		if err := p.withdrawCertificate(ctx, balancer, f.ID); err != nil {
			return err
		}
	}
	if err := p.deleteValidations(ctx, out.Certificate); err != nil {
		return err
	}
	what := "delete " + f.Label()
	err = awsapi.Retry(ctx, eventualLimit, what, awsapi.IsInUse, func(ctx context.Context) error {
		_, err := p.ACM.DeleteCertificate(ctx, &acm.DeleteCertificateInput{CertificateArn: &f.ID})
		return err
	})
	return ignoreNotFound(what, err)
}

// deleteValidations deletes a certificate's validation records. Those of names that
// another certificate of the region has too must stay, for its renewal.
func (p *Provisioner) deleteValidations(ctx context.Context, c *types.CertificateDetail) error {
	list, err := p.listCertificates(ctx)
	if err != nil {
		return err
	}
	var zones []hostedZone
	for _, v := range c.DomainValidationOptions {
		shared := slices.ContainsFunc(list, func(other types.CertificateSummary) bool {
			return aws.ToString(other.CertificateArn) != aws.ToString(c.CertificateArn) && requested(other) &&
				slices.ContainsFunc(other.SubjectAlternativeNameSummaries, func(name string) bool {
					return strings.TrimPrefix(name, "*.") == strings.TrimPrefix(aws.ToString(v.DomainName), "*.")
				})
		})
		if shared || v.ResourceRecord == nil {
			continue
		}
		if zones == nil {
			if zones, err = p.listHostedZones(ctx); err != nil {
				return err
			}
		}
		if zone := owner(zones, aws.ToString(v.ResourceRecord.Name)); zone != nil {
			if err := p.deleteValidation(ctx, zone, *v.ResourceRecord); err != nil {
				return err
			}
		}
	}
	return nil
}
