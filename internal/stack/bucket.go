package stack

import (
	"encoding/json"
	"fmt"
	"regexp"
)

// KindBucket is the kind of a bucket of Amazon S3.
const KindBucket Kind = "bucket"

var bucketKind = properties{kind: KindBucket, uniqueName: true}

// AddressAccessLogs is the address of the bucket of the load balancer's access logs.
const AddressAccessLogs = "access-logs"

// Attributes of buckets.
const (
	AttrPublicAccess AttributeKey = "public access"
	AttrDelivery     AttributeKey = "delivery" // whether the policy admits the load balancer's logs
)

// ExpiryRule is the id of the lifecycle rule that deletes files after the retention.
const ExpiryRule = "expire"

// Blocked is the AttrPublicAccess of a bucket that nothing can make public.
const Blocked = "blocked"

// Bucket holds the load balancer's access logs. It is private, and S3 encrypts and expires
// what is in it.
type Bucket struct {
	App, Region string
	Days        int32 // of retention
}

// BucketName returns the name of an application's bucket. Names are unique among all accounts
// and regions.
func BucketName(app, account, region string) string {
	return fmt.Sprintf("aloft-%s-%s-%s", app, account, region)
}

// BucketPrefix returns the start of the names that BucketName returns.
func BucketPrefix(app string) string { return "aloft-" + app + "-" }

var bucketName = regexp.MustCompile(`^aloft-(.+)-(\d{12})-([a-z]{2}[a-z0-9-]+-\d+)$`)

// ParseBucketName returns the parts of a name that BucketName has returned.
func ParseBucketName(name string) (app, account, region string, ok bool) {
	m := bucketName.FindStringSubmatch(name)
	if m == nil {
		return "", "", "", false
	}
	return m[1], m[2], m[3], true
}

// deliveryService is the principal that delivers access logs (Application Load Balancer guide,
// "Enable access logs").
const deliveryService = "logdelivery.elasticloadbalancing.amazonaws.com"

// DeliveryPolicy returns the policy of a bucket that admits the access logs of an account's
// load balancers.
func DeliveryPolicy(partition, bucket, account string) string {
	type object = map[string]any
	policy, _ := json.Marshal(object{ // texts always encode
		"Version": "2012-10-17",
		"Statement": []object{{
			"Sid": "AccessLogs", "Effect": "Allow", "Principal": object{"Service": deliveryService},
			"Action":   "s3:PutObject",
			"Resource": fmt.Sprintf("arn:%s:s3:::%s/AWSLogs/%s/*", partition, bucket, account),
		}},
	})
	return string(policy)
}

// Kind implements Body.
func (Bucket) Kind() Kind { return KindBucket }

// Title implements Body.
func (b Bucket) Title() string {
	return fmt.Sprintf("bucket for access logs, which keeps them for %d days", b.Days)
}

// Attributes implements Body.
func (b Bucket) Attributes() []Attribute {
	return []Attribute{
		text(AttrRetention, Retention(b.Days)), text(AttrPublicAccess, Blocked), text(AttrDelivery, On),
	}
}

// Needs implements Body.
func (Bucket) Needs() []Ref { return nil }
