package s3

import (
	"cmp"
	"context"
	"net/http"
	"net/netip"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/api/page"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// bucketName matches the names of buckets (Amazon S3 User Guide, "General purpose bucket
// naming rules").
var bucketName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]|\.[a-z0-9])*[a-z0-9]$`)

// Names that are for other kinds of buckets.
var (
	reservedPrefixes = []string{"xn--", "sthree-", "amzn-s3-demo-"}
	reservedSuffixes = []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"}
)

func checkBucketName(name string) error {
	_, addressErr := netip.ParseAddr(name)
	valid := len(name) >= 3 && len(name) <= 63 && bucketName.MatchString(name) && addressErr != nil
	for _, prefix := range reservedPrefixes {
		valid = valid && !strings.HasPrefix(name, prefix)
	}
	for _, suffix := range reservedSuffixes {
		valid = valid && !strings.HasSuffix(name, suffix)
	}
	if !valid {
		return wire.Errorf("InvalidBucketName", "The specified bucket is not valid.")
	}
	return nil
}

// defaultRegion is where buckets are whose creation names no region.
const defaultRegion = "us-east-1"

// bucketRegion returns the region for a new bucket. The endpoint of us-east-1 creates
// buckets in all regions, and others in their own.
func bucketRegion(endpoint string, constraint types.BucketLocationConstraint) (string, error) {
	switch region := string(constraint); {
	case region == defaultRegion:
		return "", wire.Errorf("InvalidLocationConstraint", "The specified location-constraint is not valid")
	case region == "" && endpoint != defaultRegion:
		return "", wire.Errorf("IllegalLocationConstraintException", "The unspecified location constraint is "+
			"incompatible for the region specific endpoint this request was sent to.")
	case region == "":
		return defaultRegion, nil
	case region == "EU":
		return "eu-west-1", nil
	case endpoint != defaultRegion && endpoint != region:
		return "", wire.Errorf("IllegalLocationConstraintException", "The %s location constraint is "+
			"incompatible for the region specific endpoint this request was sent to.", region)
	default:
		return region, nil
	}
}

// CreateBucket creates a bucket, which is private and blocks public access.
func (a *API) CreateBucket(ctx context.Context, in *s3.CreateBucketInput) (*s3.CreateBucketOutput, error) {
	name, config := aws.ToString(in.Bucket), types.CreateBucketConfiguration{}
	if in.CreateBucketConfiguration != nil {
		config = *in.CreateBucketConfiguration
	}
	if err := cmp.Or(check(in), checkBucketName(name)); err != nil {
		return nil, err
	}
	ownership, err := ownershipOf(in)
	if err != nil {
		return nil, err
	}
	if config.Location != nil || config.Bucket != nil {
		return nil, wire.NotImplemented("directory buckets")
	}
	here := wire.RegionFrom(ctx)
	location, err := bucketRegion(here.Name(), config.LocationConstraint)
	if err != nil {
		return nil, err
	}
	tags, err := mergeTags(config.Tags, constraint.MaxTags)
	if err != nil {
		return nil, err
	}
	region := identity.RegionOf(here.Account(), location)
	err = a.Store.Update(func(tx *store.Tx) error {
		switch old, exists := store.Buckets.Get(tx, name); {
		case exists && old.Region.Account() != region.Account():
			return failure(http.StatusConflict, "BucketAlreadyExists", "The requested bucket name is not available. "+
				"The bucket namespace is shared by all users of the system. Please select a different name and try "+
				"again.")
		case exists && old.Region == region && location == defaultRegion:
			return nil // as on AWS in this region alone
		case exists:
			return failure(http.StatusConflict, "BucketAlreadyOwnedByYou",
				"Your previous request to create the named bucket succeeded and you already own it.")
		}
		bucket := &store.Bucket{
			Name: name, Region: region, Created: a.now(), Tags: tags, Ownership: ownership,
			BlockPublic: &store.PublicAccessBlock{
				PublicACLs: true, IgnoredACLs: true, PublicPolicy: true, RestrictedBuckets: true,
			},
		}
		if aws.ToBool(in.ObjectLockEnabledForBucket) {
			bucket.Versioning, bucket.ObjectLock = enabled, &store.ObjectLock{}
		}
		store.Buckets.Put(tx, bucket)
		return nil
	})
	return &s3.CreateBucketOutput{Location: aws.String("/" + name), BucketArn: aws.String(bucketARN(name))}, err
}

func bucketARN(name string) string { return "arn:aws:s3:::" + name }

// HeadBucket reports whether a bucket exists, and where.
func (a *API) HeadBucket(ctx context.Context, in *s3.HeadBucketInput) (*s3.HeadBucketOutput, error) {
	bucket, err := findBucket(ctx, a.Store.View(), in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3.HeadBucketOutput{
		BucketRegion: aws.String(bucket.Region.Name()), AccessPointAlias: aws.Bool(false),
		BucketArn: aws.String(bucketARN(bucket.Name)),
	}, nil
}

// DeleteBucket deletes an empty bucket, with the uploads that nobody has completed.
func (a *API) DeleteBucket(ctx context.Context, in *s3.DeleteBucketInput) (*s3.DeleteBucketOutput, error) {
	var files []store.FileRef
	err := a.Store.Update(func(tx *store.Tx) error {
		bucket, err := findBucket(ctx, tx, in.Bucket, in.ExpectedBucketOwner)
		if err != nil {
			return err
		}
		for range versionsIn(tx, bucket.Name)("") {
			message := "The bucket you tried to delete is not empty"
			if bucket.Versioning != "" {
				message += ". You must delete all versions in the bucket."
			}
			return failure(http.StatusConflict, "BucketNotEmpty", message)
		}
		for _, u := range uploadsOf(tx, bucket.Name) {
			files = append(files, deleteUpload(tx, u)...)
		}
		store.Buckets.Delete(tx, bucket.Name)
		return nil
	})
	if err != nil {
		return nil, err
	}
	a.removeFiles(files)
	return &s3.DeleteBucketOutput{}, nil
}

const bucketToken = page.Prefix("buckets/")

const maxBuckets = 10_000

// ListBuckets lists the account's buckets in the order of their names.
func (a *API) ListBuckets(ctx context.Context, in *s3.ListBucketsInput) (*s3.ListBucketsOutput, error) {
	last, ok := bucketToken.Last(in.ContinuationToken)
	if !ok {
		return nil, invalidArgument("The continuation token provided is incorrect")
	}
	size := constraint.Default(in.MaxBuckets, maxBuckets)
	if size < 1 || size > maxBuckets {
		return nil, invalidArgument("Argument max-buckets must be an integer between 1 and 10000")
	}
	var found []*store.Bucket
	for _, b := range store.Buckets.List(a.Store.View()) {
		if b.Region.Account() == wire.AccountFrom(ctx) && strings.HasPrefix(b.Name, aws.ToString(in.Prefix)) &&
			(in.BucketRegion == nil || *in.BucketRegion == b.Region.Name()) {
			found = append(found, b)
		}
	}
	name := func(b *store.Bucket) string { return b.Name }
	found, next := page.First(bucketToken, page.After(found, last, name), int(size), name)
	out := &s3.ListBucketsOutput{
		Prefix: in.Prefix, ContinuationToken: next, Owner: canonical(wire.AccountFrom(ctx)), Buckets: []types.Bucket{},
	}
	for _, b := range found {
		out.Buckets = append(out.Buckets, types.Bucket{
			Name: aws.String(b.Name), CreationDate: aws.Time(b.Created), BucketRegion: aws.String(b.Region.Name()),
			BucketArn: aws.String(bucketARN(b.Name)),
		})
	}
	return out, nil
}

// canonical is an account as S3 names it: by a canonical id of 64 hex digits.
func canonical(account string) *types.Owner {
	return &types.Owner{ID: aws.String(strings.Repeat("0", 64-len(account)) + account)}
}

// ownerOf is the account that owns a bucket and all objects in it.
func ownerOf(r store.Reader, bucket *string) *types.Owner {
	b, ok := store.Buckets.Get(r, aws.ToString(bucket))
	if !ok {
		return nil
	}
	return canonical(b.Region.Account())
}

// GetBucketLocation returns the region of a bucket, which is empty for us-east-1.
func (a *API) GetBucketLocation(
	ctx context.Context, in *s3.GetBucketLocationInput,
) (*s3.GetBucketLocationOutput, error) {
	bucket, err := findBucket(ctx, a.Store.View(), in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	out := &s3.GetBucketLocationOutput{}
	if bucket.Region.Name() != defaultRegion {
		out.LocationConstraint = types.BucketLocationConstraint(bucket.Region.Name())
	}
	return out, nil
}
