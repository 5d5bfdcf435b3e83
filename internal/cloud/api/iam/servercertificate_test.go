package iam_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	client "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/cloud/store"
)

// pair is a certificate with its key, parsed and in PEM.
type pair struct {
	parsed    *x509.Certificate
	private   *ecdsa.PrivateKey
	body, key string
}

// newPair returns a certificate that is valid for an hour around now and signed by the issuer,
// or by itself without one.
func newPair(t *testing.T, issuer *pair) pair {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "c"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.parsed, issuer.private
	}
	der := must(x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer))(t)
	return pair{
		parsed: must(x509.ParseCertificate(der))(t), private: key,
		body: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		key: string(pem.EncodeToMemory(&pem.Block{
			Type: "EC PRIVATE KEY", Bytes: must(x509.MarshalECPrivateKey(key))(t),
		})),
	}
}

func TestServerCertificates(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	issuer := newPair(t, nil)
	leaf := newPair(t, &issuer)
	up := must(w.UploadServerCertificate(ctx, &client.UploadServerCertificateInput{
		ServerCertificateName: new("c"), Path: new("/team/"), CertificateBody: &leaf.body,
		CertificateChain: &issuer.body, PrivateKey: &leaf.key,
		Tags: []types.Tag{{Key: new("a"), Value: new("b")}},
	}))(t)
	meta := up.ServerCertificateMetadata
	if *meta.Arn != "arn:aws:iam::000000000000:server-certificate/team/c" ||
		!meta.Expiration.Equal(now.Add(time.Hour)) || !meta.UploadDate.Equal(now) || len(up.Tags) != 1 {
		t.Errorf("uploaded %+v, tags %v", meta, up.Tags)
	}
	got := must(w.GetServerCertificate(ctx, &client.GetServerCertificateInput{
		ServerCertificateName: new("c"),
	}))(t).ServerCertificate
	if *got.CertificateBody != strings.TrimSpace(leaf.body) ||
		*got.CertificateChain != strings.TrimSpace(issuer.body) || len(got.Tags) != 1 {
		t.Errorf("certificate %+v", got)
	}
	for prefix, want := range map[string]int{"/": 1, "/team/": 1, "/other/": 0} {
		list := must(w.ListServerCertificates(ctx, &client.ListServerCertificatesInput{PathPrefix: &prefix}))(t)
		if len(list.ServerCertificateMetadataList) != want {
			t.Errorf("below %s are %+v", prefix, list.ServerCertificateMetadataList)
		}
	}
	must(w.TagServerCertificate(ctx, &client.TagServerCertificateInput{
		ServerCertificateName: new("c"), Tags: []types.Tag{{Key: new("k"), Value: new("v")}},
	}))(t)
	must(w.UntagServerCertificate(ctx, &client.UntagServerCertificateInput{
		ServerCertificateName: new("c"), TagKeys: []string{"a"},
	}))(t)
	tags := must(w.ListServerCertificateTags(ctx, &client.ListServerCertificateTagsInput{
		ServerCertificateName: new("c"),
	}))(t).Tags
	if len(tags) != 1 || *tags[0].Key != "k" {
		t.Errorf("tags %v", tags)
	}
}

func TestServerCertificatesInUse(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	p := newPair(t, nil)
	meta := must(w.UploadServerCertificate(ctx, &client.UploadServerCertificateInput{
		ServerCertificateName: new("c"), CertificateBody: &p.body, PrivateKey: &p.key,
	}))(t).ServerCertificateMetadata
	if err := w.store.Update(func(tx *store.Tx) error {
		store.Listeners.Put(tx, &store.Listener{
			ARN: "l", LoadBalancerARN: "lb", Region: "us-east-1", Certificates: []string{"other", *meta.Arn},
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	del := &client.DeleteServerCertificateInput{ServerCertificateName: new("d")}
	must(w.UpdateServerCertificate(ctx, &client.UpdateServerCertificateInput{
		ServerCertificateName: new("c"), NewServerCertificateName: new("d"), NewPath: new("/p/"),
	}))(t)
	want := []string{"other", "arn:aws:iam::000000000000:server-certificate/p/d"}
	l, _ := store.Listeners.Get(w.store.View(), "l")
	if diff := cmp.Diff(want, l.Certificates); diff != "" {
		t.Errorf("the listener's certificates (-want +got)\n%s", diff)
	}
	refused(t, "delete", failure(w.DeleteServerCertificate(ctx, del)), "409 DeleteConflict Certificate: "+
		*meta.ServerCertificateId+" is currently in use by lb. Please remove it first before deleting it from IAM.")
	if err := w.store.Update(func(tx *store.Tx) error {
		store.Listeners.Delete(tx, "l")
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	must(w.DeleteServerCertificate(ctx, del))(t)
	refused(t, "get", failure(w.GetServerCertificate(ctx, &client.GetServerCertificateInput{
		ServerCertificateName: new("d"),
	})), "404 NoSuchEntity The Server Certificate with name d cannot be found.")
}

func TestServerCertificatesRefused(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	p, other := newPair(t, nil), newPair(t, nil)
	taken := newPair(t, nil)
	upload := func(name, body, chain, key string) error {
		in := &client.UploadServerCertificateInput{
			ServerCertificateName: &name, CertificateBody: &body, PrivateKey: &key,
		}
		if chain != "" {
			in.CertificateChain = &chain
		}
		return failure(w.UploadServerCertificate(ctx, in))
	}
	if err := upload("taken", taken.body, "", taken.key); err != nil {
		t.Fatal(err)
	}
	for want, err := range map[string]error{
		"409 EntityAlreadyExists The Server Certificate with name Taken already exists.": upload(
			"Taken", p.body, "", p.key),
		"400 ValidationError The specified value for serverCertificateName is invalid.": upload(
			"a b", p.body, "", p.key),
		"400 MalformedCertificate Unable to parse certificate. Please ensure the certificate is in PEM format.": upload(
			"c", "certbody", "", p.key),
		"400 MalformedCertificate Unable to parse": upload("c", p.body+other.body, "", p.key),
		"400 MalformedCertificate Unable to":       upload("c", p.body, "chain", p.key),
		"400 MalformedCertificate Invalid Private Key.": upload(
			"c", p.body, "", "key"),
		"400 KeyPairMismatch The public key certificate and the private key do not match.": upload(
			"c", p.body, "", other.key),
		"400 MalformedCertificate Unable to validate certificate chain. The certificate chain must start with the " +
			"immediate signing certificate, followed by any intermediaries in order. The index within the chain of " +
			"the invalid certificate is: 0": upload("c", p.body, other.body, p.key),
	} {
		refused(t, want, err, want)
	}
}
