package bucketpolicy

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"aloft.dev/aloft/internal/cloud/identity"
)

// FlowLog returns the delivery of a flow log of a region, with a key, to a bucket.
func FlowLog(region identity.Region, bucket, key string) Delivery {
	return Delivery{
		Bucket: bucket, Key: key, Service: Logs, Region: region,
		Source: identity.ARN("logs", region, "vpc-flow-logs"),
	}
}

// FlowLogBucket returns the bucket and the prefix of the keys of a destination such as
// "arn:aws:s3:::bucket/folder/". The bucket is empty if the destination is none.
func FlowLogBucket(destination string) (bucket, prefix string) {
	rest, ok := strings.CutPrefix(destination, "arn:aws:s3:::")
	if !ok {
		return "", ""
	}
	bucket, prefix, _ = strings.Cut(rest, "/")
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	return bucket, prefix
}

// WithFlowLogs returns a bucket's policy, "" for none, with the statements that let a delivery of flow
// logs in, and all others below the same folder (Amazon VPC User Guide, Amazon S3 bucket permissions
// for flow logs).
func WithFlowLogs(policy string, d Delivery) (string, error) {
	document := map[string]any{"Version": "2012-10-17", "Id": "AWSLogDeliveryWrite20150319"}
	if policy != "" {
		if err := json.Unmarshal([]byte(policy), &document); err != nil {
			return "", fmt.Errorf("add flow logs to the policy of %s: %w", d.Bucket, err)
		}
	}
	var statements []any
	switch present := document["Statement"].(type) {
	case []any:
		statements = present
	case map[string]any:
		statements = []any{present}
	}
	number := "" // a statement's id is its own
	if len(statements) > 0 {
		number = strconv.Itoa(len(statements))
	}
	account := d.Region.Account()
	principal := map[string]string{"Service": Logs}
	source := map[string]string{"aws:SourceArn": identity.ARN("logs", d.Region, "*")}
	document["Statement"] = append(statements,
		map[string]any{
			"Sid": "AWSLogDeliveryWrite" + number, "Effect": "Allow", "Principal": principal, "Action": "s3:PutObject",
			"Resource": "arn:aws:s3:::" + d.Bucket + "/" + d.Key + "*",
			"Condition": map[string]any{
				"StringEquals": map[string]string{
					"aws:SourceAccount": account, "s3:x-amz-acl": "bucket-owner-full-control",
				},
				"ArnLike": source,
			},
		},
		map[string]any{
			"Sid": "AWSLogDeliveryAclCheck" + number, "Effect": "Allow", "Principal": principal,
			"Action":   "s3:GetBucketAcl",
			"Resource": "arn:aws:s3:::" + d.Bucket,
			"Condition": map[string]any{
				"StringEquals": map[string]string{"aws:SourceAccount": account}, "ArnLike": source,
			},
		},
	)
	text, err := json.Marshal(document)
	return string(text), err
}
