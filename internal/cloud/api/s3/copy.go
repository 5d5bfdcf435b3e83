package s3

import (
	"context"
	"encoding/base64"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"aloft.dev/aloft/internal/cloud/checksum"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// placeOf returns where the object of a source is.
func placeOf(s source) (place, error) {
	from, ok := wire.ParseCopySource(aws.ToString(s.from))
	if !ok {
		return place{}, invalidArgument("Invalid copy source object key")
	}
	return place{bucket: &from.Bucket, owner: s.owner, key: &from.Key, version: from.Version}, nil
}

// source is where a copy comes from.
type source struct {
	from, owner, match, noneMatch  *string
	modifiedSince, unmodifiedSince *time.Time
}

// with calls do with the object that is copied, and returns the id of its version.
func (a *API) with(ctx context.Context, s source, do func(o *store.Object) error) (version *string, err error) {
	at, err := placeOf(s)
	if err != nil {
		return nil, err
	}
	return version, a.withObject(ctx, at, func(r store.Reader, o *store.Object) error {
		version = versionID(r, o)
		q := question{
			match: s.match, noneMatch: s.noneMatch, modifiedSince: s.modifiedSince, unmodifiedSince: s.unmodifiedSince,
		}
		if err := q.check(o); err != nil {
			return preconditionFailed() // also where a read would say that nothing is modified
		}
		return do(o)
	})
}

// CopyObject copies an object of up to 5 GiB.
func (a *API) CopyObject(ctx context.Context, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	if err := check(in); err != nil {
		return nil, err
	}
	if err := a.checkWritable(ctx, in.Bucket, in.ExpectedBucketOwner, in.ACL); err != nil {
		return nil, err
	}
	from := source{
		in.CopySource, in.ExpectedSourceBucketOwner, in.CopySourceIfMatch, in.CopySourceIfNoneMatch,
		in.CopySourceIfModifiedSince, in.CopySourceIfUnmodifiedSince,
	}
	protection, err := a.protection(in.ObjectLockMode, in.ObjectLockRetainUntilDate, in.ObjectLockLegalHoldStatus)
	if err != nil {
		return nil, err
	}
	copied := &store.Object{
		Bucket: *in.Bucket, Key: *in.Key, StorageClass: storedClass(in.StorageClass), Protection: protection,
	}
	version, err := a.with(ctx, from, func(o *store.Object) error { return a.copyTo(copied, o, in) })
	if err != nil {
		return nil, err
	}
	when := condition{in.IfMatch, in.IfNoneMatch}
	if err := a.put(ctx, "Copy", copied, in.ExpectedBucketOwner, when, nil); err != nil {
		a.removeFiles(copied.Files)
		return nil, err
	}
	out := &types.CopyObjectResult{
		ETag: quoted(copied.ETag), LastModified: aws.Time(copied.Modified),
		ChecksumType: checksumType(copied.Checksum.Composite),
	}
	describeChecksum(copied.Checksum, &out.ChecksumCRC32, &out.ChecksumCRC32C, &out.ChecksumCRC64NVME,
		&out.ChecksumSHA1, &out.ChecksumSHA256)
	return &s3.CopyObjectOutput{
		CopyObjectResult: out, ServerSideEncryption: types.ServerSideEncryptionAes256,
		Expiration: describeExpiry(a.Store.View(), copied), VersionId: newVersionID(copied),
		CopySourceVersionId: version,
	}, nil
}

// copyTo makes an object a copy of another.
func (a *API) copyTo(copied, o *store.Object, in *s3.CopyObjectInput) (err error) {
	switch {
	case o.Size > maxContent:
		return wire.Errorf("InvalidRequest",
			"The specified copy source is larger than the maximum allowable size for a copy source: 5368709120")
	case o.Bucket == copied.Bucket && o.Key == copied.Key && o.Superseded.IsZero() &&
		in.MetadataDirective != types.MetadataDirectiveReplace && copied.StorageClass == o.StorageClass:
		return wire.Errorf("InvalidRequest", "This copy request is illegal because it is trying to copy an object to "+
			"itself without changing the object's metadata, storage class, website redirect location or encryption "+
			"attributes.")
	}
	if copied.Headers, err = copiedHeaders(o.Headers, in); err != nil {
		return err
	}
	algorithm := checksum.Algorithm(o.Checksum.Algorithm)
	if in.ChecksumAlgorithm != "" {
		if algorithm, err = checksum.Parse(string(in.ChecksumAlgorithm)); err != nil {
			return wire.ChecksumError(err)
		}
	}
	copied.Modified, copied.Size = a.now(), o.Size
	if len(o.Files) == 1 && !o.Multipart && string(algorithm) == o.Checksum.Algorithm {
		id, err := a.Files.Link(o.Files[0].ID)
		if err != nil {
			return err
		}
		copied.Files = []store.FileRef{{ID: id, Size: o.Size}}
		copied.ETag, copied.Checksum = o.ETag, o.Checksum
		return nil
	}
	c, err := a.rewrite(o, extent{0, o.Size}, algorithm)
	if err != nil {
		return err
	}
	copied.Files, copied.ETag, copied.Checksum = []store.FileRef{c.file}, c.etag(), c.checksum
	return nil
}

// rewrite writes a range of an object to a file.
func (a *API) rewrite(o *store.Object, e extent, algorithm checksum.Algorithm) (*content, error) {
	from, err := a.open(o, e)
	if err != nil {
		return nil, err
	}
	defer func() { _ = from.Close() }()
	sums, err := checksum.Claimed(func(string) string { return "" })
	if err != nil {
		return nil, err
	}
	if algorithm == "" {
		algorithm = checksum.CRC64NVME
	}
	sums.Use(algorithm)
	return a.write(from, sums)
}

// copiedHeaders returns the headers of a copy, which has those of its source unless the
// client replaces them.
func copiedHeaders(old store.ObjectHeaders, in *s3.CopyObjectInput) (store.ObjectHeaders, error) {
	h := old
	var err error
	if in.MetadataDirective == types.MetadataDirectiveReplace {
		h, err = headersOf(store.ObjectHeaders{
			ContentType: aws.ToString(in.ContentType), ContentEncoding: aws.ToString(in.ContentEncoding),
			ContentDisposition: aws.ToString(in.ContentDisposition), ContentLanguage: aws.ToString(in.ContentLanguage),
			CacheControl: aws.ToString(in.CacheControl), Metadata: in.Metadata,
		}, in.Expires, nil)
		if err != nil {
			return h, err
		}
	}
	h.Tags = old.Tags
	if in.TaggingDirective == types.TaggingDirectiveReplace {
		replaced, err := headersOf(store.ObjectHeaders{}, nil, in.Tagging)
		if err != nil {
			return h, err
		}
		h.Tags = replaced.Tags
	}
	return h, nil
}

// UploadPartCopy uploads a part that is a range of an object.
func (a *API) UploadPartCopy(ctx context.Context, in *s3.UploadPartCopyInput) (*s3.UploadPartCopyOutput, error) {
	name := uploadName{in.Bucket, in.ExpectedBucketOwner, in.Key, in.UploadId}
	upload, err := a.uploadForPart(ctx, in, name, in.PartNumber)
	if err != nil {
		return nil, err
	}
	from := source{
		in.CopySource, in.ExpectedSourceBucketOwner, in.CopySourceIfMatch, in.CopySourceIfNoneMatch,
		in.CopySourceIfModifiedSince, in.CopySourceIfUnmodifiedSince,
	}
	var c *content
	version, err := a.with(ctx, from, func(o *store.Object) error {
		e := extent{0, o.Size}
		if in.CopySourceRange != nil {
			found, ok, err := parseRange(*in.CopySourceRange, o.Size)
			if err != nil || !ok {
				return invalidArgument("The x-amz-copy-source-range value must be of the form bytes=first-last where " +
					"first and last are the zero-based offsets of the first and last bytes to copy")
			}
			e = found
		}
		if e.length > maxContent {
			return tooLarge()
		}
		var err error
		c, err = a.rewrite(o, e, checksum.Algorithm(upload.Algorithm))
		return err
	})
	if err != nil {
		return nil, err
	}
	part, err := a.putPart(upload, *in.PartNumber, c)
	if err != nil {
		return nil, err
	}
	out := &types.CopyPartResult{ETag: quoted(part.ETag), LastModified: aws.Time(part.Modified)}
	describeChecksum(part.Checksum, &out.ChecksumCRC32, &out.ChecksumCRC32C, &out.ChecksumCRC64NVME,
		&out.ChecksumSHA1, &out.ChecksumSHA256)
	return &s3.UploadPartCopyOutput{
		CopyPartResult: out, ServerSideEncryption: types.ServerSideEncryptionAes256, CopySourceVersionId: version,
	}, nil
}

// decoded returns a checksum's bytes.
func decoded(c store.Checksum) []byte {
	sum, _ := base64.StdEncoding.DecodeString(c.Value) // encoded by write
	return sum
}
