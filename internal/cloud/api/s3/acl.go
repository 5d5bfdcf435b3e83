package s3

import (
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// grantsOf are all that an access control list here grants.
func grantsOf(owner *types.Owner) []types.Grant {
	return []types.Grant{{
		Grantee:    &types.Grantee{Type: types.TypeCanonicalUser, ID: owner.ID},
		Permission: types.PermissionFullControl,
	}}
}

// GetBucketAcl returns the access control list of a bucket, whose owner has all permissions.
func (a *API) GetBucketAcl(ctx context.Context, in *s3.GetBucketAclInput) (*s3.GetBucketAclOutput, error) {
	bucket, err := findBucket(ctx, a.Store.View(), in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	owner := canonical(bucket.Region.Account())
	return &s3.GetBucketAclOutput{Owner: owner, Grants: grantsOf(owner)}, nil
}

// GetObjectAcl returns the access control list of an object, whose owner has all permissions.
func (a *API) GetObjectAcl(ctx context.Context, in *s3.GetObjectAclInput) (*s3.GetObjectAclOutput, error) {
	if err := check(in); err != nil {
		return nil, err
	}
	view := a.Store.View()
	if _, err := findObject(ctx, view, in.Bucket, in.ExpectedBucketOwner, in.Key, in.VersionId); err != nil {
		return nil, err
	}
	owner := ownerOf(view, in.Bucket)
	return &s3.GetObjectAclOutput{Owner: owner, Grants: grantsOf(owner)}, nil
}

// aclUnsupported is the error of all requests that set access control lists of a bucket whose owner
// owns all objects, as of all buckets here (Amazon S3 User Guide, Controlling ownership of objects).
func aclUnsupported() error {
	return failure(http.StatusBadRequest, "AccessControlListNotSupported", "The bucket does not allow ACLs")
}

// PutBucketAcl refuses to set the access control list of a bucket.
func (a *API) PutBucketAcl(ctx context.Context, in *s3.PutBucketAclInput) (*s3.PutBucketAclOutput, error) {
	if err := a.has(ctx, in.Bucket, in.ExpectedBucketOwner); err != nil {
		return nil, err
	}
	return nil, aclUnsupported()
}

// PutObjectAcl refuses to set the access control list of an object.
func (a *API) PutObjectAcl(ctx context.Context, in *s3.PutObjectAclInput) (*s3.PutObjectAclOutput, error) {
	if _, err := findObject(
		ctx, a.Store.View(), in.Bucket, in.ExpectedBucketOwner, in.Key, in.VersionId,
	); err != nil {
		return nil, err
	}
	return nil, aclUnsupported()
}
