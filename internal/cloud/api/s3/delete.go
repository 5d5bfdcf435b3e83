package s3

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// deletion is the outcome of a deletion.
type deletion struct {
	version *string // that is deleted, or that of the new marker
	marker  bool    // whether that is a delete marker
	files   []store.FileRef
}

// delete deletes an object, or one version of it for good. Without a version, a bucket with versioning gets a
// delete marker. It is no error if there is nothing to delete.
func (a *API) delete(tx *store.Tx, bucket *store.Bucket, key string, version *string) deletion {
	if version != nil {
		d := deletion{version: version}
		if o := store.FindVersion(tx, bucket.Name, key, *version); o != nil {
			d.marker, d.files = o.Marker, removeVersion(tx, o)
		}
		return d
	}
	marker := &store.Object{Bucket: bucket.Name, Key: key, Modified: a.now(), Marker: true}
	d := deletion{files: a.addVersion(tx, bucket, marker)}
	if bucket.Versioning != "" {
		d.version, d.marker = aws.String(store.VersionIDOf(marker)), true
	}
	return d
}

// present returns a Boolean as responses have it: only if it is true.
func present(b bool) *bool {
	if !b {
		return nil
	}
	return &b
}

// DeleteObject deletes an object, or a version of it.
func (a *API) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	if err := check(in); err != nil {
		return nil, err
	}
	var d deletion
	err := a.Store.Update(func(tx *store.Tx) error {
		bucket, err := findBucket(ctx, tx, in.Bucket, in.ExpectedBucketOwner)
		if err != nil {
			return err
		}
		if in.VersionId != nil {
			if err := checkVersionID(*in.VersionId); err != nil {
				return err
			}
		}
		if in.IfMatch != nil {
			o, _ := store.Objects.Get(tx, store.ObjectKey(bucket.Name, aws.ToString(in.Key)))
			if err := (condition{match: in.IfMatch}).check(o); err != nil {
				return err
			}
		}
		d = a.delete(tx, bucket, aws.ToString(in.Key), in.VersionId)
		return nil
	})
	if err != nil {
		return nil, err
	}
	a.removeFiles(d.files)
	return &s3.DeleteObjectOutput{DeleteMarker: present(d.marker), VersionId: d.version}, nil
}

// DeleteObjects deletes up to 1,000 objects or versions.
func (a *API) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	if err := check(in); err != nil {
		return nil, err
	}
	if err := checkDeletions(in.Delete); err != nil {
		return nil, err
	}
	out := &s3.DeleteObjectsOutput{}
	var files []store.FileRef
	err := a.Store.Update(func(tx *store.Tx) error {
		bucket, err := findBucket(ctx, tx, in.Bucket, in.ExpectedBucketOwner)
		if err != nil {
			return err
		}
		for _, id := range in.Delete.Objects {
			if id.VersionId != nil && checkVersionID(*id.VersionId) != nil {
				out.Errors = append(out.Errors, types.Error{
					Key: id.Key, VersionId: id.VersionId, Code: aws.String("NoSuchVersion"),
					Message: aws.String("The specified version does not exist."),
				})
				continue
			}
			d := a.delete(tx, bucket, *id.Key, id.VersionId)
			files = append(files, d.files...)
			if !aws.ToBool(in.Delete.Quiet) {
				out.Deleted = append(out.Deleted, describeDeletion(id, d))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	a.removeFiles(files)
	return out, nil
}

func checkDeletions(list *types.Delete) error {
	if list == nil || len(list.Objects) == 0 || len(list.Objects) > maxDeletions {
		return malformedXML()
	}
	for _, id := range list.Objects {
		switch {
		case aws.ToString(id.Key) == "":
			return malformedXML()
		case id.ETag != nil || id.LastModifiedTime != nil || id.Size != nil:
			return wire.NotImplemented("conditions of DeleteObjects")
		}
	}
	return nil
}

func describeDeletion(id types.ObjectIdentifier, d deletion) types.DeletedObject {
	deleted := types.DeletedObject{Key: id.Key, VersionId: id.VersionId, DeleteMarker: present(d.marker)}
	if d.marker {
		deleted.DeleteMarkerVersionId = d.version
	}
	return deleted
}
