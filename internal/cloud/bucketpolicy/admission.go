package bucketpolicy

import (
	"errors"

	"aloft.dev/aloft/internal/cloud/store"
)

// ErrNotAdmitted is the error for a log that no bucket takes.
var ErrNotAdmitted = errors.New("the bucket does not exist in the region, or its policy does not admit the log")

// Admits reports whether a log's bucket exists in the region of the load balancer and has a
// policy that lets the log in.
func Admits(r store.Reader, d Delivery) bool {
	bucket, ok := store.Buckets.Get(r, d.Bucket)
	if !ok || bucket.Region != d.Region || bucket.Policy == "" {
		return false
	}
	policy, err := Parse(d.Bucket, bucket.Policy)
	return err == nil && policy.Admits(d)
}
