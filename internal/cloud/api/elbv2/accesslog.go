package elbv2

import (
	"regexp"
	"strings"

	"aloft.dev/aloft/internal/cloud/wire"
)

// bucketName matches the names that S3 allows for buckets (Amazon S3 User Guide,
// General purpose bucket naming rules).
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// checkAccessLogs refuses access logs that have no valid destination (Application
// Load Balancer guide, Enable access logs). Every bucket with a valid name exists
// here.
func checkAccessLogs(values map[string]string) error {
	if values["access_logs.s3.enabled"] != "true" {
		return nil
	}
	bucket, prefix := values["access_logs.s3.bucket"], values["access_logs.s3.prefix"]
	switch {
	case !bucketName.MatchString(bucket) || strings.Contains(bucket, ".."):
		return wire.Errorf(
			"InvalidConfigurationRequest", "Access Denied for bucket: %s. Please check S3bucket permission", bucket,
		)
	case strings.Contains(prefix, "AWSLogs"):
		return wire.Errorf("InvalidConfigurationRequest", "The prefix must not include the string AWSLogs")
	}
	return nil
}
