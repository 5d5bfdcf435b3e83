package s3_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// code returns the code of an operation's error, or "" for none.
func code[T any](_ T, err error) string {
	if known, ok := errors.AsType[smithy.APIError](err); ok {
		return known.ErrorCode()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func TestSettingsThatNoBucketHas(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.put("k", "content")
	key := aws.String("k")
	ask := func(bucket *string) map[string]string {
		return map[string]string{
			"GetBucketCors":        code(w.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: bucket})),
			"DeleteBucketCors":     code(w.DeleteBucketCors(ctx, &s3.DeleteBucketCorsInput{Bucket: bucket})),
			"GetBucketWebsite":     code(w.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: bucket})),
			"DeleteBucketWebsite":  code(w.DeleteBucketWebsite(ctx, &s3.DeleteBucketWebsiteInput{Bucket: bucket})),
			"GetBucketReplication": code(w.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: bucket})),
			"DeleteBucketReplication": code(w.DeleteBucketReplication(
				ctx, &s3.DeleteBucketReplicationInput{Bucket: bucket})),
			"GetObjectLockConfiguration": code(w.GetObjectLockConfiguration(
				ctx, &s3.GetObjectLockConfigurationInput{Bucket: bucket})),
			"GetBucketLogging": code(w.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: bucket})),
			"GetBucketNotificationConfiguration": code(w.GetBucketNotificationConfiguration(
				ctx, &s3.GetBucketNotificationConfigurationInput{Bucket: bucket})),
			"GetBucketAccelerateConfiguration": code(w.GetBucketAccelerateConfiguration(
				ctx, &s3.GetBucketAccelerateConfigurationInput{Bucket: bucket})),
			"GetBucketRequestPayment": code(w.GetBucketRequestPayment(
				ctx, &s3.GetBucketRequestPaymentInput{Bucket: bucket})),
			"GetBucketPolicyStatus": code(w.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: bucket})),
			"ListBucketAnalyticsConfigurations": code(w.ListBucketAnalyticsConfigurations(
				ctx, &s3.ListBucketAnalyticsConfigurationsInput{Bucket: bucket})),
			"ListBucketIntelligentTieringConfigurations": code(w.ListBucketIntelligentTieringConfigurations(
				ctx, &s3.ListBucketIntelligentTieringConfigurationsInput{Bucket: bucket})),
			"ListBucketInventoryConfigurations": code(w.ListBucketInventoryConfigurations(
				ctx, &s3.ListBucketInventoryConfigurationsInput{Bucket: bucket})),
			"ListBucketMetricsConfigurations": code(w.ListBucketMetricsConfigurations(
				ctx, &s3.ListBucketMetricsConfigurationsInput{Bucket: bucket})),
			"GetBucketAcl": code(w.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: bucket})),
			"PutBucketAcl": code(w.PutBucketAcl(ctx, &s3.PutBucketAclInput{
				Bucket: bucket, ACL: types.BucketCannedACLPublicRead,
			})),
			"GetObjectAcl": code(w.GetObjectAcl(ctx, &s3.GetObjectAclInput{Bucket: bucket, Key: key})),
			"PutObjectAcl": code(w.PutObjectAcl(ctx, &s3.PutObjectAclInput{
				Bucket: bucket, Key: key, ACL: types.ObjectCannedACLPublicRead,
			})),
			"GetObjectRetention": code(w.GetObjectRetention(
				ctx, &s3.GetObjectRetentionInput{Bucket: bucket, Key: key})),
			"GetObjectLegalHold": code(w.GetObjectLegalHold(
				ctx, &s3.GetObjectLegalHoldInput{Bucket: bucket, Key: key})),
			"ListObjectVersions": code(w.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: bucket})),
		}
	}
	want := map[string]string{
		"GetBucketCors": "NoSuchCORSConfiguration", "GetBucketWebsite": "NoSuchWebsiteConfiguration",
		"GetBucketReplication":       "ReplicationConfigurationNotFoundError",
		"GetObjectLockConfiguration": "ObjectLockConfigurationNotFoundError",
		"GetBucketPolicyStatus":      "NoSuchBucketPolicy",
		"PutBucketAcl":               "AccessControlListNotSupported", "PutObjectAcl": "AccessControlListNotSupported",
		"GetObjectRetention": "InvalidRequest", "GetObjectLegalHold": "InvalidRequest",
	}
	for operation, got := range ask(aws.String("bkt")) {
		if got != want[operation] {
			t.Errorf("%s: got %q, want %q", operation, got, want[operation])
		}
	}
	for operation, got := range ask(aws.String("no-such-bucket")) {
		if got != "NoSuchBucket" {
			t.Errorf("%s of a bucket that does not exist: got %q", operation, got)
		}
	}
}

func TestOwnersHaveAllPermissions(t *testing.T) {
	w := newWorld(t)
	list, err := w.GetBucketAcl(t.Context(), &s3.GetBucketAclInput{Bucket: aws.String("bkt")})
	w.ok(list, err)
	if len(list.Grants) != 1 || list.Grants[0].Permission != types.PermissionFullControl ||
		list.Grants[0].Grantee.Type != types.TypeCanonicalUser || *list.Grants[0].Grantee.ID != *list.Owner.ID {
		t.Errorf("the access control list is %+v of %v", list.Grants, list.Owner)
	}
}

func TestObjectsHaveOneVersion(t *testing.T) {
	w := newWorld(t)
	for _, key := range []string{"a", "b/1", "b/2", "c"} {
		w.put(key, key)
	}
	var found []string
	pages := s3.NewListObjectVersionsPaginator(w.Client, &s3.ListObjectVersionsInput{
		Bucket: aws.String("bkt"), Delimiter: aws.String("/"), MaxKeys: aws.Int32(1),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		w.ok(page, err)
		for _, v := range page.Versions {
			if !*v.IsLatest || *v.Size != 1 || v.ETag == nil {
				t.Errorf("version %+v", v)
			}
			found = append(found, *v.Key+"@"+*v.VersionId)
		}
		for _, p := range page.CommonPrefixes {
			found = append(found, *p.Prefix)
		}
	}
	if got := strings.Join(found, " "); got != "a@null b/ c@null" {
		t.Errorf("versions %s", got)
	}
	_, err := w.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{
		Bucket: aws.String("bkt"), VersionIdMarker: aws.String("null"),
	})
	w.refused(err, "InvalidArgument")
}

func TestObjectAttributes(t *testing.T) {
	w := newWorld(t)
	w.put("k", "content")
	out, err := w.GetObjectAttributes(t.Context(), &s3.GetObjectAttributesInput{
		Bucket: aws.String("bkt"), Key: aws.String("k"), ObjectAttributes: []types.ObjectAttributes{
			types.ObjectAttributesEtag, types.ObjectAttributesObjectSize, types.ObjectAttributesChecksum,
			types.ObjectAttributesStorageClass, types.ObjectAttributesObjectParts,
		},
	})
	w.ok(out, err)
	if *out.ETag != "9a0364b9e99bb480dd25e1f0284c8555" || *out.ObjectSize != 7 || out.StorageClass != "STANDARD" ||
		out.Checksum == nil || out.ObjectParts != nil || out.LastModified == nil {
		t.Errorf("attributes %+v", out)
	}
	out, err = w.GetObjectAttributes(t.Context(), &s3.GetObjectAttributesInput{
		Bucket: aws.String("bkt"), Key: aws.String("k"),
		ObjectAttributes: []types.ObjectAttributes{types.ObjectAttributesObjectSize},
	})
	w.ok(out, err)
	if out.ETag != nil || out.Checksum != nil || out.StorageClass != "" {
		t.Errorf("attributes that were not asked for: %+v", out)
	}
	_, err = w.GetObjectAttributes(t.Context(), &s3.GetObjectAttributesInput{
		Bucket: aws.String("bkt"), Key: aws.String("k"), ObjectAttributes: []types.ObjectAttributes{"Color"},
	})
	w.refused(err, "InvalidArgument")
}
