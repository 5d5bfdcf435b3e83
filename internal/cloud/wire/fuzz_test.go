package wire

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/smithy-go/encoding/cbor"
)

// For any document, the decoder returns a value or an AWS error.
func FuzzCBOR(f *testing.F) {
	f.Add(cbor.Encode(cbor.Map{
		"Namespace": cbor.String("n"), "StartTime": &cbor.Tag{ID: cborEpochTag, Value: cbor.Float64(1.5)},
		"Statistics": cbor.List{cbor.String("Average")}, "Period": cbor.Uint(60),
	}))
	f.Add(bytes.Repeat([]byte{0x81}, 2000))                             // nested lists
	f.Add(bytes.Repeat([]byte{0xc1}, 2000))                             // nested tags
	f.Add([]byte{0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}) // a list of 2^63 elements
	f.Add([]byte{0x5b, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff})          // a long string that ends early
	f.Add([]byte{0xbf, 0x61, 'a', 0x3b, 255, 255, 255, 255, 255, 255, 255, 255, 0xff})
	_, sh := shapeOf[cloudwatch.GetMetricStatisticsInput](f, "monitoring")
	f.Fuzz(func(t *testing.T, body []byte) {
		r := jsonDecoder{parse: parseCBOR}
		wantAWSError(t, r.read(body, sh, reflect.ValueOf(&cloudwatch.GetMetricStatisticsInput{}).Elem()))
	})
}

// For any claim, a request without a valid signature is refused with an AWS error.
func FuzzClaim(f *testing.F) {
	valid := signed(f, query(describe), "ec2", describe, testKey, "another secret", noon)
	f.Add(valid.Header.Get("Authorization"), valid.Header.Get("X-Amz-Date"), "", describe)
	f.Add("", "", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a/b/c/d/aws4_request&X-Amz-Expires=9", "")
	f.Add("AWS4-HMAC-SHA256 Credential=a/20261123/x/ec2/aws4_request, SignedHeaders=;;, Signature=0",
		"20261123T120000Z", "%zz=&a=b=c&;", "\x00")
	e := newEndpoint(f, atNoon)
	f.Fuzz(func(t *testing.T, authorization, date, rawQuery, body string) {
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:4566/", strings.NewReader(body))
		r.URL.RawQuery = rawQuery
		r.Header.Set("Authorization", authorization)
		r.Header.Set("X-Amz-Date", date)
		wantRefused(t, e.send(r))
	})
}

// A signed request is answered or refused, whatever is in it.
func FuzzSignedRequest(f *testing.F) {
	f.Add("ec2", describe, "", "", "application/x-www-form-urlencoded", false)
	f.Add("ssm", `{"Name":"a"}`, "AmazonSSM.GetParameter", "", "application/x-amz-json-1.1", false)
	f.Add("sts", "Action=GetCallerIdentity", "", "gzip", "application/x-www-form-urlencoded", false)
	f.Add("elasticloadbalancing", "Action=DescribeLoadBalancers&Names.member.1=", "x", "", "text/plain", true)
	e := newEndpoint(f, atNoon)
	f.Fuzz(func(t *testing.T, service, body, target, encoding, contentType string, inCBOR bool) {
		if !regionName(service) {
			return // the SDK's signer needs one that is a part of a scope
		}
		r := query(body)
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("X-Amz-Target", target)
		r.Header.Set("Content-Encoding", encoding)
		if inCBOR {
			r.Header.Set("Smithy-Protocol", "rpc-v2-cbor")
		}
		w := e.send(signed(t, r, service, body, testKey, testSecret, noon))
		if w.Code != http.StatusOK {
			wantRefused(t, w)
		}
	})
}

func wantRefused(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	code := w.Header().Get("X-Amzn-Errortype") // JSON and CBOR
	if _, after, ok := strings.Cut(w.Body.String(), "<Code>"); ok {
		code, _, _ = strings.Cut(after, "</Code>")
	}
	if w.Code < 400 || w.Code >= 500 || code == "" {
		t.Errorf("response %d %s", w.Code, w.Body)
	}
}

// ownName is a name that no resolver takes elsewhere (RFC 6761, section 6.3).
var ownName = regexp.MustCompile(`(?is)^[\[\]]*(.*\.)?localhost[\[\]]*(:.*)?$`)

// isLoopback reports whether a host is an address of the loopback, with or without a port.
func isLoopback(host string) bool {
	for _, name := range []string{host, host[:max(0, strings.LastIndex(host, ":"))]} {
		address, _, _ := strings.Cut(strings.Trim(name, "[]"), "%")
		if ip := net.ParseIP(address); ip != nil && ip.IsLoopback() {
			return true
		}
	}
	return false
}

// Only names of the loopback are taken for this host's.
func FuzzOwnHost(f *testing.F) {
	for _, host := range []string{
		"127.0.0.1:4566", "[::1]:4566", "localhost", "a.localhost:80", "[::ffff:127.0.0.1]", "evil.example:4566",
		"localhost.evil", "[localhost]", "127.0.0.1.evil:1", "0:1", "::1%lo", "[::1%25evil]:80", "xlocalhost", "",
	} {
		f.Add(host)
	}
	h := &handler{}
	f.Fuzz(func(t *testing.T, host string) {
		if h.isOwnHost(host) && !ownName.MatchString(host) && !isLoopback(host) {
			t.Errorf("%q is taken for this host", host)
		}
	})
}
