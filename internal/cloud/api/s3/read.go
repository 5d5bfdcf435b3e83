package s3

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// question describes what a client asks about an object: under which conditions, and for which
// bytes.
type question struct {
	match, noneMatch               *string
	modifiedSince, unmodifiedSince *time.Time
	byteRange                      *string
	part                           *int32
}

// check returns the error of a condition that an object does not meet (RFC 9110, section
// 13.2.2).
func (q question) check(o *store.Object) error {
	switch {
	case q.match != nil:
		if !matchesETag(*q.match, o.ETag) {
			return preconditionFailed()
		}
	case q.unmodifiedSince != nil && o.Modified.After(*q.unmodifiedSince):
		return preconditionFailed()
	}
	switch {
	case q.noneMatch != nil:
		if matchesETag(*q.noneMatch, o.ETag) {
			return notModified(o)
		}
	case q.modifiedSince != nil && !o.Modified.After(*q.modifiedSince):
		return notModified(o)
	}
	return nil
}

func preconditionFailed() error {
	return failure(http.StatusPreconditionFailed, "PreconditionFailed",
		"At least one of the pre-conditions you specified did not hold")
}

func notModified(o *store.Object) error {
	e := failure(http.StatusNotModified, "NotModified", "Not Modified")
	e.Object = wire.ObjectHeader{ETag: *quoted(o.ETag), LastModified: o.Modified.Format(http.TimeFormat)}
	return e
}

// matchesETag reports whether one of several ETags, or "*", is an object's.
func matchesETag(list, etag string) bool {
	for given := range strings.SplitSeq(list, ",") {
		given = strings.TrimPrefix(strings.TrimSpace(given), "W/")
		if given == "*" || sameETag(given, etag) {
			return true
		}
	}
	return false
}

// answer is the part of an object that a client has asked for.
type answer struct {
	extent
	contentRange *string // nil: the whole object
	parts        *int32  // of the object; nil: the client has not asked for one
}

// bytes returns the part of an object that a client asks for.
func (q question) bytes(o *store.Object) (answer, error) {
	whole := answer{extent: extent{0, o.Size}}
	var e extent
	switch {
	case q.part != nil && q.byteRange != nil:
		return whole, invalidArgument("Cannot specify both Range header and partNumber query parameter")
	case q.part != nil:
		number := int(*q.part)
		if number < 1 || number > max(len(o.Files), 1) {
			return whole, failure(http.StatusRequestedRangeNotSatisfiable, "InvalidPartNumber",
				"The requested partnumber is not satisfiable")
		}
		for _, f := range o.Files[:number-1] {
			e.from += f.Size
		}
		e.length = o.Files[number-1].Size
		if o.Multipart {
			whole.parts = aws.Int32(int32(len(o.Files)))
		}
		if o.Size == 0 {
			return whole, nil
		}
	case q.byteRange != nil:
		found, ok, err := parseRange(*q.byteRange, o.Size)
		if err != nil || !ok {
			return whole, err
		}
		e = found
	default:
		return whole, nil
	}
	text := fmt.Sprintf("bytes %d-%d/%d", e.from, e.from+e.length-1, o.Size)
	return answer{extent: e, contentRange: &text, parts: whole.parts}, nil
}

// HeadObject describes an object.
func (a *API) HeadObject(ctx context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	if err := check(in); err != nil {
		return nil, err
	}
	view := a.Store.View()
	o, err := findObject(ctx, view, in.Bucket, in.ExpectedBucketOwner, in.Key, in.VersionId)
	if err != nil {
		return nil, err
	}
	q := question{
		in.IfMatch, in.IfNoneMatch, in.IfModifiedSince, in.IfUnmodifiedSince, in.Range, in.PartNumber,
	}
	if err := q.check(o); err != nil {
		return nil, err
	}
	part, err := q.bytes(o)
	if err != nil {
		return nil, err
	}
	out := &s3.HeadObjectOutput{}
	describe(out, view, o, part)
	if in.ChecksumMode == types.ChecksumModeEnabled && part.contentRange == nil {
		out.ChecksumType = checksumType(o.Checksum.Composite)
		describeChecksum(o.Checksum, &out.ChecksumCRC32, &out.ChecksumCRC32C, &out.ChecksumCRC64NVME,
			&out.ChecksumSHA1, &out.ChecksumSHA256)
	}
	setIfGiven(&out.ContentType, in.ResponseContentType)
	setIfGiven(&out.ContentEncoding, in.ResponseContentEncoding)
	setIfGiven(&out.ContentDisposition, in.ResponseContentDisposition)
	setIfGiven(&out.ContentLanguage, in.ResponseContentLanguage)
	setIfGiven(&out.CacheControl, in.ResponseCacheControl)
	setIfGiven(&out.ExpiresString, httpTime(in.ResponseExpires))
	return out, nil
}

func setIfGiven(field **string, value *string) {
	if value != nil {
		*field = value
	}
}

// httpTime returns a time as headers have it, nil for none.
func httpTime(t *time.Time) *string {
	if t == nil {
		return nil
	}
	return aws.String(t.UTC().Format(http.TimeFormat))
}

func checksumType(composite bool) types.ChecksumType {
	if composite {
		return types.ChecksumTypeComposite
	}
	return types.ChecksumTypeFullObject
}

// describe fills the headers of an answer with a part of an object.
func describe(out *s3.HeadObjectOutput, r store.Reader, o *store.Object, part answer) {
	given := func(text string) *string {
		if text == "" {
			return nil
		}
		return &text
	}
	h := o.Headers
	out.AcceptRanges, out.ETag, out.LastModified = aws.String("bytes"), quoted(o.ETag), aws.Time(o.Modified)
	out.ContentLength, out.ContentRange, out.PartsCount = aws.Int64(part.length), part.contentRange, part.parts
	out.ContentType, out.ContentEncoding = given(h.ContentType), given(h.ContentEncoding)
	out.ContentDisposition, out.ContentLanguage = given(h.ContentDisposition), given(h.ContentLanguage)
	out.CacheControl, out.ExpiresString, out.Metadata = given(h.CacheControl), given(h.Expires), h.Metadata
	out.ServerSideEncryption, out.Expiration = types.ServerSideEncryptionAes256, describeExpiry(r, o)
	out.VersionId, out.StorageClass = versionID(r, o), types.StorageClass(o.StorageClass)
	describeProtection(out, o.Protection)
	if len(h.Tags) > 0 {
		out.TagCount = aws.Int32(int32(len(h.Tags)))
	}
}

// GetObject returns an object, or a range of its bytes.
func (a *API) GetObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	if err := check(in); err != nil {
		return nil, err
	}
	q := question{
		in.IfMatch, in.IfNoneMatch, in.IfModifiedSince, in.IfUnmodifiedSince, in.Range, in.PartNumber,
	}
	out := &s3.GetObjectOutput{}
	at := place{in.Bucket, in.ExpectedBucketOwner, in.Key, in.VersionId}
	return out, a.withObject(ctx, at, func(r store.Reader, o *store.Object) error {
		if err := q.check(o); err != nil {
			return err
		}
		part, err := q.bytes(o)
		if err != nil {
			return err
		}
		head := &s3.HeadObjectOutput{}
		describe(head, r, o, part)
		*out = got(head, in)
		if in.ChecksumMode == types.ChecksumModeEnabled && part.contentRange == nil {
			out.ChecksumType = checksumType(o.Checksum.Composite)
			describeChecksum(o.Checksum, &out.ChecksumCRC32, &out.ChecksumCRC32C, &out.ChecksumCRC64NVME,
				&out.ChecksumSHA1, &out.ChecksumSHA256)
		}
		out.Body, err = a.open(o, part.extent)
		return err
	})
}

// got returns the headers of an object with those that the request replaces.
func got(h *s3.HeadObjectOutput, in *s3.GetObjectInput) s3.GetObjectOutput {
	out := s3.GetObjectOutput{
		AcceptRanges: h.AcceptRanges, ETag: h.ETag, LastModified: h.LastModified, ContentLength: h.ContentLength,
		ContentRange: h.ContentRange, PartsCount: h.PartsCount, ContentType: h.ContentType,
		ContentEncoding: h.ContentEncoding, ContentDisposition: h.ContentDisposition,
		ContentLanguage: h.ContentLanguage, CacheControl: h.CacheControl, ExpiresString: h.ExpiresString,
		Metadata: h.Metadata, ServerSideEncryption: h.ServerSideEncryption, Expiration: h.Expiration,
		TagCount: h.TagCount, VersionId: h.VersionId, StorageClass: h.StorageClass, ObjectLockMode: h.ObjectLockMode,
		ObjectLockRetainUntilDate: h.ObjectLockRetainUntilDate, ObjectLockLegalHoldStatus: h.ObjectLockLegalHoldStatus,
	}
	setIfGiven(&out.ContentType, in.ResponseContentType)
	setIfGiven(&out.ContentEncoding, in.ResponseContentEncoding)
	setIfGiven(&out.ContentDisposition, in.ResponseContentDisposition)
	setIfGiven(&out.ContentLanguage, in.ResponseContentLanguage)
	setIfGiven(&out.CacheControl, in.ResponseCacheControl)
	setIfGiven(&out.ExpiresString, httpTime(in.ResponseExpires))
	return out
}
