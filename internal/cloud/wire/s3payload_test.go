package wire

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/wire/names"
)

// exampleClaim is that of the example in the Amazon S3 API Reference, "Signature calculations
// for the Authorization header: Transferring payload in multiple chunks".
var exampleClaim = claim{
	accessKey: "AKIAIOSFODNN7EXAMPLE", date: "20130524", region: "us-east-1", service: "s3",
	signature: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
	time:      time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC), encodedOnce: true,
}

const exampleSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

// The signatures of the example's chunks.
var exampleChunks = []struct {
	size      int
	signature string
}{
	{64 << 10, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"},
	{1 << 10, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"},
	{0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"},
}

func chunks(change func(text string) string) []byte {
	var b bytes.Buffer
	for _, c := range exampleChunks {
		fmt.Fprintf(&b, "%x;chunk-signature=%s\r\n%s\r\n", c.size, c.signature, strings.Repeat("a", c.size))
	}
	return []byte(change(b.String()))
}

// payload opens a body as the handler does.
func payload(t *testing.T, kind string, length int64, body []byte) *Payload {
	t.Helper()
	r, err := http.NewRequest(http.MethodPut, "http://127.0.0.1/b/k", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(payloadHeader, kind)
	r.Header.Set("X-Amz-Decoded-Content-Length", fmt.Sprint(length))
	x := &exchange{claim: exampleClaim, dialect: names.S3, progress: func() {}}
	if err := (&handler{}).openPayload(r, x, Key{Secret: exampleSecret}, false); err != nil {
		t.Fatal(err)
	}
	return x.payload
}

func TestSignedChunksAreThoseOfAWSsExample(t *testing.T) {
	p := payload(t, signedChunks, 65<<10, chunks(func(text string) string { return text }))
	content, err := io.ReadAll(p)
	if err != nil || len(content) != 65<<10 || !p.ended {
		t.Errorf("got %d bytes, %v", len(content), err)
	}
}

func TestChunksThatWereChangedAreRefused(t *testing.T) {
	for name, change := range map[string]func(string) string{
		"content":        func(s string) string { return strings.Replace(s, "aaa", "aba", 1) },
		"a signature":    func(s string) string { return strings.Replace(s, "0055", "0056", 1) },
		"a missing end":  func(s string) string { return s[:strings.Index(s, "0;chunk")] },
		"a short chunk":  func(s string) string { return s[:100] },
		"the last chunk": func(s string) string { return strings.Replace(s, "b6c6", "b6c7", 1) },
		"a size":         func(s string) string { return strings.Replace(s, "400;", "3ff;", 1) },
		"no size":        func(s string) string { return strings.Replace(s, "400;", "x;", 1) },
		"a long line": func(s string) string {
			return strings.Replace(s, "400;", strings.Repeat("0", 5000)+"400;", 1)
		},
	} {
		p := payload(t, signedChunks, 65<<10, chunks(change))
		if _, err := io.ReadAll(p); err == nil || p.ended {
			t.Errorf("%s: accepted", name)
		}
	}
	p := payload(t, signedChunks, 64<<10, chunks(func(text string) string { return text }))
	if _, err := io.ReadAll(p); err == nil {
		t.Error("more content than announced is accepted")
	}
}

func TestTrailersAreSigned(t *testing.T) {
	sign := func(kind, last, hashed string) string {
		return exampleClaim.signText(strings.Join(append([]string{
			kind, exampleClaim.time.Format(basicTime), exampleClaim.scope(), last,
		}, strings.Split(hashed, " ")...), "\n"), exampleSecret)
	}
	const (
		empty   = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
		hello   = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
		trailed = "1e376db7e1a34a8ef1c4bcee131a2d60a1cb62503747488624e10995f448d774" // x-amz-checksum-crc32c:sOO8/Q==
	)
	first := sign("AWS4-HMAC-SHA256-PAYLOAD", exampleClaim.signature, empty+" "+hello)
	last := sign("AWS4-HMAC-SHA256-PAYLOAD", first, empty+" "+empty)
	trailer := sign("AWS4-HMAC-SHA256-TRAILER", last, trailed)
	body := "5;chunk-signature=" + first + "\r\nhello\r\n0;chunk-signature=" + last +
		"\r\nx-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:" + trailer + "\r\n\r\n"
	p := payload(t, signedTrailer, 5, []byte(body))
	content, err := io.ReadAll(p)
	if err != nil || string(content) != "hello" || p.Header("x-amz-checksum-crc32c") != "sOO8/Q==" {
		t.Errorf("got %q, %q, %v", content, p.Header("x-amz-checksum-crc32c"), err)
	}
	changed := strings.Replace(body, "sOO8", "sOO9", 1)
	if _, err := io.ReadAll(payload(t, signedTrailer, 5, []byte(changed))); err == nil {
		t.Error("a trailer that was changed is accepted")
	}
	unsigned := "5\r\nhello\r\n0\r\nx-amz-checksum-crc32c:sOO8/Q==\r\n\r\n"
	p = payload(t, unsignedTrailer, 5, []byte(unsigned))
	if content, err := io.ReadAll(p); err != nil || string(content) != "hello" ||
		p.Header("x-amz-checksum-crc32c") != "sOO8/Q==" {
		t.Errorf("unsigned: got %q, %v", content, err)
	}
}

func TestHostAndPathNameTheBucket(t *testing.T) {
	for _, c := range []struct{ host, path, bucket, key string }{
		{"127.0.0.1:4566", "/", "", ""},
		{"127.0.0.1:4566", "/b", "b", ""},
		{"127.0.0.1:4566", "/b/", "b", ""},
		{"127.0.0.1:4566", "/b/folder//key/", "b", "folder//key/"},
		{"localhost:4566", "/b/k", "b", "k"},
		{"[::1]:4566", "/b/k", "b", "k"},
		{"b.localhost:4566", "/folder/k", "b", "folder/k"},
		{"my.bucket.s3.localhost", "/k", "my.bucket", "k"},
		{"b.s3.eu-west-1.localhost:4566", "/", "b", ""},
		{"s3.localhost:4566", "/b/k", "b", "k"},
		{"s3.eu-west-1.localhost:4566", "/b/k", "b", "k"},
	} {
		r, err := http.NewRequest(http.MethodGet, "http://"+c.host+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if bucket, key := locateS3(r); bucket != c.bucket || key != c.key {
			t.Errorf("%s%s: got %q and %q", c.host, c.path, bucket, key)
		}
	}
}

func TestParametersDecideTheOperationOfS3(t *testing.T) {
	table, err := names.Load("s3")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ method, target, copySource, want string }{
		{"GET", "/", "", "ListBuckets"},
		{"GET", "/b", "", "ListObjects"},
		{"GET", "/b?list-type=2&prefix=x", "", "ListObjectsV2"},
		{"GET", "/b?versions", "", "ListObjectVersions"},
		{"GET", "/b?cors", "", "GetBucketCors"},
		{"GET", "/b?analytics&id=1", "", "GetBucketAnalyticsConfiguration"},
		{"GET", "/b?analytics", "", "ListBucketAnalyticsConfigurations"},
		{"GET", "/b/k", "", "GetObject"},
		{"GET", "/b/k?partNumber=1", "", "GetObject"},
		{"GET", "/b/k?uploadId=1", "", "ListParts"},
		{"PUT", "/b/k", "", "PutObject"},
		{"PUT", "/b/k?x-id=PutObject", "", "PutObject"},
		{"PUT", "/b/k", "b/other", "CopyObject"},
		{"PUT", "/b/k?partNumber=1&uploadId=1", "", "UploadPart"},
		{"PUT", "/b/k?partNumber=1&uploadId=1", "b/other", "UploadPartCopy"},
		{"POST", "/b/k?uploads", "", "CreateMultipartUpload"},
		{"POST", "/b/k?uploadId=1", "", "CompleteMultipartUpload"},
		{"POST", "/b?delete", "", "DeleteObjects"},
		{"DELETE", "/b/k?uploadId=1", "", "AbortMultipartUpload"},
		{"DELETE", "/b/k", "", "DeleteObject"},
		{"HEAD", "/b", "", "HeadBucket"},
		{"HEAD", "/b/k", "", "HeadObject"},
		{"POST", "/b", "", ""},
	} {
		r, err := http.NewRequest(c.method, "http://127.0.0.1"+c.target, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.copySource != "" {
			r.Header.Set("X-Amz-Copy-Source", c.copySource)
		}
		bucket, key := locateS3(r)
		if got := table.RouteS3(c.method, bucket, key, r.URL.Query(), r.Header); got != c.want {
			t.Errorf("%s %s: got %q, want %q", c.method, c.target, got, c.want)
		}
	}
}

// The signature is that of the example in the Amazon S3 User Guide, "Query string request
// authentication".
func TestLinksOfVersion2AreThoseOfAWSsExample(t *testing.T) {
	target := "http://johnsmith.s3.localhost/photos/puppy.jpg?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&" +
		"Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620"
	r, err := http.NewRequest(http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	var c claim
	if err := c.parse(r); err != nil {
		t.Fatal(err)
	}
	if !c.verifyClaimed(r, exampleSecret) || c.verifyClaimed(r, "another") {
		t.Error("the signature is not that of the example")
	}
	expires := time.Unix(1175139620, 0)
	if c.checkTime(expires, names.S3) != nil || c.checkTime(expires.Add(time.Second), names.S3) == nil {
		t.Error("the link does not expire when it should")
	}
}
