package s3

import (
	"context"
	"crypto/md5" //nolint:gosec // ETags
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"aloft.dev/aloft/internal/cloud/checksum"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of multipart uploads (Amazon S3 User Guide, "Amazon S3 multipart upload limits").
const (
	maxParts    = 10_000
	minPartSize = 5 << 20  // of all parts but the last
	maxObject   = 50 << 40 // of the object
)

func noSuchUpload() error {
	return failure(http.StatusNotFound, "NoSuchUpload", "The specified upload does not exist. The upload ID may be "+
		"invalid, or the upload may have been aborted or completed.")
}

// uploadsOf returns the uploads of a bucket in the order of their keys.
func uploadsOf(r store.Reader, bucket string) (found []*store.Upload) {
	for u := range store.Uploads.From(r, store.ObjectKey(bucket, "")) {
		if u.Bucket != bucket {
			break
		}
		found = append(found, u)
	}
	return found
}

// partsOf returns the parts of an upload in order.
func partsOf(r store.Reader, upload string) (found []*store.UploadPart) {
	for p := range store.UploadParts.From(r, store.UploadPartKey(upload, 0)) {
		if p.UploadID != upload {
			break
		}
		found = append(found, p)
	}
	return found
}

// deleteUpload deletes an upload with its parts, whose files it returns.
func deleteUpload(tx *store.Tx, u *store.Upload) (files []store.FileRef) {
	for _, p := range partsOf(tx, u.ID) {
		files = append(files, p.File)
		store.UploadParts.Delete(tx, store.UploadPartKey(u.ID, p.Number))
	}
	store.Uploads.Delete(tx, store.UploadKey(u.Bucket, u.Key, u.ID))
	return files
}

// uploadName is how a request names an upload.
type uploadName struct{ bucket, owner, key, id *string }

func findUpload(ctx context.Context, r store.Reader, name uploadName) (*store.Upload, error) {
	b, err := findBucket(ctx, r, name.bucket, name.owner)
	if err != nil {
		return nil, err
	}
	u, ok := store.Uploads.Get(r, store.UploadKey(b.Name, aws.ToString(name.key), aws.ToString(name.id)))
	if !ok {
		return nil, noSuchUpload()
	}
	return u, nil
}

// CreateMultipartUpload begins an upload.
func (a *API) CreateMultipartUpload(
	ctx context.Context, in *s3.CreateMultipartUploadInput,
) (*s3.CreateMultipartUploadOutput, error) {
	if err := check(in); err != nil {
		return nil, err
	}
	headers, err := headersOf(store.ObjectHeaders{
		ContentType: aws.ToString(in.ContentType), ContentEncoding: aws.ToString(in.ContentEncoding),
		ContentDisposition: aws.ToString(in.ContentDisposition), ContentLanguage: aws.ToString(in.ContentLanguage),
		CacheControl: aws.ToString(in.CacheControl), Metadata: in.Metadata,
	}, in.Expires, in.Tagging)
	if err != nil {
		return nil, err
	}
	protection, err := a.protection(in.ObjectLockMode, in.ObjectLockRetainUntilDate, in.ObjectLockLegalHoldStatus)
	if err != nil {
		return nil, err
	}
	u := &store.Upload{
		ID: a.ids.Hex(64), Bucket: aws.ToString(in.Bucket), Key: *in.Key, Initiated: a.now(), Headers: headers,
		StorageClass: storedClass(in.StorageClass), Protection: protection,
	}
	if err := chooseChecksum(u, in); err != nil {
		return nil, err
	}
	err = a.Store.Update(func(tx *store.Tx) error {
		bucket, err := findBucket(ctx, tx, in.Bucket, in.ExpectedBucketOwner)
		if err == nil {
			err = checkCanned(bucket, string(in.ACL))
		}
		if err != nil {
			return err
		}
		store.Uploads.Put(tx, u)
		return protect(bucket, &store.Object{Protection: protection})
	})
	out := &s3.CreateMultipartUploadOutput{
		Bucket: in.Bucket, Key: in.Key, UploadId: aws.String(u.ID),
		ServerSideEncryption: types.ServerSideEncryptionAes256,
	}
	if in.ChecksumAlgorithm != "" {
		out.ChecksumAlgorithm, out.ChecksumType = types.ChecksumAlgorithm(u.Algorithm), checksumType(u.Composite)
	}
	return out, err
}

// chooseChecksum decides which checksum the object will have. Without a choice of the client
// it is the one that S3 adds.
func chooseChecksum(u *store.Upload, in *s3.CreateMultipartUploadInput) error {
	if in.ChecksumAlgorithm == "" {
		if in.ChecksumType != "" {
			return wire.Errorf("InvalidRequest",
				"The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
		}
		u.Algorithm = string(checksum.CRC64NVME)
		return nil
	}
	algorithm, err := checksum.Parse(string(in.ChecksumAlgorithm))
	if err != nil {
		return wire.ChecksumError(err)
	}
	composite := in.ChecksumType == types.ChecksumTypeComposite ||
		in.ChecksumType == "" && algorithm != checksum.CRC64NVME
	if composite && algorithm == checksum.CRC64NVME || !composite && !algorithm.Combines() {
		return wire.Errorf("InvalidRequest", "The %s checksum type cannot be used with the %s checksum algorithm.",
			checksumType(composite), strings.ToLower(string(algorithm)))
	}
	u.Algorithm, u.Composite = string(algorithm), composite
	return nil
}

// uploadForPart checks a request for a part and returns its upload.
func (a *API) uploadForPart(ctx context.Context, in any, name uploadName, number *int32) (*store.Upload, error) {
	if err := check(in); err != nil {
		return nil, err
	}
	if n := aws.ToInt32(number); n < 1 || n > maxParts {
		return nil, invalidArgument("Part number must be an integer between 1 and 10000, inclusive")
	}
	return findUpload(ctx, a.Store.View(), name)
}

// putPart adds a part to an upload, in place of an earlier one with its number.
func (a *API) putPart(u *store.Upload, number int32, c *content) (*store.UploadPart, error) {
	part := &store.UploadPart{
		UploadID: u.ID, Number: number, File: c.file, ETag: c.etag(), Checksum: c.checksum, Modified: a.now(),
	}
	var replaced []store.FileRef
	err := a.Store.Update(func(tx *store.Tx) error {
		if _, ok := store.Uploads.Get(tx, store.UploadKey(u.Bucket, u.Key, u.ID)); !ok {
			return noSuchUpload()
		}
		if old, ok := store.UploadParts.Get(tx, store.UploadPartKey(u.ID, number)); ok {
			replaced = append(replaced, old.File)
		}
		store.UploadParts.Put(tx, part)
		return nil
	})
	if err != nil {
		a.removeFiles([]store.FileRef{c.file})
		return nil, err
	}
	a.removeFiles(replaced)
	return part, nil
}

// UploadPart uploads a part.
func (a *API) UploadPart(ctx context.Context, in *s3.UploadPartInput) (*s3.UploadPartOutput, error) {
	name := uploadName{in.Bucket, in.ExpectedBucketOwner, in.Key, in.UploadId}
	upload, err := a.uploadForPart(ctx, in, name, in.PartNumber)
	if err != nil {
		return nil, err
	}
	c, err := a.receive(in.Body, checksum.Algorithm(upload.Algorithm))
	if err != nil {
		return nil, err
	}
	if c.checksum.Algorithm != upload.Algorithm {
		a.removeFiles([]store.FileRef{c.file})
		return nil, wire.Errorf("InvalidRequest", "Checksum Type mismatch occurred, expected checksum Type: %s, "+
			"actual checksum Type: %s", strings.ToLower(upload.Algorithm), strings.ToLower(c.checksum.Algorithm))
	}
	part, err := a.putPart(upload, *in.PartNumber, c)
	if err != nil {
		return nil, err
	}
	out := &s3.UploadPartOutput{ETag: quoted(part.ETag), ServerSideEncryption: types.ServerSideEncryptionAes256}
	describeChecksum(part.Checksum, &out.ChecksumCRC32, &out.ChecksumCRC32C, &out.ChecksumCRC64NVME,
		&out.ChecksumSHA1, &out.ChecksumSHA256)
	return out, nil
}

// CompleteMultipartUpload makes the parts of an upload an object, without copying them.
func (a *API) CompleteMultipartUpload(
	ctx context.Context, in *s3.CompleteMultipartUploadInput,
) (*s3.CompleteMultipartUploadOutput, error) {
	if err := check(in); err != nil {
		return nil, err
	}
	if in.MultipartUpload == nil || len(in.MultipartUpload.Parts) == 0 {
		return nil, malformedXML()
	}
	view := a.Store.View()
	u, err := findUpload(ctx, view, uploadName{in.Bucket, in.ExpectedBucketOwner, in.Key, in.UploadId})
	if err != nil {
		return nil, err
	}
	parts, err := chosenParts(view, u, in.MultipartUpload.Parts)
	if err != nil {
		return nil, err
	}
	o := a.assemble(u, parts)
	if err := checkWhole(o, in); err != nil {
		return nil, err
	}
	var unused []store.FileRef
	when := condition{in.IfMatch, in.IfNoneMatch}
	err = a.put(ctx, "CompleteMultipartUpload", o, in.ExpectedBucketOwner, when, func(tx *store.Tx) error {
		if _, ok := store.Uploads.Get(tx, store.UploadKey(u.Bucket, u.Key, u.ID)); !ok {
			return noSuchUpload()
		}
		for _, p := range parts { // one may have been replaced meanwhile
			if now, ok := store.UploadParts.Get(tx, store.UploadPartKey(u.ID, p.Number)); !ok || now.File != p.File {
				return invalidPart()
			}
		}
		unused = deleteUpload(tx, u)
		return nil
	})
	if err != nil {
		return nil, err
	}
	a.removeFiles(without(unused, o.Files))
	out := &s3.CompleteMultipartUploadOutput{
		Bucket: in.Bucket, Key: in.Key, ETag: quoted(o.ETag), Location: aws.String("/" + o.Bucket + "/" + o.Key),
		ServerSideEncryption: types.ServerSideEncryptionAes256, ChecksumType: checksumType(o.Checksum.Composite),
		Expiration: describeExpiry(a.Store.View(), o), VersionId: newVersionID(o),
	}
	describeChecksum(o.Checksum, &out.ChecksumCRC32, &out.ChecksumCRC32C, &out.ChecksumCRC64NVME,
		&out.ChecksumSHA1, &out.ChecksumSHA256)
	return out, nil
}

// without returns the files that are not among others.
func without(files, others []store.FileRef) (rest []store.FileRef) {
	used := map[string]bool{}
	for _, f := range others {
		used[f.ID] = true
	}
	for _, f := range files {
		if !used[f.ID] {
			rest = append(rest, f)
		}
	}
	return rest
}

func invalidPart() error {
	return wire.Errorf("InvalidPart", "One or more of the specified parts could not be found.  The part may not have "+
		"been uploaded, or the specified entity tag may not match the part's entity tag.")
}

// chosenParts returns the parts that a client lists.
func chosenParts(r store.Reader, u *store.Upload, list []types.CompletedPart) (parts []*store.UploadPart, err error) {
	number := func(p types.CompletedPart) int32 { return aws.ToInt32(p.PartNumber) }
	for i := range list[1:] {
		if number(list[i]) >= number(list[i+1]) {
			return nil, wire.Errorf("InvalidPartOrder", "The list of parts was not in ascending order. "+
				"Parts must be ordered by part number.")
		}
	}
	for i, given := range list {
		if err := check(given); err != nil {
			return nil, err
		}
		p, ok := store.UploadParts.Get(r, store.UploadPartKey(u.ID, number(given)))
		if !ok || !sameETag(aws.ToString(given.ETag), p.ETag) || !sameChecksum(given, p.Checksum) {
			return nil, invalidPart()
		}
		if i < len(list)-1 && p.File.Size < minPartSize {
			return nil, wire.Errorf("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// sameChecksum reports whether the checksum that a client lists for a part, if any, is the
// part's.
func sameChecksum(given types.CompletedPart, c store.Checksum) bool {
	var want types.CompletedPart
	describeChecksum(c, &want.ChecksumCRC32, &want.ChecksumCRC32C, &want.ChecksumCRC64NVME,
		&want.ChecksumSHA1, &want.ChecksumSHA256)
	same := func(given, want *string) bool { return given == nil || want != nil && *given == *want }
	return same(given.ChecksumCRC32, want.ChecksumCRC32) && same(given.ChecksumCRC32C, want.ChecksumCRC32C) &&
		same(given.ChecksumCRC64NVME, want.ChecksumCRC64NVME) && same(given.ChecksumSHA1, want.ChecksumSHA1) &&
		same(given.ChecksumSHA256, want.ChecksumSHA256)
}

// assemble returns the object that consists of parts. Its ETag is the MD5 of those of the
// parts, with their number.
func (a *API) assemble(u *store.Upload, parts []*store.UploadPart) *store.Object {
	o := &store.Object{
		Bucket: u.Bucket, Key: u.Key, Multipart: true, Modified: a.now(), Headers: u.Headers,
		Checksum:     store.Checksum{Algorithm: u.Algorithm, Composite: u.Composite},
		StorageClass: u.StorageClass, Protection: u.Protection,
	}
	algorithm, etags := checksum.Algorithm(u.Algorithm), md5.New() //nolint:gosec // ETags
	composite := algorithm.New()
	var combined []byte
	for _, p := range parts {
		o.Files, o.Size = append(o.Files, p.File), o.Size+p.File.Size
		sum, _ := hex.DecodeString(p.ETag) // encoded by etag
		etags.Write(sum)
		sum = decoded(p.Checksum)
		composite.Write(sum)
		switch {
		case combined == nil:
			combined = sum
		case algorithm.Combines():
			combined = algorithm.Combine(combined, sum, p.File.Size)
		}
	}
	o.ETag = fmt.Sprintf("%x-%d", etags.Sum(nil), len(parts))
	o.Checksum.Value = base64.StdEncoding.EncodeToString(combined)
	if u.Composite {
		o.Checksum.Value = fmt.Sprintf("%s-%d", base64.StdEncoding.EncodeToString(composite.Sum(nil)), len(parts))
	}
	return o
}

// checkWhole compares an object with what a client says about it.
func checkWhole(o *store.Object, in *s3.CompleteMultipartUploadInput) error {
	given := types.CompletedPart{
		ChecksumCRC32: in.ChecksumCRC32, ChecksumCRC32C: in.ChecksumCRC32C, ChecksumCRC64NVME: in.ChecksumCRC64NVME,
		ChecksumSHA1: in.ChecksumSHA1, ChecksumSHA256: in.ChecksumSHA256,
	}
	switch {
	case o.Size > maxObject:
		return tooLarge()
	case in.MpuObjectSize != nil && *in.MpuObjectSize != o.Size:
		return wire.Errorf("InvalidRequest", "The provided 'x-amz-mp-object-size' header value %d does not match what "+
			"was computed: %d", *in.MpuObjectSize, o.Size)
	case in.ChecksumType != "" && in.ChecksumType != checksumType(o.Checksum.Composite):
		return wire.Errorf("InvalidRequest", "The upload was created using the %s checksum mode. The complete request "+
			"must use the same checksum mode.", checksumType(o.Checksum.Composite))
	case !sameChecksum(given, o.Checksum):
		return wire.Errorf("BadDigest", "The %s you specified did not match the calculated checksum.",
			o.Checksum.Algorithm)
	}
	return nil
}

// AbortMultipartUpload ends an upload without an object.
func (a *API) AbortMultipartUpload(
	ctx context.Context, in *s3.AbortMultipartUploadInput,
) (*s3.AbortMultipartUploadOutput, error) {
	if err := check(in); err != nil {
		return nil, err
	}
	var files []store.FileRef
	err := a.Store.Update(func(tx *store.Tx) error {
		u, err := findUpload(ctx, tx, uploadName{in.Bucket, in.ExpectedBucketOwner, in.Key, in.UploadId})
		if err == nil {
			files = deleteUpload(tx, u)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	a.removeFiles(files)
	return &s3.AbortMultipartUploadOutput{}, nil
}
