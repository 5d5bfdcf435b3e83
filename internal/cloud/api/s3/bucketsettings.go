package s3

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/bucketpolicy"
	"aloft.dev/aloft/internal/cloud/resourcepolicy"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// mergeTags returns the tags of a request, up to a limit.
func mergeTags(set []types.Tag, most int) (store.Tags, error) {
	tags, err := constraint.MergeTags(tagRules, nil, set, func(t types.Tag) (key, value *string) {
		return t.Key, t.Value
	})
	switch {
	case err != nil:
		return nil, err
	case len(tags) < len(set):
		return nil, wire.Errorf("InvalidTag", "Cannot provide multiple Tags with the same key")
	case len(tags) > most:
		return nil, wire.Errorf("BadRequest", "Object tags cannot be greater than %d", most)
	}
	return tags, nil
}

func describeTags(tags store.Tags) []types.Tag {
	out := []types.Tag{}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return out
}

// PutBucketTagging replaces the tags of a bucket.
func (a *API) PutBucketTagging(
	ctx context.Context, in *s3.PutBucketTaggingInput,
) (*s3.PutBucketTaggingOutput, error) {
	if in.Tagging == nil {
		return nil, malformedXML()
	}
	tags, err := mergeTags(in.Tagging.TagSet, constraint.MaxTags)
	if err != nil {
		return nil, err
	}
	return &s3.PutBucketTaggingOutput{}, a.editBucket(
		ctx, in.Bucket, in.ExpectedBucketOwner, func(b *store.Bucket) error {
			b.Tags = tags
			return nil
		})
}

// GetBucketTagging returns the tags of a bucket.
func (a *API) GetBucketTagging(
	ctx context.Context, in *s3.GetBucketTaggingInput,
) (*s3.GetBucketTaggingOutput, error) {
	bucket, err := findBucket(ctx, a.Store.View(), in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if len(bucket.Tags) == 0 {
		return nil, failure(http.StatusNotFound, "NoSuchTagSet", "The TagSet does not exist")
	}
	return &s3.GetBucketTaggingOutput{TagSet: describeTags(bucket.Tags)}, nil
}

// DeleteBucketTagging removes the tags of a bucket.
func (a *API) DeleteBucketTagging(
	ctx context.Context, in *s3.DeleteBucketTaggingInput,
) (*s3.DeleteBucketTaggingOutput, error) {
	return &s3.DeleteBucketTaggingOutput{}, a.editBucket(
		ctx, in.Bucket, in.ExpectedBucketOwner, func(b *store.Bucket) error {
			b.Tags = nil
			return nil
		})
}

// maxPolicy is the size of the largest policy of a bucket, in bytes.
const maxPolicy = 20 << 10

// PutBucketPolicy replaces the policy of a bucket.
func (a *API) PutBucketPolicy(ctx context.Context, in *s3.PutBucketPolicyInput) (*s3.PutBucketPolicyOutput, error) {
	text := aws.ToString(in.Policy)
	if len(text) > maxPolicy {
		return nil, wire.Errorf("PolicyTooLarge", "Normalized Policy Document exceeds the maximum allowed size")
	}
	return &s3.PutBucketPolicyOutput{}, a.editBucket(
		ctx, in.Bucket, in.ExpectedBucketOwner, func(b *store.Bucket) error {
			if err := checkOwned(ctx, b); err != nil {
				return err
			}
			policy, err := bucketpolicy.Parse(b.Name, text)
			if err != nil {
				return policyError(b, err)
			}
			b.Policy = text
			return resourcepolicy.Check(policy.Document())
		})
}

// policyError returns S3's error for a policy that a bucket cannot have.
func policyError(b *store.Bucket, err error) error {
	if _, ok := errors.AsType[*bucketpolicy.PublicError](err); ok {
		if b.BlockPublic == nil || !b.BlockPublic.PublicPolicy {
			return wire.NotImplemented("bucket policies for everybody")
		}
		return failure(http.StatusForbidden, "AccessDenied", "User is not authorized to perform: s3:PutBucketPolicy "+
			"on resource: \""+bucketARN(b.Name)+"\" because public policies are prevented by the BlockPublicPolicy "+
			"setting in S3 Block Public Access.")
	}
	return wire.Errorf("MalformedPolicy", "%v", err)
}

// checkOwned refuses what no policy lets other accounts do: about the policy of a bucket (Amazon S3 API Reference,
// PutBucketPolicy).
func checkOwned(ctx context.Context, b *store.Bucket) error {
	if b.Region.Account() == wire.AccountFrom(ctx) {
		return nil
	}
	return failure(http.StatusMethodNotAllowed, "MethodNotAllowed",
		"The specified method is not allowed against this resource.")
}

// GetBucketPolicy returns the policy of a bucket.
func (a *API) GetBucketPolicy(ctx context.Context, in *s3.GetBucketPolicyInput) (*s3.GetBucketPolicyOutput, error) {
	bucket, err := findBucket(ctx, a.Store.View(), in.Bucket, in.ExpectedBucketOwner)
	if err == nil {
		err = checkOwned(ctx, bucket)
	}
	if err != nil {
		return nil, err
	}
	if bucket.Policy == "" {
		return nil, failure(http.StatusNotFound, "NoSuchBucketPolicy", "The bucket policy does not exist")
	}
	return &s3.GetBucketPolicyOutput{Policy: aws.String(bucket.Policy)}, nil
}

// DeleteBucketPolicy removes the policy of a bucket.
func (a *API) DeleteBucketPolicy(
	ctx context.Context, in *s3.DeleteBucketPolicyInput,
) (*s3.DeleteBucketPolicyOutput, error) {
	return &s3.DeleteBucketPolicyOutput{}, a.editBucket(
		ctx, in.Bucket, in.ExpectedBucketOwner, func(b *store.Bucket) error {
			b.Policy = ""
			return checkOwned(ctx, b)
		})
}

// PutPublicAccessBlock says what of a bucket cannot be public. Here nothing can be.
func (a *API) PutPublicAccessBlock(
	ctx context.Context, in *s3.PutPublicAccessBlockInput,
) (*s3.PutPublicAccessBlockOutput, error) {
	c := in.PublicAccessBlockConfiguration
	if c == nil {
		return nil, malformedXML()
	}
	block := &store.PublicAccessBlock{
		PublicACLs: aws.ToBool(c.BlockPublicAcls), IgnoredACLs: aws.ToBool(c.IgnorePublicAcls),
		PublicPolicy: aws.ToBool(c.BlockPublicPolicy), RestrictedBuckets: aws.ToBool(c.RestrictPublicBuckets),
	}
	return &s3.PutPublicAccessBlockOutput{}, a.editBucket(
		ctx, in.Bucket, in.ExpectedBucketOwner, func(b *store.Bucket) error {
			b.BlockPublic = block
			return nil
		})
}

// GetPublicAccessBlock returns what of a bucket cannot be public.
func (a *API) GetPublicAccessBlock(
	ctx context.Context, in *s3.GetPublicAccessBlockInput,
) (*s3.GetPublicAccessBlockOutput, error) {
	bucket, err := findBucket(ctx, a.Store.View(), in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	block := bucket.BlockPublic
	if block == nil {
		return nil, failure(http.StatusNotFound, "NoSuchPublicAccessBlockConfiguration",
			"The public access block configuration was not found")
	}
	return &s3.GetPublicAccessBlockOutput{PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
		BlockPublicAcls: &block.PublicACLs, IgnorePublicAcls: &block.IgnoredACLs,
		BlockPublicPolicy: &block.PublicPolicy, RestrictPublicBuckets: &block.RestrictedBuckets,
	}}, nil
}

// DeletePublicAccessBlock removes what PutPublicAccessBlock has set.
func (a *API) DeletePublicAccessBlock(
	ctx context.Context, in *s3.DeletePublicAccessBlockInput,
) (*s3.DeletePublicAccessBlockOutput, error) {
	return &s3.DeletePublicAccessBlockOutput{}, a.editBucket(
		ctx, in.Bucket, in.ExpectedBucketOwner, func(b *store.Bucket) error {
			b.BlockPublic = nil
			return nil
		})
}

// PutBucketEncryption accepts the encryption that all objects have: with S3's own keys.
func (a *API) PutBucketEncryption(
	ctx context.Context, in *s3.PutBucketEncryptionInput,
) (*s3.PutBucketEncryptionOutput, error) {
	if in.ServerSideEncryptionConfiguration == nil || len(in.ServerSideEncryptionConfiguration.Rules) != 1 {
		return nil, malformedXML()
	}
	rule := in.ServerSideEncryptionConfiguration.Rules[0]
	switch by := rule.ApplyServerSideEncryptionByDefault; {
	case rule.BlockedEncryptionTypes != nil:
		return nil, wire.NotImplemented("blocked types of encryption")
	case by == nil:
		return nil, malformedXML()
	case by.SSEAlgorithm == types.ServerSideEncryptionAes256 && by.KMSMasterKeyID != nil:
		return nil, invalidArgument("a KMSMasterKeyID is not applicable if the default sse algorithm is not " +
			"aws:kms or aws:kms:dsse")
	case by.SSEAlgorithm != types.ServerSideEncryptionAes256:
		return nil, wire.NotImplemented("encryption of objects with AWS KMS keys")
	}
	return &s3.PutBucketEncryptionOutput{}, a.editBucket(
		ctx, in.Bucket, in.ExpectedBucketOwner, func(b *store.Bucket) error {
			b.BucketKeys = aws.ToBool(rule.BucketKeyEnabled)
			return nil
		})
}

// GetBucketEncryption returns how new objects are encrypted.
func (a *API) GetBucketEncryption(
	ctx context.Context, in *s3.GetBucketEncryptionInput,
) (*s3.GetBucketEncryptionOutput, error) {
	bucket, err := findBucket(ctx, a.Store.View(), in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketEncryptionOutput{
		ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
			Rules: []types.ServerSideEncryptionRule{{
				ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{
					SSEAlgorithm: types.ServerSideEncryptionAes256,
				},
				BucketKeyEnabled: aws.Bool(bucket.BucketKeys),
			}},
		},
	}, nil
}

// DeleteBucketEncryption resets the encryption of new objects, which they always have.
func (a *API) DeleteBucketEncryption(
	ctx context.Context, in *s3.DeleteBucketEncryptionInput,
) (*s3.DeleteBucketEncryptionOutput, error) {
	return &s3.DeleteBucketEncryptionOutput{}, a.editBucket(
		ctx, in.Bucket, in.ExpectedBucketOwner, func(b *store.Bucket) error {
			b.BucketKeys = false
			return nil
		})
}
