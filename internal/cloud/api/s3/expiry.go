package s3

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/store"
)

// selects reports whether a filter selects an object.
func selects(f store.ObjectFilter, o *store.Object) bool {
	for key, value := range f.Tags {
		if got, ok := o.Headers.Tags[key]; !ok || got != value {
			return false
		}
	}
	return strings.HasPrefix(o.Key, f.Prefix) && (f.LargerThan == 0 || o.Size > f.LargerThan) &&
		(f.Before == 0 || o.Size < f.Before) && (!f.NotEmpty || o.Size > 0)
}

// expiry returns when an object expires and by which rule, the zero time if it does not.
func expiry(bucket *store.Bucket, o *store.Object) (at time.Time, rule string) {
	for i := range bucket.Lifecycle {
		r := &bucket.Lifecycle[i]
		if !r.Enabled || !selects(r.ObjectFilter, o) {
			continue
		}
		due := r.Date
		if r.Days > 0 {
			due = after(o.Modified, r.Days)
		}
		if !due.IsZero() && (at.IsZero() || due.Before(at)) {
			at, rule = due, r.ID
		}
	}
	return at, rule
}

// describeExpiry returns the header about an object's expiry, nil if it does not expire.
func describeExpiry(r store.Reader, o *store.Object) *string {
	bucket, ok := store.Buckets.Get(r, o.Bucket)
	if !ok {
		return nil
	}
	at, rule := expiry(bucket, o)
	if at.IsZero() {
		return nil
	}
	return aws.String(fmt.Sprintf("expiry-date=%q, rule-id=%q", at.Format(http.TimeFormat), rule))
}

// maxDeletions is how many objects one transaction deletes.
const maxDeletions = 1000

// Expire deletes the objects and uploads that have expired.
func (a *API) Expire() error {
	now := a.Now()
	for _, bucket := range store.Buckets.List(a.Store.View()) {
		if len(bucket.Lifecycle) == 0 {
			continue
		}
		for {
			deleted, err := a.expireSome(bucket.Name, now)
			if err != nil {
				return err
			}
			if deleted < maxDeletions {
				break
			}
		}
	}
	return nil
}

// expireSome deletes up to maxDeletions objects and versions, and all uploads, that have expired. Objects of
// a bucket with versioning get delete markers.
func (a *API) expireSome(name string, now time.Time) (deleted int, err error) {
	if !a.anyExpired(name, now) {
		return 0, nil
	}
	var files []store.FileRef
	err = a.Store.Update(func(tx *store.Tx) error {
		bucket, ok := store.Buckets.Get(tx, name)
		if !ok {
			return nil
		}
		objects, versions := expired(tx, bucket, now), a.expiredVersions(tx, bucket, now)
		for _, o := range objects {
			d := a.delete(tx, bucket, o.Key)
			a.notifyDeletion(context.Background(), tx, bucket, expires, d)
			files = append(files, d.files...)
		}
		for _, o := range versions {
			a.notify(context.Background(), tx, bucket, expires, "Delete", o)
			files = append(files, removeVersion(tx, o)...)
		}
		deleted = max(len(objects), len(versions))
		for _, u := range uploadsOf(tx, name) {
			if abandoned(bucket, u, now) {
				files = append(files, deleteUpload(tx, u)...)
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	a.removeFiles(files)
	return deleted, nil
}

// anyExpired reports whether a bucket has something that has expired.
func (a *API) anyExpired(name string, now time.Time) bool {
	view := a.Store.View()
	bucket, ok := store.Buckets.Get(view, name)
	if !ok {
		return false
	}
	for _, u := range uploadsOf(view, name) {
		if abandoned(bucket, u, now) {
			return true
		}
	}
	return len(expired(view, bucket, now)) > 0 || len(a.expiredVersions(view, bucket, now)) > 0
}

// expired returns up to maxDeletions objects that have expired.
func expired(r store.Reader, bucket *store.Bucket, now time.Time) (found []*store.Object) {
	for o := range store.Objects.From(r, store.ObjectKey(bucket.Name, "")) {
		if o.Bucket != bucket.Name || len(found) == maxDeletions {
			break
		}
		if at, _ := expiry(bucket, o); !at.IsZero() && !now.Before(at) {
			found = append(found, o)
		}
	}
	return found
}

// expiredVersions returns up to maxDeletions versions that are not current and have expired, and markers
// that have no versions.
func (a *API) expiredVersions(r store.Reader, bucket *store.Bucket, now time.Time) (found []*store.Object) {
	key, newer := "", int32(0)
	for o := range store.ObjectVersions.From(r, store.ObjectKey(bucket.Name, "")) {
		if o.Bucket != bucket.Name || len(found) == maxDeletions {
			break
		}
		if o.Key != key {
			key, newer = o.Key, 0
		}
		if o.Superseded.IsZero() { // a marker in the place of the current version
			if markerExpired(bucket, o, now) && isAlone(r, o) {
				found = append(found, o)
			}
			continue
		}
		if versionExpired(bucket, o, newer, now) && !a.isProtected(o, false) {
			found = append(found, o)
		}
		newer++
	}
	return found
}

// isAlone reports whether a latest marker has no versions.
func isAlone(r store.Reader, marker *store.Object) bool {
	for o := range store.OthersOf(r, marker.Bucket, marker.Key) {
		if o.Sequence != marker.Sequence {
			return false
		}
	}
	return true
}

// markerExpired reports whether a rule deletes a marker without versions: one about such markers, or one by
// which the marker is old enough as an object (Amazon S3 API Reference, LifecycleExpiration).
func markerExpired(bucket *store.Bucket, marker *store.Object, now time.Time) bool {
	for i := range bucket.Lifecycle {
		r := &bucket.Lifecycle[i]
		if r.Enabled && aws.ToBool(r.ExpiredMarkers) && selects(r.ObjectFilter, marker) {
			return true
		}
	}
	at, _ := expiry(bucket, marker)
	return !at.IsZero() && !now.Before(at)
}

// versionExpired reports whether a rule deletes a version that is not current. newer is how many versions
// that are not current are newer.
func versionExpired(bucket *store.Bucket, o *store.Object, newer int32, now time.Time) bool {
	for i := range bucket.Lifecycle {
		r := &bucket.Lifecycle[i]
		if r.Enabled && r.NoncurrentDays > 0 && selects(r.ObjectFilter, o) && newer >= r.NewerKept &&
			!now.Before(after(o.Superseded, r.NoncurrentDays)) {
			return true
		}
	}
	return false
}

// abandoned reports whether a rule aborts an upload.
func abandoned(bucket *store.Bucket, u *store.Upload, now time.Time) bool {
	for _, r := range bucket.Lifecycle {
		if r.Enabled && r.AbandonedParts > 0 && strings.HasPrefix(u.Key, r.ObjectFilter.Prefix) &&
			!now.Before(after(u.Initiated, r.AbandonedParts)) {
			return true
		}
	}
	return false
}
