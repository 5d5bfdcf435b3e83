package s3

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// soleVersion is the version of all objects of a bucket without versioning.
const soleVersion = "null"

// ListObjectVersions lists the objects of a bucket. Each has the one version that it has without
// versioning.
func (a *API) ListObjectVersions(
	ctx context.Context, in *s3.ListObjectVersionsInput,
) (*s3.ListObjectVersionsOutput, error) {
	q, err := a.query(ctx, listing{
		in.Bucket, in.ExpectedBucketOwner, in.Prefix, in.Delimiter, in.MaxKeys, "max-keys", in.EncodingType,
	})
	if err != nil {
		return nil, err
	}
	if aws.ToString(in.VersionIdMarker) != "" && aws.ToString(in.KeyMarker) == "" {
		return nil, invalidArgument("A version-id marker cannot be specified without a key marker.")
	}
	q.from = q.startAfter(aws.ToString(in.KeyMarker))
	p := collect(q, objectsIn(q.view, *in.Bucket))
	out := &s3.ListObjectVersionsOutput{
		Name: in.Bucket, Prefix: q.encode(q.prefix), Delimiter: optional(in.Delimiter, q.encode),
		KeyMarker: q.encode(aws.ToString(in.KeyMarker)), VersionIdMarker: aws.String(aws.ToString(in.VersionIdMarker)),
		EncodingType: in.EncodingType, MaxKeys: aws.Int32(int32(q.size)),
		IsTruncated: aws.Bool(p.next != "" && q.size > 0),
	}
	if *out.IsTruncated {
		out.NextKeyMarker = q.encode(p.last)
		if len(p.rows) > 0 && p.rows[len(p.rows)-1].Key == p.last {
			out.NextVersionIdMarker = aws.String(soleVersion)
		}
	}
	objects, prefixes := describeList(p, q.encode, owner(ctx))
	out.CommonPrefixes = prefixes
	for _, o := range objects {
		out.Versions = append(out.Versions, types.ObjectVersion{
			Key: o.Key, VersionId: aws.String(soleVersion), IsLatest: aws.Bool(true), ETag: o.ETag,
			LastModified: o.LastModified, Size: o.Size, Owner: o.Owner,
			StorageClass: types.ObjectVersionStorageClassStandard, ChecksumType: o.ChecksumType,
			ChecksumAlgorithm: o.ChecksumAlgorithm,
		})
	}
	return out, nil
}
