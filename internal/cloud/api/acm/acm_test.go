package acm_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	client "github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/smithy-go"

	"aloft.dev/aloft/internal/cloud/api/acm"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// newClient returns a client of an API over HTTP, and the API's store with its file.
func newClient(t *testing.T) (*client.Client, *store.Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "aloft.db")
	s, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return client.NewFromConfig(wiretest.Serve(
		t,
		"eu-west-1",
		wire.Service{Name: "acm", API: acm.New(acm.Config{Store: s, Now: func() time.Time { return now }})},
	)), s, path
}

// authority signs certificates. Certificates of a nil authority are self-signed.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

func must[T any](out T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// issue creates a certificate. change edits the template before it is signed.
func issue(
	t *testing.T,
	by *authority,
	key crypto.Signer,
	change func(*x509.Certificate),
) *client.ImportCertificateInput {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0x0a1b),
		Subject:      pkix.Name{CommonName: "www.example.com"}, DNSNames: []string{"www.example.com", "*.example.net"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(template)
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.certificate, by.key
	}
	return &client.ImportCertificateInput{
		Certificate: block(
			"CERTIFICATE",
			must(x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer))(t),
		),
		PrivateKey: block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(key))(t)),
	}
}

func rsaKey(t *testing.T) crypto.Signer {
	return must(rsa.GenerateKey(rand.Reader, 2048))(t)
}

func curveKey(t *testing.T) crypto.Signer {
	return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
}

// wantError checks an error's code, and that its message contains text.
func wantError(t *testing.T, err error, code, text string) {
	t.Helper()
	var aws smithy.APIError
	if !errors.As(err, &aws) || aws.ErrorCode() != code || !strings.Contains(aws.ErrorMessage(), text) {
		t.Errorf("got %v, want %s with %q", err, code, text)
	}
}

func TestACertificateIsImportedUsedAndDeleted(t *testing.T) {
	c, s, path := newClient(t)
	ctx := context.Background()
	key := rsaKey(t)
	in := issue(t, nil, key, nil)
	in.Tags = []types.Tag{{Key: new("a"), Value: new("1")}, {Key: new("b")}}
	arn := must(c.ImportCertificate(ctx, in))(t).CertificateArn
	d := must(c.DescribeCertificate(ctx, &client.DescribeCertificateInput{CertificateArn: arn}))(t).Certificate
	if *d.DomainName != "www.example.com" || !slices.Equal(d.SubjectAlternativeNames, []string{
		"www.example.com", "*.example.net",
	}) || d.Status != types.CertificateStatusIssued ||
		d.Type != types.CertificateTypeImported || *d.Serial != "0a:1b" ||
		d.KeyAlgorithm != "RSA-2048" || len(d.DomainValidationOptions) != 2 ||
		*d.SignatureAlgorithm != "SHA256WITHRSA" ||
		len(d.InUseBy) != 0 ||
		*d.ExtendedKeyUsages[0].OID != "1.3.6.1.5.5.7.3.1" ||
		d.KeyUsages[0].Name != types.KeyUsageNameDigitalSignature ||
		!d.ImportedAt.Equal(now) {
		t.Errorf("%+v", d)
	}
	got := must(c.GetCertificate(ctx, &client.GetCertificateInput{CertificateArn: arn}))(t)
	if *got.Certificate != string(in.Certificate) || got.CertificateChain != nil {
		t.Errorf("%+v", got)
	}
	if err := s.Update(func(tx *store.Tx) error {
		store.LoadBalancers.Put(tx, &store.LoadBalancer{ARN: "arn:lb", Region: "eu-west-1"})
		store.Listeners.Put(tx, &store.Listener{
			ARN: "arn:l", Region: "eu-west-1", LoadBalancerARN: "arn:lb", Certificates: []string{"arn:other", *arn},
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	d = must(c.DescribeCertificate(ctx, &client.DescribeCertificateInput{CertificateArn: arn}))(t).Certificate
	if !slices.Equal(d.InUseBy, []string{"arn:lb"}) {
		t.Errorf("certificate is in use by %v", d.InUseBy)
	}
	_, err := c.DeleteCertificate(ctx, &client.DeleteCertificateInput{CertificateArn: arn})
	wantError(t, err, "ResourceInUseException", *arn)
	if info := must(os.Stat(path))(t); info.Mode().Perm() != 0o600 {
		t.Errorf("the file with the keys has mode %v", info.Mode())
	}
	for _, answer := range []any{d, got} {
		if text := must(json.Marshal(answer))(t); strings.Contains(string(text), "PRIVATE") {
			t.Errorf("the response contains a key: %s", text)
		}
	}
	if err := s.Update(func(tx *store.Tx) error { store.Listeners.Delete(tx, "arn:l"); return nil }); err != nil {
		t.Fatal(err)
	}
	must(c.DeleteCertificate(ctx, &client.DeleteCertificateInput{CertificateArn: arn}))(t)
	_, err = c.DescribeCertificate(ctx, &client.DescribeCertificateInput{CertificateArn: arn})
	wantError(t, err, "ResourceNotFoundException", "Could not find certificate")
}

func TestAReimportedCertificateKeepsItsARN(t *testing.T) {
	c, _, _ := newClient(t)
	ctx := context.Background()
	key := curveKey(t)
	arn := must(c.ImportCertificate(ctx, issue(t, nil, key, nil)))(t).CertificateArn
	again := func(key crypto.Signer, change func(*x509.Certificate)) (*client.ImportCertificateOutput, error) {
		in := issue(t, nil, key, change)
		in.CertificateArn = arn
		return c.ImportCertificate(ctx, in)
	}
	out := must(again(curveKey(t), func(c *x509.Certificate) { c.SerialNumber = big.NewInt(7) }))(t)
	d := must(c.DescribeCertificate(ctx, &client.DescribeCertificateInput{CertificateArn: arn}))(t).Certificate
	if *out.CertificateArn != *arn || *d.Serial != "07" {
		t.Errorf("%s %s", *out.CertificateArn, *d.Serial)
	}
	_, err := again(rsaKey(t), nil)
	wantError(t, err, "ValidationException", "key type")
	_, err = again(key, func(c *x509.Certificate) { c.ExtKeyUsage = nil })
	wantError(t, err, "ValidationException", "extended key usages")
	_, err = again(key, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement })
	wantError(t, err, "ValidationException", "key usages")
	in := issue(t, nil, key, nil)
	in.CertificateArn, in.Tags = arn, []types.Tag{{Key: new("a")}}
	_, err = c.ImportCertificate(ctx, in)
	wantError(t, err, "InvalidParameterException", "re-import")
	in.CertificateArn, in.Tags = new(*arn+"0"), nil
	_, err = c.ImportCertificate(ctx, in)
	wantError(t, err, "ResourceNotFoundException", "Could not find")
}

func TestInvalidImportsAreRefused(t *testing.T) {
	c, _, _ := newClient(t)
	ctx := context.Background()
	key, rootKey := curveKey(t), curveKey(t)
	root := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "root"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der := must(x509.CreateCertificate(rand.Reader, root, root, rootKey.Public(), rootKey))(t)
	ca := &authority{must(x509.ParseCertificate(der))(t), rootKey}
	signed := issue(t, ca, key, nil)
	_, err := c.ImportCertificate(ctx, signed)
	wantError(t, err, "ValidationException", "self-signed certificate or certificate chain")
	signed.CertificateChain = block("CERTIFICATE", der)
	arn := must(c.ImportCertificate(ctx, signed))(t).CertificateArn
	if got := must(c.GetCertificate(
		ctx, &client.GetCertificateInput{CertificateArn: arn},
	))(t); *got.CertificateChain != string(signed.CertificateChain) {
		t.Errorf("%+v", got)
	}
	for text, change := range map[string]func(in *client.ImportCertificateInput){
		"not in PEM format": func(in *client.ImportCertificateInput) { in.Certificate = []byte("text") },
		"more than one certificate": func(in *client.ImportCertificateInput) {
			in.Certificate = slices.Concat(in.Certificate, in.Certificate)
		},
		"does not match": func(in *client.ImportCertificateInput) {
			in.PrivateKey = issue(t, nil, curveKey(t), nil).PrivateKey
		},
		"private key is not in PEM": func(in *client.ImportCertificateInput) { in.PrivateKey = []byte("text") },
		"encrypted": func(in *client.ImportCertificateInput) {
			in.PrivateKey = block("ENCRYPTED PRIVATE KEY", []byte("x"))
		},
		"Could not validate the certificate": func(in *client.ImportCertificateInput) {
			in.CertificateChain = block("CERTIFICATE", der)
		},
		"has expired": func(in *client.ImportCertificateInput) {
			in.Certificate = issue(
				t, nil, key, func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Minute) },
			).Certificate
		},
		"not valid yet": func(in *client.ImportCertificateInput) {
			in.Certificate = issue(
				t, nil, key, func(c *x509.Certificate) { c.NotBefore = now.Add(time.Minute) },
			).Certificate
		},
		"less than or equal to 5120": func(in *client.ImportCertificateInput) { in.PrivateKey = make([]byte, 5121) },
	} {
		in := issue(t, nil, key, nil)
		change(in)
		_, err := c.ImportCertificate(ctx, in)
		wantError(t, err, "ValidationException", text)
	}
}

func TestListCertificatesFilters(t *testing.T) {
	c, _, _ := newClient(t)
	ctx := context.Background()
	first := must(c.ImportCertificate(ctx, issue(t, nil, rsaKey(t), nil)))(t).CertificateArn
	second := must(c.ImportCertificate(ctx, issue(t, nil, rsaKey(t), nil)))(t).CertificateArn
	curve := must(c.ImportCertificate(ctx, issue(t, nil, curveKey(t), nil)))(t).CertificateArn
	list := func(in *client.ListCertificatesInput) (out []string) {
		t.Helper()
		for {
			page := must(c.ListCertificates(ctx, in))(t)
			for _, s := range page.CertificateSummaryList {
				out = append(out, *s.CertificateArn)
			}
			if in.NextToken = page.NextToken; in.NextToken == nil {
				return out
			}
		}
	}
	both := []string{*first, *second}
	slices.Sort(both)
	if got := list(&client.ListCertificatesInput{MaxItems: new(int32(1))}); !slices.Equal(got, both) {
		t.Errorf("%v", got)
	}
	if got := list(&client.ListCertificatesInput{
		Includes: &types.Filters{KeyTypes: []types.KeyAlgorithm{types.KeyAlgorithmEcPrime256v1}},
	}); !slices.Equal(got, []string{*curve}) {
		t.Errorf("%v", got)
	}
	if got := list(&client.ListCertificatesInput{
		CertificateStatuses: []types.CertificateStatus{types.CertificateStatusExpired},
	}); got != nil {
		t.Errorf("%v", got)
	}
	if got := list(&client.ListCertificatesInput{
		Includes: &types.Filters{ExtendedKeyUsage: []types.ExtendedKeyUsageName{types.ExtendedKeyUsageNameCodeSigning}},
	}); got != nil {
		t.Errorf("%v", got)
	}
	_, err := c.ListCertificates(ctx, &client.ListCertificatesInput{SortBy: types.SortByCreatedAt})
	wantError(t, err, "ValidationException", "SortOrder")
	_, err = c.ListCertificates(ctx, &client.ListCertificatesInput{NextToken: new("forged")})
	wantError(t, err, "ValidationException", "nextToken")
}

func TestCertificateTags(t *testing.T) {
	c, _, _ := newClient(t)
	ctx := context.Background()
	arn := must(c.ImportCertificate(ctx, issue(t, nil, curveKey(t), nil)))(t).CertificateArn
	tags := func() map[string]string {
		out := map[string]string{}
		for _, tag := range must(c.ListTagsForCertificate(
			ctx, &client.ListTagsForCertificateInput{CertificateArn: arn},
		))(t).Tags {
			out[*tag.Key] = *tag.Value
		}
		return out
	}
	must(c.AddTagsToCertificate(ctx, &client.AddTagsToCertificateInput{
		CertificateArn: arn,
		Tags:           []types.Tag{{Key: new("a"), Value: new("1")}, {Key: new("b"), Value: new("2")}},
	}))(t)
	must(c.RemoveTagsFromCertificate(ctx, &client.RemoveTagsFromCertificateInput{
		CertificateArn: arn,
		Tags:           []types.Tag{{Key: new("a"), Value: new("other")}, {Key: new("b")}},
	}))(t)
	if got := tags(); len(got) != 1 || got["a"] != "1" {
		t.Errorf("%v", got)
	}
	_, err := c.AddTagsToCertificate(
		ctx,
		&client.AddTagsToCertificateInput{CertificateArn: arn, Tags: []types.Tag{{Key: new("aws:x")}}},
	)
	wantError(t, err, "InvalidTagException", "aws:")
}
