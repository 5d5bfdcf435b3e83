package s3

import (
	"context"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// PutBucketOwnershipControls sets who owns new objects, and with it whether the bucket has access control
// lists. The bucket's owner owns all objects here, because the lists that would name others are refused.
func (a *API) PutBucketOwnershipControls(
	ctx context.Context, in *s3.PutBucketOwnershipControlsInput,
) (*s3.PutBucketOwnershipControlsOutput, error) {
	if in.OwnershipControls == nil || len(in.OwnershipControls.Rules) != 1 {
		return nil, malformedXML()
	}
	ownership := in.OwnershipControls.Rules[0].ObjectOwnership
	if !slices.Contains(ownership.Values(), ownership) {
		return nil, malformedXML()
	}
	return &s3.PutBucketOwnershipControlsOutput{}, a.editBucket(
		ctx, in.Bucket, in.ExpectedBucketOwner, func(b *store.Bucket) error {
			b.Ownership, b.NoOwnership = storedOwnership(ownership), false
			return nil
		})
}

// storedOwnership returns an ownership as a row has it.
func storedOwnership(o types.ObjectOwnership) string {
	if o == types.ObjectOwnershipBucketOwnerEnforced {
		return ""
	}
	return string(o)
}

// ownershipOf returns the ownership of a new bucket as a row has it.
func ownershipOf(in *s3.CreateBucketInput) (string, error) {
	ownership := in.ObjectOwnership
	if ownership == "" {
		ownership = types.ObjectOwnershipBucketOwnerEnforced
	}
	if !slices.Contains(ownership.Values(), ownership) {
		return "", invalidArgument("Invalid x-amz-object-ownership header: " + string(ownership))
	}
	stored := storedOwnership(ownership)
	if stored == "" && !slices.Contains(ownersLists, string(in.ACL)) {
		return "", wire.Errorf("InvalidBucketAclWithObjectOwnership",
			"Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
	}
	return stored, checkCanned(&store.Bucket{Ownership: stored}, string(in.ACL))
}

// DeleteBucketOwnershipControls removes what PutBucketOwnershipControls and CreateBucket have set. Then the
// bucket has access control lists.
func (a *API) DeleteBucketOwnershipControls(
	ctx context.Context, in *s3.DeleteBucketOwnershipControlsInput,
) (*s3.DeleteBucketOwnershipControlsOutput, error) {
	return &s3.DeleteBucketOwnershipControlsOutput{}, a.editBucket(
		ctx, in.Bucket, in.ExpectedBucketOwner, func(b *store.Bucket) error {
			b.Ownership, b.NoOwnership = "", true
			return nil
		})
}

// GetBucketOwnershipControls returns who owns the objects of a bucket.
func (a *API) GetBucketOwnershipControls(
	ctx context.Context, in *s3.GetBucketOwnershipControlsInput,
) (*s3.GetBucketOwnershipControlsOutput, error) {
	bucket, err := findBucket(ctx, a.Store.View(), in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if bucket.NoOwnership {
		return nil, failure(http.StatusNotFound, "OwnershipControlsNotFoundError",
			"The bucket ownership controls were not found")
	}
	ownership := types.ObjectOwnershipBucketOwnerEnforced
	if bucket.Ownership != "" {
		ownership = types.ObjectOwnership(bucket.Ownership)
	}
	return &s3.GetBucketOwnershipControlsOutput{OwnershipControls: &types.OwnershipControls{
		Rules: []types.OwnershipControlsRule{{ObjectOwnership: ownership}},
	}}, nil
}
