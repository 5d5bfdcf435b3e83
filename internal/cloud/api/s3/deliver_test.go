package s3_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"aloft.dev/aloft/internal/cloud/bucketpolicy"
)

func TestLogsAreDeliveredWherePoliciesAdmitThem(t *testing.T) {
	w := newWorld(t)
	deliver := func(key, log string) error {
		return w.api.Deliver(bucketpolicy.Delivery{
			Bucket: "bkt", Key: key, Region: "us-east-1",
			Service: bucketpolicy.LoadBalancers,
			Source:  "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/web/0123456789abcdef",
		}, strings.NewReader(log))
	}
	if err := deliver("AWSLogs/000000000000/1", "log"); !errors.Is(err, bucketpolicy.ErrNotAdmitted) {
		t.Errorf("without a policy: %v", err)
	}
	w.ok(w.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{
		Bucket: aws.String("bkt"), Policy: aws.String(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow",
			"Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}, "Action": "s3:PutObject",
			"Resource": "arn:aws:s3:::bkt/AWSLogs/000000000000/*"}}`),
	}))
	if err := deliver("elsewhere", "log"); !errors.Is(err, bucketpolicy.ErrNotAdmitted) {
		t.Errorf("another key: %v", err)
	}
	start := time.Now().Truncate(time.Second)
	for i, key := range []string{"AWSLogs/000000000000/3", "AWSLogs/000000000000/1", "AWSLogs/000000000000/2"} {
		w.set(start.Add(time.Duration(i) * time.Minute))
		w.ok(nil, deliver(key, "0123456789"))
	}
	w.put("of-a-user", "0123456789")
	if deleted, err := w.api.BoundDelivered(30); deleted != 0 || err != nil {
		t.Errorf("within the limit: %d, %v", deleted, err)
	}
	if deleted, err := w.api.BoundDelivered(15); deleted != 2 || err != nil {
		t.Errorf("beyond the limit: %d, %v", deleted, err)
	}
	if got := w.keys(s3.ListObjectsV2Input{}); got != "AWSLogs/000000000000/2 of-a-user" || w.onDisk() != 2 {
		t.Errorf("left: %s, %d files", got, w.onDisk())
	}
}
