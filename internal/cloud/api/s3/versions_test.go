package s3_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"errors"
	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func (w *world) version(status types.BucketVersioningStatus) {
	w.Helper()
	w.ok(w.PutBucketVersioning(w.Context(), &s3.PutBucketVersioningInput{
		Bucket: aws.String("bkt"), VersioningConfiguration: &types.VersioningConfiguration{Status: status},
	}))
}

// write puts an object and returns the id in the response, "-" for none.
func (w *world) write(key, content string) string {
	w.Helper()
	out, err := w.PutObject(w.Context(), &s3.PutObjectInput{
		Bucket: aws.String("bkt"), Key: &key, Body: strings.NewReader(content),
	})
	w.ok(out, err)
	if out.VersionId == nil {
		return "-"
	}
	return *out.VersionId
}

// read returns the content of a version, or the code of the error.
func (w *world) read(key, version string) string {
	w.Helper()
	out, err := w.GetObject(w.Context(), &s3.GetObjectInput{Bucket: aws.String("bkt"), Key: &key, VersionId: &version})
	if err != nil {
		return code(out, err)
	}
	content, err := io.ReadAll(out.Body)
	w.ok(nil, errors.Join(err, out.Body.Close()))
	if aws.ToString(out.VersionId) != version {
		w.Errorf("version %s has the id %s", version, aws.ToString(out.VersionId))
	}
	return string(content)
}

// versions lists all versions by pages of a size: names of ids with keys, "!" for markers, "*" for the latest.
func (w *world) versions(size int32, names map[string]string) string {
	w.Helper()
	var found []string
	in := &s3.ListObjectVersionsInput{Bucket: aws.String("bkt"), MaxKeys: &size}
	name := func(id *string, key *string, latest *bool) string {
		n, ok := names[*id]
		if !ok {
			n = *id
		}
		if *latest {
			n += "*"
		}
		return *key + ":" + n
	}
	for {
		out, err := w.ListObjectVersions(w.Context(), in)
		w.ok(out, err)
		var page []string
		for _, v := range out.Versions {
			page = append(page, name(v.VersionId, v.Key, v.IsLatest))
		}
		for _, m := range out.DeleteMarkers {
			page = append(page, name(m.VersionId, m.Key, m.IsLatest)+"!")
		}
		slices.Sort(page)
		found = append(found, page...)
		if !*out.IsTruncated {
			return strings.Join(found, " ")
		}
		in.KeyMarker, in.VersionIdMarker = out.NextKeyMarker, out.NextVersionIdMarker
	}
}

func (w *world) remove(key string, version *string) *s3.DeleteObjectOutput {
	w.Helper()
	out, err := w.DeleteObject(w.Context(), &s3.DeleteObjectInput{
		Bucket: aws.String("bkt"), Key: &key, VersionId: version,
	})
	w.ok(out, err)
	return out
}

func TestABucketKeepsVersions(t *testing.T) {
	w := newWorld(t)
	if id := w.write("k", "zero"); id != "-" {
		t.Errorf("without versioning, the version is %s", id)
	}
	w.version(types.BucketVersioningStatusEnabled)
	one, two := w.write("k", "one"), w.write("k", "two")
	w.write("l", "other")
	names := map[string]string{one: "1", two: "2"}
	for id, want := range map[string]string{
		"null": "zero", one: "one", two: "two", "HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD": "InvalidArgument",
	} {
		if got := w.read("k", id); got != want {
			t.Errorf("%s: got %s, want %s", id, got, want)
		}
	}
	deleted := w.remove("k", nil)
	names[*deleted.VersionId] = "m"
	if w.get("k") != "NoSuchKey" || !*deleted.DeleteMarker || w.read("k", *deleted.VersionId) != "MethodNotAllowed" {
		t.Errorf("after a deletion: %s, %+v", w.get("k"), deleted)
	}
	if keys := w.keys(s3.ListObjectsV2Input{}); keys != "l" {
		t.Errorf("objects: %s", keys)
	}
	_, err := w.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("bkt"), Key: aws.String("k")})
	if e, ok := errors.AsType[*awshttp.ResponseError](err); !ok ||
		e.Response.Header.Get("x-amz-delete-marker") != "true" ||
		e.Response.Header.Get("x-amz-version-id") != *deleted.VersionId {
		t.Errorf("the error for a deleted object: %v", err)
	}
	other, _, _ := strings.Cut(w.versions(1000, names), " l:")
	if want := "k:1 k:2 k:m*! k:null"; other != want {
		t.Errorf("versions %s, want %s", other, want)
	}
	for _, size := range []int32{1, 2} { // in order
		var got []string
		for _, v := range strings.Fields(w.versions(size, names)) {
			if strings.HasPrefix(v, "k:") {
				got = append(got, v)
			}
		}
		if size == 1 && strings.Join(got, " ") != "k:m*! k:2 k:1 k:null" || len(got) != 4 {
			t.Errorf("by %d: %s", size, got)
		}
	}
	w.remove("k", deleted.VersionId) // brings the object back
	if w.get("k") != "two" {
		t.Errorf("without the marker: %s", w.get("k"))
	}
	w.remove("k", &two)
	if w.get("k") != "one" || w.read("k", two) != "NoSuchVersion" || w.onDisk() != 3 {
		t.Errorf("without the latest: %s, %s, %d files", w.get("k"), w.read("k", two), w.onDisk())
	}
	copied, err := w.CopyObject(t.Context(), &s3.CopyObjectInput{
		Bucket: aws.String("bkt"), Key: aws.String("k"), CopySource: aws.String("bkt/k?versionId=null"),
	})
	w.ok(copied, err)
	if w.get("k") != "zero" || *copied.CopySourceVersionId != "null" || w.read("k", *copied.VersionId) != "zero" {
		t.Errorf("an older version copied: %s, %+v", w.get("k"), copied)
	}
	w.ok(nil, w.api.DeleteLeftovers())
	if w.read("k", one) != "one" || w.read("k", "null") != "zero" {
		t.Error("the start has removed the content of versions")
	}
}

func TestSuspendedVersioningReplacesTheNullVersion(t *testing.T) {
	w := newWorld(t)
	w.version(types.BucketVersioningStatusEnabled)
	one := w.write("k", "one")
	w.version(types.BucketVersioningStatusSuspended)
	if id := w.write("k", "a"); id != "-" {
		t.Errorf("the version is %s", id)
	}
	w.write("k", "b")
	names := map[string]string{one: "1"}
	if got := w.versions(9, names); got != "k:1 k:null*" || w.read("k", "null") != "b" || w.onDisk() != 2 {
		t.Errorf("versions %s, %d files", got, w.onDisk())
	}
	if d := w.remove("k", nil); *d.VersionId != "null" || !*d.DeleteMarker {
		t.Errorf("deleted %+v", d)
	}
	if got := w.versions(9, names); got != "k:1 k:null*!" || w.onDisk() != 1 {
		t.Errorf("versions %s, %d files", got, w.onDisk())
	}
	if d := w.remove("k", aws.String("null")); !*d.DeleteMarker || w.get("k") != "one" {
		t.Errorf("deleted %+v, and %s is left", d, w.get("k"))
	}
}

func TestDeleteObjectsDeletesVersions(t *testing.T) {
	w := newWorld(t)
	w.version(types.BucketVersioningStatusEnabled)
	one := w.write("k", "one")
	remove := func(ids ...types.ObjectIdentifier) *s3.DeleteObjectsOutput {
		out, err := w.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{
			Bucket: aws.String("bkt"), Delete: &types.Delete{Objects: ids},
		})
		w.ok(out, err)
		return out
	}
	key := aws.String("k")
	d := remove(types.ObjectIdentifier{Key: key}).Deleted[0]
	if !*d.DeleteMarker || d.DeleteMarkerVersionId == nil || d.VersionId != nil {
		t.Errorf("deleted %+v", d)
	}
	out := remove(types.ObjectIdentifier{Key: key, VersionId: aws.String("HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD")},
		types.ObjectIdentifier{Key: key, VersionId: d.DeleteMarkerVersionId},
		types.ObjectIdentifier{Key: key, VersionId: &one})
	if len(out.Errors) != 1 || *out.Errors[0].Code != "NoSuchVersion" || len(out.Deleted) != 2 ||
		*out.Deleted[0].DeleteMarkerVersionId != *d.DeleteMarkerVersionId || out.Deleted[1].DeleteMarker != nil {
		t.Errorf("deleted %+v", out)
	}
	w.ok(w.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String("bkt")}))
	if w.onDisk() != 0 {
		t.Errorf("%d files", w.onDisk())
	}
}

func TestVersioningIsEnabledOrSuspended(t *testing.T) {
	w := newWorld(t)
	for status, want := range map[types.BucketVersioningStatus]string{
		"": "IllegalVersioningConfigurationException", "enabled": "MalformedXML", "Disabled": "MalformedXML",
	} {
		_, err := w.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
			Bucket: aws.String("bkt"), VersioningConfiguration: &types.VersioningConfiguration{Status: status},
		})
		w.refused(err, want)
	}
	w.version(types.BucketVersioningStatusEnabled)
	w.write("k", "one")
	w.remove("k", nil)
	_, err := w.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String("bkt")})
	if err == nil || !strings.Contains(err.Error(), "You must delete all versions in the bucket.") {
		t.Errorf("got %v", err)
	}
}

func TestVersionsExpire(t *testing.T) {
	w := newWorld(t)
	start := time.Now().UTC().Truncate(24 * time.Hour).Add(10 * time.Hour)
	w.set(start)
	w.version(types.BucketVersioningStatusEnabled)
	w.ok(w.PutBucketLifecycleConfiguration(t.Context(), &s3.PutBucketLifecycleConfigurationInput{
		Bucket: aws.String("bkt"), LifecycleConfiguration: &types.BucketLifecycleConfiguration{
			Rules: []types.LifecycleRule{
				{
					ID: aws.String("current"), Status: types.ExpirationStatusEnabled,
					Filter:     &types.LifecycleRuleFilter{Prefix: aws.String("short")},
					Expiration: &types.LifecycleExpiration{Days: aws.Int32(1)},
				},
				{
					ID: aws.String("old"), Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{},
					NoncurrentVersionExpiration: &types.NoncurrentVersionExpiration{
						NoncurrentDays: aws.Int32(2), NewerNoncurrentVersions: aws.Int32(1),
					},
					Expiration: &types.LifecycleExpiration{ExpiredObjectDeleteMarker: aws.Bool(true)},
				},
			},
		},
	}))
	names := map[string]string{}
	for i := range 4 {
		names[w.write("k", fmt.Sprint(i))] = fmt.Sprint(i)
	}
	names[w.write("short", "s")] = "s"
	names[*w.remove("gone", nil).VersionId] = "m"
	expire := func(days int) string {
		w.set(start.Add(time.Duration(days) * 24 * time.Hour))
		w.ok(nil, w.api.Expire())
		list := w.versions(100, names)
		return strings.Join(slices.DeleteFunc(strings.Fields(list), func(v string) bool {
			return strings.HasPrefix(v, "short") && strings.HasSuffix(v, "!")
		}), " ")
	}
	if got := expire(0); got != "k:0 k:1 k:2 k:3* short:s*" { // the marker has no versions
		t.Errorf("at first: %s", got)
	}
	if got := expire(2); got != "k:0 k:1 k:2 k:3* short:s" || w.get("short") != "NoSuchKey" {
		t.Errorf("after two days: %s", got)
	}
	if got := expire(3); got != "k:2 k:3* short:s" || w.onDisk() != 3 { // the newest of the old ones is kept
		t.Errorf("after three days: %s, %d files", got, w.onDisk())
	}
	rules, err := w.GetBucketLifecycleConfiguration(t.Context(), &s3.GetBucketLifecycleConfigurationInput{
		Bucket: aws.String("bkt"),
	})
	w.ok(rules, err)
	if r := rules.Rules[1]; *r.NoncurrentVersionExpiration.NewerNoncurrentVersions != 1 ||
		!*r.Expiration.ExpiredObjectDeleteMarker {
		t.Errorf("rule %+v", r)
	}
}

func TestVersionsHaveTagsOfTheirOwn(t *testing.T) {
	w := newWorld(t)
	w.version(types.BucketVersioningStatusEnabled)
	one := w.write("k", "one")
	w.write("k", "two")
	key := aws.String("k")
	tagged, err := w.PutObjectTagging(t.Context(), &s3.PutObjectTaggingInput{
		Bucket: aws.String("bkt"), Key: key, VersionId: &one,
		Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}},
	})
	w.ok(tagged, err)
	of := func(version *string) int {
		out, err := w.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{
			Bucket: aws.String("bkt"), Key: key, VersionId: version,
		})
		w.ok(out, err)
		return len(out.TagSet)
	}
	if of(&one) != 1 || of(nil) != 0 || *tagged.VersionId != one {
		t.Errorf("tags: %d and %d, %+v", of(&one), of(nil), tagged)
	}
}
