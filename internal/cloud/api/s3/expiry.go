package s3

import (
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
		(f.Before == 0 || o.Size < f.Before)
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

// expireSome deletes up to maxDeletions objects, and all uploads, that have expired.
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
		for _, o := range expired(tx, bucket, now) {
			store.Objects.Delete(tx, store.ObjectKey(o.Bucket, o.Key))
			files = append(files, o.Files...)
			deleted++
		}
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
	return len(expired(view, bucket, now)) > 0
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
