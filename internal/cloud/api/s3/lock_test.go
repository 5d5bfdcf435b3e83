package s3_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const (
	governance = types.ObjectLockRetentionModeGovernance
	compliance = types.ObjectLockRetentionModeCompliance
)

func (w *world) lockDefault(d *types.DefaultRetention) error {
	c := &types.ObjectLockConfiguration{ObjectLockEnabled: types.ObjectLockEnabledEnabled}
	if d != nil {
		c.Rule = &types.ObjectLockRule{DefaultRetention: d}
	}
	_, err := w.PutObjectLockConfiguration(w.Context(), &s3.PutObjectLockConfigurationInput{
		Bucket: aws.String("bkt"), ObjectLockConfiguration: c,
	})
	return err
}

// erase deletes a version for good.
func (w *world) erase(key, version string, bypass bool) error {
	in := &s3.DeleteObjectInput{Bucket: aws.String("bkt"), Key: &key, VersionId: &version}
	if bypass {
		in.BypassGovernanceRetention = aws.Bool(true)
	}
	_, err := w.DeleteObject(w.Context(), in)
	return err
}

func TestLockedVersionsStay(t *testing.T) {
	w := newWorld(t)
	now := time.Now().UTC().Truncate(time.Second)
	w.set(now)
	w.refused(w.lockDefault(nil), "InvalidBucketState")
	plain := w.write("plain", "x")
	w.refused(w.erase("plain", plain, true), "InvalidArgument")
	w.version(types.BucketVersioningStatusEnabled)
	for _, d := range []*types.DefaultRetention{
		{}, {Mode: governance}, {Mode: governance, Days: aws.Int32(1), Years: aws.Int32(1)},
		{Mode: "x", Days: aws.Int32(1)},
	} {
		w.refused(w.lockDefault(d), "MalformedXML")
	}
	w.refused(w.lockDefault(&types.DefaultRetention{Mode: governance, Days: aws.Int32(0)}), "InvalidArgument")
	w.ok(nil, w.lockDefault(&types.DefaultRetention{Mode: governance, Days: aws.Int32(2)}))
	w.refused(func() error {
		_, err := w.PutBucketVersioning(w.Context(), &s3.PutBucketVersioningInput{
			Bucket: aws.String("bkt"), VersioningConfiguration: &types.VersioningConfiguration{
				Status: types.BucketVersioningStatusSuspended,
			},
		})
		return err
	}(), "InvalidBucketState")

	put := &s3.PutObjectInput{Bucket: aws.String("bkt"), Key: aws.String("k"), Body: strings.NewReader("x")}
	_, err := w.PutObject(w.Context(), put)
	w.refused(err, "InvalidRequest") // without a digest
	put.ChecksumAlgorithm, put.Body = types.ChecksumAlgorithmCrc32, strings.NewReader("x")
	written, err := w.PutObject(w.Context(), put)
	w.ok(written, err)
	version := *written.VersionId
	head, err := w.HeadObject(w.Context(), &s3.HeadObjectInput{Bucket: aws.String("bkt"), Key: aws.String("k")})
	w.ok(head, err)
	if head.ObjectLockMode != "GOVERNANCE" || !head.ObjectLockRetainUntilDate.Equal(now.AddDate(0, 0, 2)) {
		t.Errorf("got %s until %s", head.ObjectLockMode, head.ObjectLockRetainUntilDate)
	}
	w.refused(w.erase("k", version, false), "AccessDenied")
	marker, err := w.DeleteObject(w.Context(), &s3.DeleteObjectInput{Bucket: aws.String("bkt"), Key: aws.String("k")})
	w.ok(marker, err)
	w.ok(nil, w.erase("k", *marker.VersionId, false)) // markers are not locked
	list, err := w.DeleteObjects(w.Context(), &s3.DeleteObjectsInput{Bucket: aws.String("bkt"), Delete: &types.Delete{
		Objects: []types.ObjectIdentifier{{Key: aws.String("k"), VersionId: &version}},
	}})
	w.ok(list, err)
	if len(list.Errors) != 1 || *list.Errors[0].Code != "AccessDenied" || len(list.Deleted) != 0 {
		t.Errorf("got %+v", list)
	}
	if got := w.read("k", version); got != "x" {
		t.Errorf("got %s", got)
	}

	retain := func(mode types.ObjectLockRetentionMode, days int, bypass bool) error {
		in := &s3.PutObjectRetentionInput{Bucket: aws.String("bkt"), Key: aws.String("k"), VersionId: &version}
		in.Retention = &types.ObjectLockRetention{Mode: mode}
		if mode != "" {
			in.Retention.RetainUntilDate = aws.Time(now.AddDate(0, 0, days))
		}
		if bypass {
			in.BypassGovernanceRetention = aws.Bool(true)
		}
		_, err := w.PutObjectRetention(w.Context(), in)
		return err
	}
	w.refused(retain(governance, -1, false), "InvalidArgument")
	w.refused(retain(governance, 1, false), "AccessDenied")
	w.refused(retain("", 0, false), "AccessDenied")
	w.ok(nil, retain(governance, 3, false))
	w.ok(nil, retain(governance, 1, true))
	w.ok(nil, retain(compliance, 4, true))
	w.refused(retain(governance, 5, true), "AccessDenied")
	w.refused(retain(compliance, 3, true), "AccessDenied")
	w.refused(w.erase("k", version, true), "AccessDenied")
	w.set(now.AddDate(0, 0, 4).Add(time.Second))
	hold := func(status types.ObjectLockLegalHoldStatus) {
		t.Helper()
		w.ok(w.PutObjectLegalHold(w.Context(), &s3.PutObjectLegalHoldInput{
			Bucket: aws.String("bkt"), Key: aws.String("k"), VersionId: &version,
			LegalHold: &types.ObjectLockLegalHold{Status: status},
		}))
	}
	hold(types.ObjectLockLegalHoldStatusOn)
	w.refused(w.erase("k", version, true), "AccessDenied")
	hold(types.ObjectLockLegalHoldStatusOff)
	w.ok(nil, w.erase("k", version, false))
}

func TestRequestsLockWhatTheyWrite(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	put := func(change func(*s3.PutObjectInput)) error {
		in := &s3.PutObjectInput{
			Bucket: aws.String("locked"), Key: aws.String("k"), Body: strings.NewReader("x"),
			ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
		}
		change(in)
		_, err := w.PutObject(ctx, in)
		return err
	}
	w.ok(w.CreateBucket(ctx, &s3.CreateBucketInput{
		Bucket: aws.String("locked"), ObjectLockEnabledForBucket: aws.Bool(true),
	}))
	until := aws.Time(time.Now().Add(time.Hour))
	w.refused(put(func(in *s3.PutObjectInput) { in.ObjectLockMode = "GOVERNANCE" }), "InvalidArgument")
	w.refused(put(func(in *s3.PutObjectInput) { in.ObjectLockRetainUntilDate = until }), "InvalidArgument")
	w.refused(put(func(in *s3.PutObjectInput) {
		in.ObjectLockMode, in.ObjectLockRetainUntilDate = "GOVERNANCE", aws.Time(time.Now())
	}), "InvalidArgument")
	w.refused(put(func(in *s3.PutObjectInput) {
		in.ObjectLockMode, in.ObjectLockRetainUntilDate, in.Bucket = "GOVERNANCE", until, aws.String("bkt")
	}), "InvalidRequest")
	w.ok(nil, put(func(in *s3.PutObjectInput) {
		in.ObjectLockMode, in.ObjectLockRetainUntilDate = "COMPLIANCE", until
		in.ObjectLockLegalHoldStatus = types.ObjectLockLegalHoldStatusOn
	}))
	w.ok(w.CopyObject(ctx, &s3.CopyObjectInput{
		Bucket: aws.String("locked"), Key: aws.String("copy"), CopySource: aws.String("locked/k"),
	}))
	for key, want := range map[string]string{"k": "", "copy": "NoSuchObjectLockConfiguration"} {
		at := aws.String(key)
		for _, got := range []string{
			code(w.GetObjectRetention(ctx, &s3.GetObjectRetentionInput{Bucket: aws.String("locked"), Key: at})),
			code(w.GetObjectLegalHold(ctx, &s3.GetObjectLegalHoldInput{Bucket: aws.String("locked"), Key: at})),
		} {
			if got != want {
				t.Errorf("%s: got %q, want %q", key, got, want)
			}
		}
	}
}

func TestObjectsHaveClassesOfStorage(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	put := func(key string, class types.StorageClass) error {
		_, err := w.PutObject(ctx, &s3.PutObjectInput{
			Bucket: aws.String("bkt"), Key: &key, Body: strings.NewReader("x"), StorageClass: class,
		})
		return err
	}
	w.refused(put("k", types.StorageClassGlacier), "NotImplemented")
	w.refused(put("k", "FAST"), "InvalidStorageClass")
	w.ok(nil, put("a", types.StorageClassStandard))
	w.ok(nil, put("b", types.StorageClassStandardIa))
	list, err := w.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("bkt")})
	w.ok(list, err)
	if list.Contents[0].StorageClass != "STANDARD" || list.Contents[1].StorageClass != "STANDARD_IA" {
		t.Errorf("got %+v", list.Contents)
	}
	class := func(key string) types.StorageClass {
		head, err := w.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("bkt"), Key: &key})
		w.ok(head, err)
		return head.StorageClass
	}
	if class("a") != "" || class("b") != "STANDARD_IA" {
		t.Errorf("got %q and %q", class("a"), class("b"))
	}
	w.ok(w.CopyObject(ctx, &s3.CopyObjectInput{ // of an object to itself, to change its class
		Bucket: aws.String("bkt"), Key: aws.String("b"), CopySource: aws.String("bkt/b"),
		StorageClass: types.StorageClassIntelligentTiering,
	}))
	if class("b") != "INTELLIGENT_TIERING" {
		t.Errorf("got %q", class("b"))
	}
}
