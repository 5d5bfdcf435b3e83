package bucketpolicy

import (
	"errors"

	"aloft.dev/aloft/internal/cloud/store"
)

// ErrNotAdmitted is the error for a log that no bucket takes.
var ErrNotAdmitted = errors.New("the bucket does not exist in the region, or its policy does not admit the log")

// Admits reports whether a log's bucket exists in the region of the load balancer, in any
// account, and has a policy that lets the log in. It returns the account of the bucket.
func Admits(r store.Reader, d Delivery) (account string, ok bool) {
	bucket, ok := store.Buckets.Get(r, d.Bucket)
	if !ok || bucket.Region.Name() != d.Region.Name() || bucket.Policy == "" {
		return "", false
	}
	policy, err := Parse(d.Bucket, bucket.Policy)
	return bucket.Region.Account(), err == nil && policy.Admits(d)
}
