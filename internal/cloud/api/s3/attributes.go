package s3

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"aloft.dev/aloft/internal/cloud/wire"
)

// GetObjectAttributes returns the attributes of an object that a request names.
func (a *API) GetObjectAttributes(
	ctx context.Context, in *s3.GetObjectAttributesInput,
) (*s3.GetObjectAttributesOutput, error) {
	if err := check(in); err != nil {
		return nil, err
	}
	if len(in.ObjectAttributes) == 0 {
		return nil, wire.Errorf("InvalidRequest", "The x-amz-object-attributes header specifying the attributes to be "+
			"retrieved is either missing or empty")
	}
	for _, name := range in.ObjectAttributes {
		if !slices.Contains(name.Values(), name) {
			return nil, invalidArgument("Invalid attribute name specified.")
		}
	}
	view := a.Store.View()
	o, err := findObject(ctx, view, in.Bucket, in.ExpectedBucketOwner, in.Key, in.VersionId)
	if err != nil {
		return nil, err
	}
	wants := func(name types.ObjectAttributes) bool { return slices.Contains(in.ObjectAttributes, name) }
	out := &s3.GetObjectAttributesOutput{LastModified: aws.Time(o.Modified), VersionId: versionID(view, o)}
	if wants(types.ObjectAttributesEtag) {
		out.ETag = &o.ETag
	}
	if wants(types.ObjectAttributesObjectSize) {
		out.ObjectSize = &o.Size
	}
	if wants(types.ObjectAttributesStorageClass) {
		out.StorageClass = types.StorageClass(classOf(o.StorageClass))
	}
	if wants(types.ObjectAttributesChecksum) && o.Checksum.Algorithm != "" {
		sums := &types.Checksum{ChecksumType: checksumType(o.Checksum.Composite)}
		describeChecksum(o.Checksum, &sums.ChecksumCRC32, &sums.ChecksumCRC32C, &sums.ChecksumCRC64NVME,
			&sums.ChecksumSHA1, &sums.ChecksumSHA256)
		out.Checksum = sums
	}
	if wants(types.ObjectAttributesObjectParts) && o.Multipart {
		if o.Checksum.Composite {
			return nil, wire.NotImplemented("the attribute ObjectParts of objects with a checksum of each part")
		}
		out.ObjectParts = &types.GetObjectAttributesParts{TotalPartsCount: aws.Int32(int32(len(o.Files)))}
	}
	return out, nil
}
