package s3

import (
	"context"
	"iter"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// initiator is the account as the initiator of uploads.
func initiator(ctx context.Context) *types.Initiator {
	return &types.Initiator{ID: canonical(wire.AccountFrom(ctx)).ID}
}

// ListParts lists the parts of an upload.
func (a *API) ListParts(ctx context.Context, in *s3.ListPartsInput) (*s3.ListPartsOutput, error) {
	if err := check(in); err != nil {
		return nil, err
	}
	view := a.Store.View()
	u, err := findUpload(ctx, view, uploadName{in.Bucket, in.ExpectedBucketOwner, in.Key, in.UploadId})
	if err != nil {
		return nil, err
	}
	size, err := pageSize(in.MaxParts, "max-parts")
	if err != nil {
		return nil, err
	}
	marker := 0
	if in.PartNumberMarker != nil {
		if marker, err = strconv.Atoi(*in.PartNumberMarker); err != nil || marker < 0 {
			return nil, invalidArgument("Argument part-number-marker must be an integer between 0 and 2147483647")
		}
	}
	out := &s3.ListPartsOutput{
		Bucket: in.Bucket, Key: in.Key, UploadId: in.UploadId, MaxParts: aws.Int32(int32(size)),
		PartNumberMarker: aws.String(strconv.Itoa(marker)), IsTruncated: aws.Bool(false),
		Owner:     ownerOf(view, in.Bucket),
		Initiator: initiator(ctx), StorageClass: types.StorageClass(classOf(u.StorageClass)),
		ChecksumAlgorithm: types.ChecksumAlgorithm(u.Algorithm), ChecksumType: checksumType(u.Composite),
	}
	for _, p := range partsOf(view, u.ID) {
		if int(p.Number) <= marker {
			continue
		}
		if len(out.Parts) == size {
			out.IsTruncated = aws.Bool(size > 0)
			break
		}
		out.Parts = append(out.Parts, describePart(p))
		out.NextPartNumberMarker = aws.String(strconv.Itoa(int(p.Number)))
	}
	return out, nil
}

func describePart(p *store.UploadPart) types.Part {
	out := types.Part{
		PartNumber: aws.Int32(p.Number), ETag: quoted(p.ETag), LastModified: aws.Time(p.Modified),
		Size: aws.Int64(p.File.Size),
	}
	describeChecksum(p.Checksum, &out.ChecksumCRC32, &out.ChecksumCRC32C, &out.ChecksumCRC64NVME,
		&out.ChecksumSHA1, &out.ChecksumSHA256)
	return out
}

// ListMultipartUploads lists the uploads of a bucket in the order of their keys.
func (a *API) ListMultipartUploads(
	ctx context.Context, in *s3.ListMultipartUploadsInput,
) (*s3.ListMultipartUploadsOutput, error) {
	q, err := a.query(ctx, listing{
		in.Bucket, in.ExpectedBucketOwner, in.Prefix, in.Delimiter, in.MaxUploads, "max-uploads", in.EncodingType,
	})
	if err != nil {
		return nil, err
	}
	// Keys of rows have the id behind the key, so that several uploads of a key are in order.
	switch {
	case in.UploadIdMarker != nil && in.KeyMarker != nil:
		q.from = rowPosition(*in.KeyMarker, *in.UploadIdMarker) + "\x00"
	case in.KeyMarker != nil:
		q.from = q.startAfterAll(*in.KeyMarker)
	}
	p := collect(q, uploadsIn(q.view, *in.Bucket))
	out := &s3.ListMultipartUploadsOutput{
		Bucket: in.Bucket, Prefix: optional(in.Prefix, q.encode), Delimiter: optional(in.Delimiter, q.encode),
		KeyMarker: q.encode(aws.ToString(in.KeyMarker)), UploadIdMarker: aws.String(aws.ToString(in.UploadIdMarker)),
		EncodingType: in.EncodingType, MaxUploads: aws.Int32(int32(q.size)),
		IsTruncated: aws.Bool(p.next != "" && q.size > 0),
	}
	owner := ownerOf(q.view, in.Bucket)
	for _, u := range p.rows {
		out.Uploads = append(out.Uploads, types.MultipartUpload{
			Key: q.encode(u.Key), UploadId: aws.String(u.ID), Initiated: aws.Time(u.Initiated), Owner: owner,
			Initiator: initiator(ctx), StorageClass: types.StorageClass(classOf(u.StorageClass)),
			ChecksumAlgorithm: types.ChecksumAlgorithm(u.Algorithm), ChecksumType: checksumType(u.Composite),
		})
	}
	for _, prefix := range p.prefixes {
		out.CommonPrefixes = append(out.CommonPrefixes, types.CommonPrefix{Prefix: q.encode(prefix)})
	}
	if *out.IsTruncated {
		key, id, _ := strings.Cut(p.last, "\x01")
		out.NextKeyMarker, out.NextUploadIdMarker = q.encode(key), aws.String(id)
	}
	return out, nil
}

// uploadsIn returns the uploads of a bucket for collect.
func uploadsIn(r store.Reader, bucket string) func(from string) iter.Seq2[string, *store.Upload] {
	return func(from string) iter.Seq2[string, *store.Upload] {
		return func(yield func(string, *store.Upload) bool) {
			for u := range store.Uploads.From(r, store.ObjectKey(bucket, from)) {
				if u.Bucket != bucket || !yield(rowPosition(u.Key, u.ID), u) {
					return
				}
			}
		}
	}
}
