package s3

import (
	"context"
	"errors"

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
	created bool    // whether that is new
	files   []store.FileRef
	changed *store.Object // what was deleted, or the new marker; nil: nothing
}

// deleteVersion deletes a version of an object for good. It is no error if there is none.
func (a *API) deleteVersion(tx *store.Tx, bucket *store.Bucket, key, id string, bypass bool) (deletion, error) {
	d := deletion{version: &id}
	o := store.FindVersion(tx, bucket.Name, key, id)
	switch {
	case o == nil:
		return d, nil
	case a.isProtected(o, bypass):
		return d, objectProtected()
	}
	d.marker, d.files, d.changed = o.Marker, removeVersion(tx, o), o
	return d, nil
}

// delete deletes an object. A bucket with versioning gets a delete marker. It is no error if there is nothing to
// delete.
func (a *API) delete(tx *store.Tx, bucket *store.Bucket, key string) deletion {
	marker := &store.Object{Bucket: bucket.Name, Key: key, Modified: a.now(), Marker: true}
	old, _ := store.Objects.Get(tx, store.ObjectKey(bucket.Name, key))
	d := deletion{files: a.addVersion(tx, bucket, marker), changed: old}
	if bucket.Versioning != "" {
		d.version, d.changed = aws.String(store.VersionIDOf(marker)), marker
		d.marker, d.created = true, true
	}
	return d
}

// notifyDeletion notifies the topics of a bucket of a deletion.
func (a *API) notifyDeletion(ctx context.Context, tx *store.Tx, bucket *store.Bucket, kind string, d deletion) {
	switch {
	case d.changed == nil:
	case d.created:
		a.notify(ctx, tx, bucket, kind, "DeleteMarkerCreated", d.changed)
	default:
		a.notify(ctx, tx, bucket, kind, "Delete", d.changed)
	}
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
		if err := checkBypass(bucket, in.BypassGovernanceRetention); err != nil {
			return err
		}
		if in.VersionId != nil {
			d, err = a.deleteVersion(
				tx, bucket, aws.ToString(in.Key), *in.VersionId, aws.ToBool(in.BypassGovernanceRetention),
			)
		} else {
			d = a.delete(tx, bucket, aws.ToString(in.Key))
		}
		a.notifyDeletion(ctx, tx, bucket, removed, d)
		return err
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
		if err := checkBypass(bucket, in.BypassGovernanceRetention); err != nil {
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
			var d deletion
			if id.VersionId == nil {
				d = a.delete(tx, bucket, *id.Key)
			} else if d, err = a.deleteVersion(
				tx, bucket, *id.Key, *id.VersionId, aws.ToBool(in.BypassGovernanceRetention),
			); err != nil {
				refused, _ := errors.AsType[*wire.Error](err)
				out.Errors = append(out.Errors, types.Error{
					Key: id.Key, VersionId: id.VersionId, Code: &refused.Code, Message: &refused.Message,
				})
				continue
			}
			files = append(files, d.files...)
			a.notifyDeletion(ctx, tx, bucket, removed, d)
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
