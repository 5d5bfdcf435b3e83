package s3

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
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

// aclUnsupported is the error of requests that set access control lists of a bucket whose owner owns all
// objects (Amazon S3 User Guide, Controlling ownership of objects).
func aclUnsupported() error {
	return failure(http.StatusBadRequest, "AccessControlListNotSupported", "The bucket does not allow ACLs")
}

// The canned access control lists that give permissions to the owner of the bucket, who owns its objects too, and
// those that give some to everybody.
var (
	ownersLists = []string{"", "private", "bucket-owner-full-control", "bucket-owner-read"}
	publicLists = []string{"public-read", "public-read-write", "authenticated-read"}
)

// hasLists reports whether a bucket and its objects have access control lists.
func hasLists(b *store.Bucket) bool { return b.Ownership != "" || b.NoOwnership }

// checkCanned refuses a canned access control list that lets others than the bucket's owner in.
func checkCanned(bucket *store.Bucket, acl string) error {
	block := bucket.BlockPublic
	switch {
	case slices.Contains(ownersLists, acl):
		return nil
	case !hasLists(bucket):
		return aclUnsupported()
	case slices.Contains(publicLists, acl) && block != nil && block.PublicACLs:
		return failure(http.StatusForbidden, "AccessDenied", "Access Denied")
	}
	return wire.NotImplemented("the access control list %s", acl)
}

// checkWritable refuses an object with a canned access control list in a bucket that does not exist, or that cannot
// have the list.
func (a *API) checkWritable(ctx context.Context, bucket, owner *string, acl types.ObjectCannedACL) error {
	b, err := findBucket(ctx, a.Store.View(), bucket, owner)
	if err != nil {
		return err
	}
	return checkCanned(b, string(acl))
}

// checkList refuses an access control list, canned or spelled out, that lets others than the bucket's owner in.
func checkList(bucket *store.Bucket, canned string, list *types.AccessControlPolicy) error {
	switch {
	case !hasLists(bucket):
		return aclUnsupported()
	case list == nil && canned == "":
		return failure(http.StatusBadRequest, "MissingSecurityHeader", "Your request was missing a required header")
	case list == nil:
		return checkCanned(bucket, canned)
	case canned != "":
		return failure(http.StatusBadRequest, "UnexpectedContent", "This request does not support content")
	case list.Owner == nil || list.Owner.ID == nil:
		return malformedXML()
	}
	owner := canonical(bucket.Region.Account())
	if *list.Owner.ID != *owner.ID {
		return failure(http.StatusForbidden, "AccessDenied", "Access Denied")
	}
	return checkGrants(list.Grants, owner)
}

// checkGrants refuses grants other than the owner's.
func checkGrants(grants []types.Grant, owner *types.Owner) error {
	for _, g := range grants {
		if g.Permission != types.PermissionFullControl || g.Grantee == nil || aws.ToString(g.Grantee.ID) != *owner.ID ||
			g.Grantee.Type != "" && g.Grantee.Type != types.TypeCanonicalUser {
			return wire.NotImplemented("an access control list with other grants than the owner's FULL_CONTROL")
		}
	}
	if len(grants) == 0 {
		return wire.NotImplemented("an access control list without the owner's FULL_CONTROL")
	}
	return nil
}

// PutBucketAcl accepts the access control list that every bucket has: its owner's.
func (a *API) PutBucketAcl(ctx context.Context, in *s3.PutBucketAclInput) (*s3.PutBucketAclOutput, error) {
	bucket, err := findBucket(ctx, a.Store.View(), in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if hasLists(bucket) {
		err = check(in)
	}
	return &s3.PutBucketAclOutput{}, cmp.Or(err, checkList(bucket, string(in.ACL), in.AccessControlPolicy))
}

// PutObjectAcl accepts the access control list that every object has: its owner's.
func (a *API) PutObjectAcl(ctx context.Context, in *s3.PutObjectAclInput) (*s3.PutObjectAclOutput, error) {
	view := a.Store.View()
	if _, err := findObject(ctx, view, in.Bucket, in.ExpectedBucketOwner, in.Key, in.VersionId); err != nil {
		return nil, err
	}
	bucket, err := findBucket(ctx, view, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if hasLists(bucket) {
		err = check(in)
	}
	return &s3.PutObjectAclOutput{}, cmp.Or(err, checkList(bucket, string(in.ACL), in.AccessControlPolicy))
}
