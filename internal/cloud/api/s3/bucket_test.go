package s3_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"aloft.dev/aloft/internal/cloud/objectfile"
	"aloft.dev/aloft/internal/cloud/seal"
)

// The location of a bucket in us-east-1 is an empty element. boto3 cannot parse an empty body.
func TestTheLocationOfTheDefaultRegionIsAnEmptyElement(t *testing.T) {
	w := newWorld(t)
	var body []byte
	recorder := smithyhttp.ClientDoFunc(func(r *http.Request) (*http.Response, error) {
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			return nil, err
		}
		body, err = io.ReadAll(response.Body)
		response.Body = io.NopCloser(bytes.NewReader(body))
		return response, err
	})
	out, err := w.GetBucketLocation(t.Context(), &s3.GetBucketLocationInput{Bucket: aws.String("bkt")},
		func(o *s3.Options) { o.HTTPClient = recorder })
	w.ok(out, err)
	const want = `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></LocationConstraint>`
	if !strings.HasSuffix(string(body), want) || out.LocationConstraint != "" {
		t.Errorf("got %q and %q, want %s", out.LocationConstraint, body, want)
	}
}

func TestObjectsExpire(t *testing.T) {
	w := newWorld(t)
	start := time.Now().UTC().Truncate(24 * time.Hour).Add(10 * time.Hour)
	w.set(start)
	w.ok(w.PutBucketLifecycleConfiguration(t.Context(), &s3.PutBucketLifecycleConfigurationInput{
		Bucket: aws.String("bkt"), LifecycleConfiguration: &types.BucketLifecycleConfiguration{
			Rules: []types.LifecycleRule{
				{
					ID: aws.String("logs"), Status: types.ExpirationStatusEnabled,
					Filter:     &types.LifecycleRuleFilter{Prefix: aws.String("logs/")},
					Expiration: &types.LifecycleExpiration{Days: aws.Int32(2)},
				},
				{
					ID: aws.String("off"), Status: types.ExpirationStatusDisabled,
					Filter:     &types.LifecycleRuleFilter{},
					Expiration: &types.LifecycleExpiration{Days: aws.Int32(1)},
				},
				{
					ID: aws.String("parts"), Status: types.ExpirationStatusEnabled,
					Filter: &types.LifecycleRuleFilter{Prefix: aws.String("")},
					AbortIncompleteMultipartUpload: &types.AbortIncompleteMultipartUpload{
						DaysAfterInitiation: aws.Int32(1),
					},
				},
			},
		},
	}))
	_, err := w.PutBucketLifecycleConfiguration(t.Context(), &s3.PutBucketLifecycleConfigurationInput{
		Bucket: aws.String("bkt"), LifecycleConfiguration: &types.BucketLifecycleConfiguration{
			Rules: []types.LifecycleRule{{
				Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{},
				Expiration: &types.LifecycleExpiration{Days: aws.Int32(1)},
			}},
		},
		TransitionDefaultMinimumObjectSize: types.TransitionDefaultMinimumObjectSizeVariesByStorageClass,
	})
	w.refused(err, "NotImplemented")
	w.put("logs/1", "1")
	w.put("kept", "2")
	w.upload("", 10)
	head, err := w.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("bkt"), Key: aws.String("logs/1")})
	w.ok(head, err)
	due := start.Truncate(24 * time.Hour).Add(3 * 24 * time.Hour) // the midnight after two days
	if want := `expiry-date="` + due.Format(http.TimeFormat) + `", rule-id="logs"`; *head.Expiration != want {
		t.Errorf("expires: %s, want %s", *head.Expiration, want)
	}
	w.set(due.Add(-time.Second))
	w.ok(nil, w.api.Expire())
	if n := w.onDisk(); w.get("logs/1") != "1" || n != 2 { // of two days, the upload has expired
		t.Errorf("before: %q, %d files", w.get("logs/1"), n)
	}
	w.set(due)
	w.ok(nil, w.api.Expire())
	if w.get("logs/1") != "NoSuchKey" || w.get("kept") != "2" || w.onDisk() != 1 {
		t.Errorf("after: %q, %q, %d files", w.get("logs/1"), w.get("kept"), w.onDisk())
	}
}

func TestBucketsAreDeletedWhenTheyAreEmpty(t *testing.T) {
	w := newWorld(t)
	w.put("k", "content")
	w.upload("", 10)
	_, err := w.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String("bkt")})
	w.refused(err, "BucketNotEmpty")
	out, err := w.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{
		Bucket: aws.String("bkt"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{
			{Key: aws.String("k")}, {Key: aws.String("none")},
		}},
	})
	w.ok(out, err)
	if len(out.Deleted) != 2 || len(out.Errors) != 0 {
		t.Errorf("deleted: %+v", out)
	}
	w.ok(w.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String("bkt")}))
	_, err = w.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("bkt")})
	w.refused(err, "NotFound")
	if w.onDisk() != 0 {
		t.Errorf("%d files", w.onDisk())
	}
}

func TestBucketsHaveValidNamesAndPlaces(t *testing.T) {
	w := newWorld(t)
	create := func(region, name, constraint string) error {
		in := &s3.CreateBucketInput{Bucket: &name}
		if constraint != "" {
			in.CreateBucketConfiguration = &types.CreateBucketConfiguration{
				LocationConstraint: types.BucketLocationConstraint(constraint),
			}
		}
		_, err := w.CreateBucket(t.Context(), in, func(o *s3.Options) { o.Region = region })
		return err
	}
	for _, name := range []string{"ab", "Upper", "a..b", "-ab", "ab-", "10.0.0.1", "xn--ab", "ab-s3alias", "a_b"} {
		w.refused(create("us-east-1", name, ""), "InvalidBucketName")
	}
	w.ok(nil, create("us-east-1", "bkt", "")) // again
	w.ok(nil, create("us-east-1", "in-ireland", "eu-west-1"))
	w.refused(create("us-east-1", "in-ireland", "eu-west-1"), "BucketAlreadyOwnedByYou")
	w.refused(create("eu-west-1", "other", ""), "IllegalLocationConstraintException")
	w.refused(create("eu-west-1", "other", "us-west-2"), "IllegalLocationConstraintException")
	w.refused(create("us-east-1", "other", "us-east-1"), "InvalidLocationConstraint")
}

func TestLeftoversAreRemovedAtTheStart(t *testing.T) {
	w := newWorld(t)
	w.put("k", "content")
	w.upload("", 10)
	files, err := objectfile.Open(w.files, seal.NewSecret())
	w.ok(files, err)
	half, err := files.Create() // what a killed daemon leaves
	w.ok(half, err)
	if w.onDisk() != 3 {
		t.Errorf("%d files", w.onDisk())
	}
	w.ok(nil, w.api.DeleteLeftovers())
	if w.get("k") != "content" || w.onDisk() != 2 {
		t.Errorf("%q, %d files", w.get("k"), w.onDisk())
	}
	half.Discard()
}

func TestClientsLearnTheRegionToSignFor(t *testing.T) {
	w := newWorld(t)
	presigned, err := s3.NewPresignClient(w.Client, func(o *s3.PresignOptions) {
		o.ClientOptions = append(o.ClientOptions, func(o *s3.Options) { o.UsePathStyle = true })
	}).PresignHeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("bkt")})
	w.ok(nil, err)
	url, _, _ := strings.Cut(presigned.URL, "?")
	response, body := w.ask(http.MethodGet, url, http.Header{"Authorization": {
		"AWS4-HMAC-SHA256 Credential=AKIA/20260101/US/s3/aws4_request, SignedHeaders=host, Signature=x",
	}})
	if response.StatusCode != http.StatusBadRequest || response.Header.Get("X-Amz-Bucket-Region") != "us-east-1" ||
		!strings.Contains(body, "<Code>AuthorizationHeaderMalformed</Code>") ||
		!strings.Contains(body, "is wrong; expecting") ||
		!strings.Contains(body, "<Region>us-east-1</Region>") {
		t.Errorf("%s %v\n%s", response.Status, response.Header, body)
	}
}
