package s3_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// own sets the ownership of the bucket.
func (w *world) own(o types.ObjectOwnership) error {
	_, err := w.PutBucketOwnershipControls(w.Context(), &s3.PutBucketOwnershipControlsInput{
		Bucket: aws.String("bkt"), OwnershipControls: &types.OwnershipControls{
			Rules: []types.OwnershipControlsRule{{ObjectOwnership: o}},
		},
	})
	return err
}

// ownership returns the ownership of the bucket, or the code of an error.
func (w *world) ownership() string {
	out, err := w.GetBucketOwnershipControls(w.Context(), &s3.GetBucketOwnershipControlsInput{
		Bucket: aws.String("bkt"),
	})
	if err != nil {
		return code(out, err)
	}
	return string(out.OwnershipControls.Rules[0].ObjectOwnership)
}

func TestOwnershipOfABucket(t *testing.T) {
	w := newWorld(t)
	if got := w.ownership(); got != "BucketOwnerEnforced" {
		t.Errorf("a new bucket has ownership %s", got)
	}
	for _, o := range types.ObjectOwnership("").Values() {
		w.ok(nil, w.own(o))
		if got := w.ownership(); got != string(o) {
			t.Errorf("got %s, want %s", got, o)
		}
	}
	w.refused(w.own("Nobody"), "MalformedXML")
	w.ok(w.DeleteBucketOwnershipControls(t.Context(), &s3.DeleteBucketOwnershipControlsInput{
		Bucket: aws.String("bkt"),
	}))
	if got := w.ownership(); got != "OwnershipControlsNotFoundError" {
		t.Errorf("without controls: %s", got)
	}
}

func TestNewBucketsHaveAnOwnership(t *testing.T) {
	w := newWorld(t)
	for name, test := range map[string]struct {
		ownership types.ObjectOwnership
		acl       types.BucketCannedACL
		want      string
	}{
		"enforced":             {"BucketOwnerEnforced", "private", ""},
		"preferred":            {"BucketOwnerPreferred", "private", ""},
		"enforced-with-a-list": {"", "public-read", "InvalidBucketAclWithObjectOwnership"},
		"public":               {"ObjectWriter", "public-read", "NotImplemented"},
		"unknown":              {"Nobody", "", "InvalidArgument"},
	} {
		if got := code(w.CreateBucket(t.Context(), &s3.CreateBucketInput{
			Bucket: aws.String(name), ObjectOwnership: test.ownership, ACL: test.acl,
		})); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestAccessControlListsNameTheOwner(t *testing.T) {
	w := newWorld(t)
	bucket, key := aws.String("bkt"), aws.String("k")
	w.put("k", "content")
	acl, err := w.GetBucketAcl(t.Context(), &s3.GetBucketAclInput{Bucket: bucket})
	w.ok(acl, err)
	full := &types.AccessControlPolicy{Owner: acl.Owner, Grants: acl.Grants}
	everybody := &types.AccessControlPolicy{Owner: acl.Owner, Grants: []types.Grant{{
		Grantee: &types.Grantee{
			Type: types.TypeGroup, URI: aws.String("http://acs.amazonaws.com/groups/global/AllUsers"),
		},
		Permission: types.PermissionRead,
	}}}
	foreign := &types.AccessControlPolicy{Owner: &types.Owner{ID: aws.String("another")}, Grants: acl.Grants}
	for _, test := range []struct {
		canned         string
		list           *types.AccessControlPolicy
		enforced, want string // codes of a bucket without access control lists, and of one that has them
	}{
		{"private", nil, "AccessControlListNotSupported", ""},
		{"public-read", nil, "AccessControlListNotSupported", "AccessDenied"}, // the bucket blocks public access
		{"aws-exec-read", nil, "AccessControlListNotSupported", "NotImplemented"},
		{"", full, "AccessControlListNotSupported", ""},
		{"", everybody, "AccessControlListNotSupported", "NotImplemented"},
		{"", foreign, "AccessControlListNotSupported", "AccessDenied"},
		{"", nil, "AccessControlListNotSupported", "MissingSecurityHeader"},
	} {
		for ownership, want := range map[types.ObjectOwnership]string{
			"BucketOwnerEnforced": test.enforced, "BucketOwnerPreferred": test.want, "ObjectWriter": test.want,
		} {
			w.ok(nil, w.own(ownership))
			ofBucket := code(w.PutBucketAcl(t.Context(), &s3.PutBucketAclInput{
				Bucket: bucket, ACL: types.BucketCannedACL(test.canned), AccessControlPolicy: test.list,
			}))
			ofObject := code(w.PutObjectAcl(t.Context(), &s3.PutObjectAclInput{
				Bucket: bucket, Key: key, ACL: types.ObjectCannedACL(test.canned), AccessControlPolicy: test.list,
			}))
			if ofBucket != want || ofObject != want {
				t.Errorf("%s %v with %s: got %q of the bucket and %q of the object, want %q",
					test.canned, test.list, ownership, ofBucket, ofObject, want)
			}
		}
	}
	w.ok(nil, w.own("BucketOwnerPreferred"))
	for canned, want := range map[types.ObjectCannedACL]string{
		"private": "", "bucket-owner-full-control": "", "bucket-owner-read": "", "public-read": "AccessDenied",
	} {
		if got := code(w.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: bucket, Key: key, ACL: canned,
		})); got != want {
			t.Errorf("an object with %s: got %q, want %q", canned, got, want)
		}
	}
}

func TestSettingsThatBucketsHaveAnyway(t *testing.T) {
	w, bucket := newWorld(t), aws.String("bkt")
	accelerate := func(status types.BucketAccelerateStatus) string {
		return code(w.PutBucketAccelerateConfiguration(t.Context(), &s3.PutBucketAccelerateConfigurationInput{
			Bucket: bucket, AccelerateConfiguration: &types.AccelerateConfiguration{Status: status},
		}))
	}
	pays := func(payer types.Payer) string {
		return code(w.PutBucketRequestPayment(t.Context(), &s3.PutBucketRequestPaymentInput{
			Bucket: bucket, RequestPaymentConfiguration: &types.RequestPaymentConfiguration{Payer: payer},
		}))
	}
	for _, test := range []struct{ got, want string }{
		{accelerate("Enabled"), "NotImplemented"}, {accelerate("x"), "MalformedXML"}, {accelerate("Suspended"), ""},
		{pays("Requester"), "NotImplemented"}, {pays("x"), "MalformedXML"}, {pays("BucketOwner"), ""},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
	out, err := w.GetBucketAccelerateConfiguration(t.Context(), &s3.GetBucketAccelerateConfigurationInput{
		Bucket: bucket,
	})
	w.ok(out, err)
	if out.Status != types.BucketAccelerateStatusSuspended {
		t.Errorf("acceleration is %q", out.Status)
	}
}

func TestRulesOfObjectsThatAreNotEmpty(t *testing.T) {
	w := newWorld(t)
	rule := func(more, less *int64) error {
		_, err := w.PutBucketLifecycleConfiguration(t.Context(), &s3.PutBucketLifecycleConfigurationInput{
			Bucket: aws.String("bkt"), LifecycleConfiguration: &types.BucketLifecycleConfiguration{
				Rules: []types.LifecycleRule{{
					Status: types.ExpirationStatusEnabled, Expiration: &types.LifecycleExpiration{Days: aws.Int32(1)},
					Filter: &types.LifecycleRuleFilter{And: &types.LifecycleRuleAndOperator{
						Prefix: aws.String("k"), ObjectSizeGreaterThan: more, ObjectSizeLessThan: less,
					}},
				}},
			},
		})
		return err
	}
	w.refused(rule(nil, aws.Int64(0)), "InvalidRequest")
	w.refused(rule(aws.Int64(9), aws.Int64(9)), "InvalidRequest")
	w.ok(nil, rule(aws.Int64(0), nil))
	out, err := w.GetBucketLifecycleConfiguration(t.Context(), &s3.GetBucketLifecycleConfigurationInput{
		Bucket: aws.String("bkt"),
	})
	w.ok(out, err)
	if and := out.Rules[0].Filter.And; and.ObjectSizeGreaterThan == nil || *and.ObjectSizeGreaterThan != 0 {
		t.Errorf("the filter is %+v", and)
	}
	w.put("k-empty", "")
	w.put("k-full", "content")
	for key, expires := range map[string]bool{"k-empty": false, "k-full": true} {
		head, err := w.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("bkt"), Key: aws.String(key)})
		w.ok(head, err)
		if (head.Expiration != nil) != expires {
			t.Errorf("%s expires: %v", key, head.Expiration)
		}
	}
}
