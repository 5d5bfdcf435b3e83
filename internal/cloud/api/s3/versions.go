package s3

import (
	"context"
	"iter"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// The current version of an object is a row of store.Objects. Its other versions and delete markers are
// rows of store.ObjectVersions. If the latest is a marker, there is no current version.

const (
	enabled   = string(types.BucketVersioningStatusEnabled)
	suspended = string(types.BucketVersioningStatusSuspended)
)

func checkVersionID(id string) error {
	if _, ok := store.VersionSequence(id); !ok && id != store.NullVersion {
		return invalidArgument("Invalid version id specified")
	}
	return nil
}

// versionID returns the id of a version as responses have it, nil in a bucket without versioning.
func versionID(r store.Reader, o *store.Object) *string {
	if bucket, ok := store.Buckets.Get(r, o.Bucket); !ok || bucket.Versioning == "" {
		return nil
	}
	return aws.String(store.VersionIDOf(o))
}

// newVersionID returns the id of a version for the response to the request that created it. S3 omits the
// id of the null version there.
func newVersionID(o *store.Object) *string {
	if o.VersionID == "" {
		return nil
	}
	return &o.VersionID
}

// latestOf returns the current version of an object or the marker in its place, nil if there is neither.
func latestOf(r store.Reader, bucket, key string) *store.Object {
	if o, ok := store.Objects.Get(r, store.ObjectKey(bucket, key)); ok {
		return o
	}
	for o := range store.OthersOf(r, bucket, key) {
		return o
	}
	return nil
}

// findObject returns a version of an object, the current one if none is given.
func findObject(ctx context.Context, r store.Reader, bucket, owner, key, version *string) (*store.Object, error) {
	b, err := findBucket(ctx, r, bucket, owner)
	if err != nil {
		return nil, err
	}
	if aws.ToString(key) == "" {
		return nil, noSuchKey()
	}
	if version == nil {
		o := latestOf(r, b.Name, *key)
		switch {
		case o == nil:
			return nil, noSuchKey()
		case o.Marker:
			return nil, withMarker(noSuchKey(), o)
		}
		return o, nil
	}
	if err := checkVersionID(*version); err != nil {
		return nil, err
	}
	o := store.FindVersion(r, b.Name, *key, *version)
	switch {
	case o == nil:
		return nil, failure(http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.")
	case o.Marker:
		e := withMarker(failure(http.StatusMethodNotAllowed, "MethodNotAllowed",
			"The specified method is not allowed against this resource."), o)
		e.Object.Allow, e.Object.LastModified = http.MethodDelete, o.Modified.Format(http.TimeFormat)
		return nil, e
	}
	return o, nil
}

// withMarker adds headers that describe a delete marker to an error.
func withMarker(e *wire.Error, marker *store.Object) *wire.Error {
	e.Object = wire.ObjectHeader{DeleteMarker: "true", VersionID: store.VersionIDOf(marker)}
	return e
}

// addVersion makes a new object or marker the latest of its key. In a bucket without versioning it replaces
// the object, and while versioning is suspended the null version. It returns the files of what is replaced.
func (a *API) addVersion(tx *store.Tx, bucket *store.Bucket, o *store.Object) (replaced []store.FileRef) {
	key := store.ObjectKey(o.Bucket, o.Key)
	if bucket.Versioning != "" {
		o.Sequence = a.Now().UnixNano()
		if latest := latestOf(tx, o.Bucket, o.Key); latest != nil {
			o.Sequence = max(o.Sequence, latest.Sequence+1)
		}
		if bucket.Versioning == enabled {
			o.VersionID = store.NewVersionID(o.Sequence, a.ids)
		} else if null := store.FindVersion(tx, o.Bucket, o.Key, store.NullVersion); null != nil {
			replaced = removeVersion(tx, null)
		}
		if latest := latestOf(tx, o.Bucket, o.Key); latest != nil {
			old := *latest
			old.Superseded = o.Modified
			store.ObjectVersions.Put(tx, &old)
		}
	} else if old, ok := store.Objects.Get(tx, key); ok {
		replaced = old.Files
	}
	if !o.Marker {
		store.Objects.Put(tx, o)
		return replaced
	}
	store.Objects.Delete(tx, key)
	if bucket.Versioning != "" {
		store.ObjectVersions.Put(tx, o)
	}
	return replaced
}

// putVersion stores a changed version or marker.
func putVersion(tx *store.Tx, o *store.Object) {
	if o.Superseded.IsZero() && !o.Marker {
		store.Objects.Put(tx, o)
	} else {
		store.ObjectVersions.Put(tx, o)
	}
}

// removeVersion deletes a version or a marker for good. If it was the latest, the one before it becomes the
// latest. It returns the files of the version.
func removeVersion(tx *store.Tx, o *store.Object) []store.FileRef {
	key := store.ObjectKey(o.Bucket, o.Key)
	if current, ok := store.Objects.Get(tx, key); ok && current.Sequence == o.Sequence {
		store.Objects.Delete(tx, key)
	} else {
		store.ObjectVersions.Delete(tx, store.ObjectVersionKey(o.Bucket, o.Key, o.Sequence))
	}
	if latest := latestOf(tx, o.Bucket, o.Key); latest != nil && !latest.Superseded.IsZero() {
		next := *latest
		next.Superseded = store.Object{}.Superseded
		if next.Marker {
			store.ObjectVersions.Put(tx, &next)
		} else {
			store.ObjectVersions.Delete(tx, store.ObjectVersionKey(o.Bucket, o.Key, next.Sequence))
			store.Objects.Put(tx, &next)
		}
	}
	return o.Files
}

// isStored reports whether a version that was read earlier is as it was.
func isStored(r store.Reader, o *store.Object) bool {
	current, _ := store.Objects.Get(r, store.ObjectKey(o.Bucket, o.Key))
	other, _ := store.ObjectVersions.Get(r, store.ObjectVersionKey(o.Bucket, o.Key, o.Sequence))
	return o == current || o == other
}

// PutBucketVersioning enables or suspends the versioning of a bucket.
func (a *API) PutBucketVersioning(
	ctx context.Context, in *s3.PutBucketVersioningInput,
) (*s3.PutBucketVersioningOutput, error) {
	if err := check(in); err != nil {
		return nil, err
	}
	if err := a.has(ctx, in.Bucket, in.ExpectedBucketOwner); err != nil {
		return nil, err
	}
	c := in.VersioningConfiguration
	switch {
	case c == nil || c.Status == "":
		return nil, wire.Errorf("IllegalVersioningConfigurationException", "The Versioning element must be specified")
	case string(c.Status) != enabled && string(c.Status) != suspended:
		return nil, malformedXML()
	case c.MFADelete == types.MFADeleteEnabled:
		return nil, wire.NotImplemented("MFA delete of S3")
	}
	return &s3.PutBucketVersioningOutput{}, a.editBucket(
		ctx, in.Bucket, in.ExpectedBucketOwner, func(b *store.Bucket) error {
			if b.ObjectLock != nil && string(c.Status) != enabled {
				return failure(http.StatusConflict, "InvalidBucketState", "An Object Lock configuration is present on "+
					"this bucket, so the versioning state cannot be changed.")
			}
			b.Versioning = string(c.Status)
			return nil
		})
}

// GetBucketVersioning returns whether versioning is enabled or suspended, nothing if it was never enabled.
func (a *API) GetBucketVersioning(
	ctx context.Context, in *s3.GetBucketVersioningInput,
) (*s3.GetBucketVersioningOutput, error) {
	bucket, err := findBucket(ctx, a.Store.View(), in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketVersioningOutput{Status: types.BucketVersioningStatus(bucket.Versioning)}, nil
}

// versionsIn returns the versions and markers of a bucket for collect: those of a key together, the latest first.
func versionsIn(r store.Reader, bucket string) func(from string) iter.Seq2[string, *store.Object] {
	return func(from string) iter.Seq2[string, *store.Object] {
		return func(yield func(string, *store.Object) bool) {
			next, stop := iter.Pull(store.ObjectVersions.From(r, store.ObjectKey(bucket, from)))
			defer stop()
			other, more := next()
			// before yields the other versions before a position, and reports whether to go on.
			before := func(position string) bool {
				for more && other.Bucket == bucket {
					at := rowPosition(other.Key, store.VersionOrder(other.Sequence))
					if at >= position {
						return true
					}
					if !yield(at, other) {
						return false
					}
					other, more = next()
				}
				return true
			}
			key, _, _ := strings.Cut(from, "\x01")
			for o := range store.Objects.From(r, store.ObjectKey(bucket, key)) {
				if o.Bucket != bucket {
					break
				}
				position := rowPosition(o.Key, "")
				if position >= from && (!before(position) || !yield(position, o)) {
					return
				}
			}
			before("\xff")
		}
	}
}

// ListObjectVersions lists the versions and delete markers of a bucket.
func (a *API) ListObjectVersions(
	ctx context.Context, in *s3.ListObjectVersionsInput,
) (*s3.ListObjectVersionsOutput, error) {
	q, err := a.query(ctx, listing{
		in.Bucket, in.ExpectedBucketOwner, in.Prefix, in.Delimiter, in.MaxKeys, "max-keys", in.EncodingType,
	})
	if err != nil {
		return nil, err
	}
	key, version := aws.ToString(in.KeyMarker), aws.ToString(in.VersionIdMarker)
	switch {
	case version != "" && key == "":
		return nil, invalidArgument("A version-id marker cannot be specified without a key marker.")
	case version == "":
		q.from = q.startAfterAll(key)
	default:
		if q.from, err = afterVersion(q.view, *in.Bucket, key, version); err != nil {
			return nil, err
		}
	}
	p := collect(q, versionsIn(q.view, *in.Bucket))
	out := &s3.ListObjectVersionsOutput{
		Name: in.Bucket, Prefix: q.encode(q.prefix), Delimiter: optional(in.Delimiter, q.encode),
		KeyMarker: q.encode(key), VersionIdMarker: &version,
		EncodingType: in.EncodingType, MaxKeys: aws.Int32(int32(q.size)),
		IsTruncated: aws.Bool(p.next != "" && q.size > 0),
	}
	if *out.IsTruncated {
		last, _, isVersion := strings.Cut(p.last, "\x01")
		if out.NextKeyMarker = q.encode(last); isVersion {
			out.NextVersionIdMarker = aws.String(store.VersionIDOf(p.rows[len(p.rows)-1]))
		}
	}
	describeVersions(out, p, q.encode, ownerOf(q.view, in.Bucket))
	return out, nil
}

// afterVersion returns where a list begins that continues after a version.
func afterVersion(r store.Reader, bucket, key, id string) (from string, err error) {
	if err := checkVersionID(id); err != nil {
		return "", err
	}
	sequence, ok := store.VersionSequence(id)
	if !ok {
		null := store.FindVersion(r, bucket, key, id)
		if null == nil {
			return rowPosition(key, "\xff"), nil
		}
		sequence = null.Sequence
	}
	return rowPosition(key, store.VersionOrder(sequence)+"\x00"), nil
}

func describeVersions(
	out *s3.ListObjectVersionsOutput, p keysPage[*store.Object], encode func(string) *string, owner *types.Owner,
) {
	var objects []types.Object
	objects, out.CommonPrefixes = describeList(p, encode, owner)
	for i, o := range p.rows {
		id, latest := aws.String(store.VersionIDOf(o)), aws.Bool(o.Superseded.IsZero())
		if o.Marker {
			out.DeleteMarkers = append(out.DeleteMarkers, types.DeleteMarkerEntry{
				Key: objects[i].Key, VersionId: id, IsLatest: latest, LastModified: objects[i].LastModified,
				Owner: owner,
			})
			continue
		}
		out.Versions = append(out.Versions, types.ObjectVersion{
			Key: objects[i].Key, VersionId: id, IsLatest: latest, ETag: objects[i].ETag,
			LastModified: objects[i].LastModified, Size: objects[i].Size, Owner: owner,
			StorageClass:      types.ObjectVersionStorageClass(classOf(o.StorageClass)),
			ChecksumType:      objects[i].ChecksumType,
			ChecksumAlgorithm: objects[i].ChecksumAlgorithm,
		})
	}
}
