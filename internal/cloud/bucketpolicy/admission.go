package bucketpolicy

import (
	"errors"

	"aloft.dev/aloft/internal/cloud/store"
)

// ErrNotAdmitted is the error for a log that no bucket takes.
var ErrNotAdmitted = errors.New("the bucket does not exist in the region, or its policy does not admit the log")

// Admits reports whether a log's bucket exists, in any account, and has a policy that lets the log
// in. That for the log of a load balancer is in the region of it. It returns the account of the bucket.
func Admits(r store.Reader, d Delivery) (account string, ok bool) {
	bucket, ok := store.Buckets.Get(r, d.Bucket)
	elsewhere := ok && bucket.Region.Name() != d.Region.Name()
	if !ok || d.Service == LoadBalancers && elsewhere || bucket.Policy == "" {
		return "", false
	}
	policy, err := Parse(d.Bucket, bucket.Policy)
	return bucket.Region.Account(), err == nil && policy.Admits(d)
}
