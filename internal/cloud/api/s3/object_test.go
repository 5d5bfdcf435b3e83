package s3_test

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

func TestAnObjectIsWhatWasPutLast(t *testing.T) {
	w := newWorld(t)
	w.put("a/b", "first")
	out, err := w.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String("bkt"), Key: aws.String("a/b"), Body: strings.NewReader("second"),
		ContentType: aws.String("text/plain"), CacheControl: aws.String("max-age=60"),
		Metadata: map[string]string{"team": "web"}, Tagging: aws.String("stage=test&x=1"),
		ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
	})
	w.ok(out, err)
	sum := md5.Sum([]byte("second"))
	if etag := `"` + hex.EncodeToString(sum[:]) + `"`; *out.ETag != etag || out.ChecksumSHA256 == nil {
		t.Errorf("got %s, %v", *out.ETag, out.ChecksumSHA256)
	}
	if got := w.get("a/b"); got != "second" {
		t.Errorf("got %q", got)
	}
	head, err := w.HeadObject(t.Context(), &s3.HeadObjectInput{
		Bucket: aws.String("bkt"), Key: aws.String("a/b"), ChecksumMode: types.ChecksumModeEnabled,
		ResponseExpires: aws.Time(time.Unix(0, 0)),
	})
	w.ok(head, err)
	if *head.ExpiresString != "Thu, 01 Jan 1970 00:00:00 GMT" {
		t.Errorf("Expires is %s", *head.ExpiresString)
	}
	if *head.ContentType != "text/plain" || *head.CacheControl != "max-age=60" || head.Metadata["team"] != "web" ||
		*head.TagCount != 2 || *head.ContentLength != 6 || *head.ChecksumSHA256 != *out.ChecksumSHA256 ||
		head.ServerSideEncryption != "AES256" {
		t.Errorf("got %+v", head)
	}
	if n := w.onDisk(); n != 1 {
		t.Errorf("%d files: the first object's is left over", n)
	}
	w.ok(w.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("bkt"), Key: aws.String("a/b")}))
	w.ok(w.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("bkt"), Key: aws.String("a/b")}))
	if got := w.get("a/b"); got != "NoSuchKey" || w.onDisk() != 0 {
		t.Errorf("deleted: got %q, %d files", got, w.onDisk())
	}
}

// send presigns a request to put an object and sends a body with it.
func (w *world) send(body io.Reader, length int64) (int, string) {
	w.Helper()
	link, err := s3.NewPresignClient(w.Client).PresignPutObject(w.Context(), &s3.PutObjectInput{
		Bucket: aws.String("bkt"), Key: aws.String("k"), ContentLength: aws.Int64(length),
	})
	w.ok(link, err)
	r, err := http.NewRequestWithContext(w.Context(), http.MethodPut, link.URL, body)
	w.ok(r, err)
	r.ContentLength = length
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	text, err := io.ReadAll(response.Body)
	w.ok(nil, errors.Join(err, response.Body.Close()))
	return response.StatusCode, string(text)
}

// failing is a body that ends before its length.
type failing struct{ left int }

func (f *failing) Read(p []byte) (int, error) {
	if f.left == 0 {
		return 0, errors.New("the client is gone")
	}
	n := min(f.left, len(p))
	f.left -= n
	return n, nil
}

func TestHalfAnObjectIsNone(t *testing.T) {
	w := newWorld(t)
	w.put("k", "whole")
	if status, text := w.send(&failing{1 << 20}, 2<<20); status != 0 {
		t.Errorf("half a body: %d %s", status, text)
	}
	if status, text := w.send(strings.NewReader("presigned"), 9); status != http.StatusOK {
		t.Errorf("a whole body: %d %s", status, text)
	}
	if got := w.get("k"); got != "presigned" {
		t.Errorf("got %q", got)
	}
	limit := time.Now().Add(time.Minute)
	for w.onDisk() != 1 && time.Now().Before(limit) {
		time.Sleep(time.Millisecond) // the handler of the half one may still run
	}
	if n := w.onDisk(); n != 1 {
		t.Errorf("%d files", n)
	}
}

func TestContentIsComparedWithItsDigests(t *testing.T) {
	w := newWorld(t)
	put := func(change func(*s3.PutObjectInput)) error {
		in := &s3.PutObjectInput{Bucket: aws.String("bkt"), Key: aws.String("k"), Body: strings.NewReader("content")}
		change(in)
		_, err := w.PutObject(t.Context(), in)
		return err
	}
	other := aws.String("AAAAAAAAAAAAAAAAAAAAAA==")
	w.refused(put(func(in *s3.PutObjectInput) { in.ContentMD5 = other }), "BadDigest")
	w.refused(put(func(in *s3.PutObjectInput) { in.ContentMD5 = aws.String("x") }), "InvalidDigest")
	w.refused(put(func(in *s3.PutObjectInput) { in.ChecksumCRC32 = aws.String("AAAAAA==") }), "BadDigest")
	w.refused(put(func(in *s3.PutObjectInput) { in.ChecksumXXHASH64 = aws.String("AAAAAAAAAAA=") }), "NotImplemented")
	if w.onDisk() != 0 || w.get("k") != "NoSuchKey" {
		t.Error("refused content is kept")
	}
}

func TestRangesAndParts(t *testing.T) {
	w := newWorld(t)
	w.put("k", "0123456789")
	for spec, want := range map[string]string{
		"bytes=0-3": "0123 bytes 0-3/10", "bytes=7-": "789 bytes 7-9/10", "bytes=-2": "89 bytes 8-9/10",
		"bytes=5-99": "56789 bytes 5-9/10", "bytes=-99": "0123456789 bytes 0-9/10",
		"bytes=3-1": "0123456789 ", "bytes=0-1,3-4": "0123456789 ", "lines=1-2": "0123456789 ",
	} {
		out, err := w.GetObject(t.Context(), &s3.GetObjectInput{
			Bucket: aws.String("bkt"), Key: aws.String("k"), Range: &spec,
		})
		w.ok(out, err)
		content, err := io.ReadAll(out.Body)
		w.ok(content, err)
		if got := string(content) + " " + aws.ToString(out.ContentRange); got != want {
			t.Errorf("%s: got %q, want %q", spec, got, want)
		}
	}
	for _, spec := range []string{"bytes=10-", "bytes=-0"} {
		_, err := w.GetObject(t.Context(), &s3.GetObjectInput{
			Bucket: aws.String("bkt"), Key: aws.String("k"), Range: &spec,
		})
		w.refused(err, "InvalidRange")
	}
}

func TestConditions(t *testing.T) {
	w := newWorld(t)
	w.put("k", "content")
	head, err := w.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("bkt"), Key: aws.String("k")})
	w.ok(head, err)
	etag, modified := head.ETag, *head.LastModified
	status := func(change func(*s3.GetObjectInput)) int {
		in := &s3.GetObjectInput{Bucket: aws.String("bkt"), Key: aws.String("k")}
		change(in)
		_, err := w.GetObject(t.Context(), in)
		if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
			return response.HTTPStatusCode()
		}
		w.ok(nil, err)
		return http.StatusOK
	}
	before, later, other := modified.Add(-time.Second), modified.Add(time.Second), aws.String(`"other"`)
	for i, c := range []struct {
		change func(*s3.GetObjectInput)
		want   int
	}{
		{func(in *s3.GetObjectInput) { in.IfMatch = etag }, 200},
		{func(in *s3.GetObjectInput) { in.IfMatch = other }, 412},
		{func(in *s3.GetObjectInput) { in.IfMatch, in.IfUnmodifiedSince = etag, &before }, 200},
		{func(in *s3.GetObjectInput) { in.IfUnmodifiedSince = &before }, 412},
		{func(in *s3.GetObjectInput) { in.IfUnmodifiedSince = &later }, 200},
		{func(in *s3.GetObjectInput) { in.IfNoneMatch = etag }, 304},
		{func(in *s3.GetObjectInput) { in.IfNoneMatch = other }, 200},
		{func(in *s3.GetObjectInput) { in.IfNoneMatch, in.IfModifiedSince = other, &later }, 200},
		{func(in *s3.GetObjectInput) { in.IfModifiedSince = &modified }, 304},
		{func(in *s3.GetObjectInput) { in.IfModifiedSince = &before }, 200},
	} {
		if got := status(c.change); got != c.want {
			t.Errorf("condition %d: got %d, want %d", i, got, c.want)
		}
	}
	put := func(key string, match, noneMatch *string) error {
		_, err := w.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: aws.String("bkt"), Key: &key, Body: strings.NewReader("new"), IfMatch: match,
			IfNoneMatch: noneMatch,
		})
		return err
	}
	w.refused(put("k", nil, aws.String("*")), "PreconditionFailed")
	w.refused(put("k", other, nil), "PreconditionFailed")
	w.refused(put("none", etag, nil), "NoSuchKey")
	w.ok(nil, put("none", nil, aws.String("*")))
	w.ok(nil, put("k", etag, nil))
	if w.onDisk() != 2 {
		t.Errorf("%d files", w.onDisk())
	}
}
