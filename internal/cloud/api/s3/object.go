package s3

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"aloft.dev/aloft/internal/cloud/checksum"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of what comes with an object.
const (
	maxMetadata   = 2 << 10 // bytes
	maxObjectTags = 10
)

const defaultContentType = "binary/octet-stream"

// headersOf checks what a client gives an object, with tags as they are in a header.
func headersOf(h store.ObjectHeaders, expires *time.Time, tagging *string) (store.ObjectHeaders, error) {
	size := 0
	for key, value := range h.Metadata {
		size += len(key) + len(value)
	}
	if size > maxMetadata {
		return h, wire.Errorf("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
	}
	if h.ContentType == "" {
		h.ContentType = defaultContentType
	}
	var encodings []string
	for encoding := range strings.SplitSeq(h.ContentEncoding, ",") {
		if e := strings.TrimSpace(encoding); e != "" && e != "aws-chunked" {
			encodings = append(encodings, e)
		}
	}
	h.ContentEncoding = strings.Join(encodings, ",")
	if expires != nil {
		h.Expires = expires.UTC().Format(http.TimeFormat)
	}
	if tagging == nil {
		return h, nil
	}
	query, err := url.ParseQuery(*tagging)
	if err != nil {
		return h, invalidArgument("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query " +
			"parameters without tag name duplicates.")
	}
	var set []types.Tag
	for key, values := range query {
		for _, value := range values {
			set = append(set, types.Tag{Key: aws.String(key), Value: aws.String(value)})
		}
	}
	h.Tags, err = mergeTags(set, maxObjectTags)
	return h, err
}

// condition must hold for the object that a write replaces.
type condition struct{ match, noneMatch *string }

// check returns the error of a condition that an object does not meet; nil: there is none.
func (c condition) check(old *store.Object) error {
	failed := failure(http.StatusPreconditionFailed, "PreconditionFailed",
		"At least one of the pre-conditions you specified did not hold")
	switch {
	case c.noneMatch != nil && *c.noneMatch != "*":
		return wire.NotImplemented("If-None-Match with an ETag, which S3 does not accept of writes either")
	case c.noneMatch != nil && old != nil:
		return failed
	case c.match != nil && old == nil:
		return noSuchKey()
	case c.match != nil && *c.match != "*" && !sameETag(*c.match, old.ETag):
		return failed
	}
	return nil
}

// sameETag compares an ETag of a request, with or without quotes.
func sameETag(given, etag string) bool { return strings.Trim(given, `"`) == etag }

// put makes an object in a bucket that the caller may use the one with its key. Nobody else refers to its files.
// how is how messages to topics name it.
func (a *API) put(
	ctx context.Context, how string, o *store.Object, owner *string, c condition, also func(tx *store.Tx) error,
) error {
	var replaced []store.FileRef
	err := a.Store.Update(func(tx *store.Tx) error {
		bucket, err := findBucket(ctx, tx, &o.Bucket, owner)
		if err != nil {
			return err
		}
		old, _ := store.Objects.Get(tx, store.ObjectKey(o.Bucket, o.Key))
		if err := c.check(old); err != nil {
			return err
		}
		if err := protect(bucket, o); err != nil {
			return err
		}
		replaced = a.addVersion(tx, bucket, o)
		a.notify(ctx, tx, bucket, created, how, o)
		if also != nil {
			return also(tx)
		}
		return nil
	})
	if err != nil {
		return err
	}
	a.removeFiles(replaced)
	return nil
}

// PutObject writes an object. It is there as a whole, or not at all.
func (a *API) PutObject(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	if err := check(in); err != nil {
		return nil, err
	}
	if err := a.checkWritable(ctx, in.Bucket, in.ExpectedBucketOwner, in.ACL); err != nil {
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
	received, err := a.receive(in.Body, checksum.CRC64NVME)
	if err != nil {
		return nil, err
	}
	o := &store.Object{
		Bucket: *in.Bucket, Key: *in.Key, Files: []store.FileRef{received.file}, Size: received.file.Size,
		ETag: received.etag(), Modified: a.now(), Headers: headers, Checksum: received.checksum,
		StorageClass: storedClass(in.StorageClass), Protection: protection,
	}
	when := condition{in.IfMatch, in.IfNoneMatch}
	how := "Put"
	if received.form {
		how = "Post"
	}
	if err := a.put(ctx, how, o, in.ExpectedBucketOwner, when, func(*store.Tx) error {
		if !received.claimed && o.Protection != (store.Protection{}) {
			return wire.Errorf("InvalidRequest", "Content-MD5 OR x-amz-checksum- HTTP header is required for Put "+
				"Object requests with Object Lock parameters")
		}
		return nil
	}); err != nil {
		a.removeFiles(o.Files)
		return nil, err
	}
	out := &s3.PutObjectOutput{
		ETag: quoted(o.ETag), ServerSideEncryption: types.ServerSideEncryptionAes256,
		Expiration: describeExpiry(a.Store.View(), o), ChecksumType: types.ChecksumTypeFullObject,
		VersionId: newVersionID(o),
	}
	describeChecksum(o.Checksum, &out.ChecksumCRC32, &out.ChecksumCRC32C, &out.ChecksumCRC64NVME,
		&out.ChecksumSHA1, &out.ChecksumSHA256)
	return out, nil
}

func quoted(etag string) *string { return aws.String(`"` + etag + `"`) }

// PutObjectTagging replaces the tags of an object.
func (a *API) PutObjectTagging(
	ctx context.Context, in *s3.PutObjectTaggingInput,
) (*s3.PutObjectTaggingOutput, error) {
	if in.Tagging == nil {
		return nil, malformedXML()
	}
	tags, err := mergeTags(in.Tagging.TagSet, maxObjectTags)
	if err != nil {
		return nil, err
	}
	at := place{in.Bucket, in.ExpectedBucketOwner, in.Key, in.VersionId}
	version, err := a.tagObject(ctx, in, at, "Put", tags)
	return &s3.PutObjectTaggingOutput{VersionId: version}, err
}

// DeleteObjectTagging removes the tags of an object.
func (a *API) DeleteObjectTagging(
	ctx context.Context, in *s3.DeleteObjectTaggingInput,
) (*s3.DeleteObjectTaggingOutput, error) {
	at := place{in.Bucket, in.ExpectedBucketOwner, in.Key, in.VersionId}
	version, err := a.tagObject(ctx, in, at, "Delete", nil)
	return &s3.DeleteObjectTaggingOutput{VersionId: version}, err
}

// tagObject replaces the tags of a version, whose id it returns.
func (a *API) tagObject(
	ctx context.Context, in any, at place, how string, tags store.Tags,
) (version *string, err error) {
	if err := check(in); err != nil {
		return nil, err
	}
	return version, a.Store.Update(func(tx *store.Tx) error {
		o, err := findObject(ctx, tx, at.bucket, at.owner, at.key, at.version)
		if err != nil {
			return err
		}
		tagged := *o
		tagged.Headers.Tags, version = tags, versionID(tx, o)
		putVersion(tx, &tagged)
		if bucket, ok := store.Buckets.Get(tx, o.Bucket); ok {
			a.notify(ctx, tx, bucket, retagged, how, &tagged)
		}
		return nil
	})
}

// GetObjectTagging returns the tags of an object.
func (a *API) GetObjectTagging(
	ctx context.Context, in *s3.GetObjectTaggingInput,
) (*s3.GetObjectTaggingOutput, error) {
	if err := check(in); err != nil {
		return nil, err
	}
	view := a.Store.View()
	o, err := findObject(ctx, view, in.Bucket, in.ExpectedBucketOwner, in.Key, in.VersionId)
	if err != nil {
		return nil, err
	}
	return &s3.GetObjectTaggingOutput{TagSet: describeTags(o.Headers.Tags), VersionId: versionID(view, o)}, nil
}
