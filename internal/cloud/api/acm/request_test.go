package acm_test

import (
	"context"
	"strings"
	"testing"

	client "github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func request(change func(*client.RequestCertificateInput)) *client.RequestCertificateInput {
	in := &client.RequestCertificateInput{
		DomainName: new("API.example.com"), ValidationMethod: types.ValidationMethodDns,
		SubjectAlternativeNames: []string{"*.api.example.com", "api.example.com", "b.example.com"},
		IdempotencyToken:        new("once"), Tags: []types.Tag{{Key: new("a"), Value: new("1")}},
	}
	if change != nil {
		change(in)
	}
	return in
}

func TestARequestedCertificateWaitsForItsValidation(t *testing.T) {
	c, s, _ := newClient(t)
	ctx := context.Background()
	arn := must(c.RequestCertificate(ctx, request(nil)))(t).CertificateArn
	if again := must(c.RequestCertificate(ctx, request(nil)))(t).CertificateArn; *again != *arn {
		t.Errorf("the same token requests %s and %s", *arn, *again)
	}
	other := must(c.RequestCertificate(ctx, request(func(in *client.RequestCertificateInput) {
		in.IdempotencyToken = new("other")
	})))(t).CertificateArn
	if *other == *arn {
		t.Error("another token requests the same certificate")
	}
	d := must(c.DescribeCertificate(ctx, &client.DescribeCertificateInput{CertificateArn: arn}))(t).Certificate
	if *d.DomainName != "api.example.com" || d.Status != types.CertificateStatusPendingValidation ||
		d.Type != types.CertificateTypeAmazonIssued || strings.Join(d.SubjectAlternativeNames, " ") !=
		"api.example.com *.api.example.com b.example.com" || d.NotAfter != nil || d.ImportedAt != nil ||
		d.KeyAlgorithm != "RSA-2048" || d.KeyUsages == nil || d.ExtendedKeyUsages == nil ||
		*d.Issuer != "Amazon" || *d.SignatureAlgorithm != "SHA256WITHRSA" {
		t.Errorf("got %+v", d)
	}
	options := d.DomainValidationOptions
	if len(options) != 3 || *options[0].ResourceRecord.Name != *options[1].ResourceRecord.Name ||
		*options[0].ResourceRecord.Name == *options[2].ResourceRecord.Name ||
		options[0].ResourceRecord.Type != types.RecordTypeCname ||
		!strings.HasSuffix(*options[2].ResourceRecord.Name, ".b.example.com.") ||
		!strings.HasSuffix(*options[2].ResourceRecord.Value, ".acm-validations.aws.") {
		t.Errorf("got %+v", options)
	}
	_, err := c.GetCertificate(ctx, &client.GetCertificateInput{CertificateArn: arn})
	wantError(t, err, "RequestInProgressException", *arn)
	listed := must(c.ListCertificates(ctx, &client.ListCertificatesInput{
		CertificateStatuses: []types.CertificateStatus{types.CertificateStatusPendingValidation},
	}))(t).CertificateSummaryList
	if len(listed) != 2 || *listed[0].DomainName != "api.example.com" {
		t.Errorf("listed %+v", listed)
	}
	imported := issue(t, nil, rsaKey(t), nil)
	imported.CertificateArn = arn
	_, err = c.ImportCertificate(ctx, imported)
	wantError(t, err, "ValidationException", "issued by ACM")
	if err := s.Update(func(tx *store.Tx) error {
		store.Certificates.Edit(tx, *arn, func(row *store.Certificate) {
			r := *row.Request
			r.TimedOut, row.Request = true, &r
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	d = must(c.DescribeCertificate(ctx, &client.DescribeCertificateInput{CertificateArn: arn}))(t).Certificate
	if d.Status != types.CertificateStatusValidationTimedOut ||
		d.DomainValidationOptions[0].ValidationStatus != types.DomainStatusFailed {
		t.Errorf("got %+v", d)
	}
	must(c.DeleteCertificate(ctx, &client.DeleteCertificateInput{CertificateArn: arn}))(t)
}

func TestInvalidRequestsAreRefused(t *testing.T) {
	c, _, _ := newClient(t)
	for want, change := range map[string]func(*client.RequestCertificateInput){
		"ValidationException: regular expression": func(in *client.RequestCertificateInput) {
			in.DomainName = new("localhost")
		},
		"ValidationException: subjectAlternativeNames": func(in *client.RequestCertificateInput) {
			in.SubjectAlternativeNames = []string{"*.*.example.com"}
		},
		"ValidationException: EC_secp521r1": func(in *client.RequestCertificateInput) {
			in.KeyAlgorithm = types.KeyAlgorithmEcSecp521r1
		},
		"LimitExceededException: 10 domain names": func(in *client.RequestCertificateInput) {
			for _, name := range strings.Split("abcdefghij", "") {
				in.SubjectAlternativeNames = append(in.SubjectAlternativeNames, name+".test")
			}
		},
		"NotImplemented: email": func(in *client.RequestCertificateInput) { in.ValidationMethod = "" },
		"NotImplemented: ValidationMethod of Options": func(in *client.RequestCertificateInput) {
			in.Options = &types.CertificateOptions{ValidationMethod: types.ValidationMethodHttp}
		},
		"NotImplemented: private certificate": func(in *client.RequestCertificateInput) {
			in.CertificateAuthorityArn = new("arn:aws:acm-pca:eu-west-1:000000000000:certificate-authority/x")
		},
	} {
		code, text, _ := strings.Cut(want, ": ")
		_, err := c.RequestCertificate(context.Background(), request(change))
		wantError(t, err, code, text)
	}
}
