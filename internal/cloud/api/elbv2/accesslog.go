package elbv2

import (
	"path"
	"strings"

	"aloft.dev/aloft/internal/cloud/bucketpolicy"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// checkAccessLogs refuses access logs that have no valid destination: the bucket must exist
// in the load balancer's region and its policy must admit them (Application Load Balancer
// guide, "Enable access logs").
func checkAccessLogs(r store.Reader, lb *store.LoadBalancer, values map[string]string) error {
	test, enabled := testFile(lb, values)
	switch {
	case !enabled:
		return nil
	case strings.Contains(values["access_logs.s3.prefix"], "AWSLogs"):
		return wire.Errorf("InvalidConfigurationRequest", "The prefix must not include the string AWSLogs")
	}
	if _, admitted := bucketpolicy.Admits(r, test); !admitted {
		return wire.Errorf("InvalidConfigurationRequest",
			"Access Denied for bucket: %s. Please check S3bucket permission", test.Bucket)
	}
	return nil
}

// testFile returns the file that a load balancer writes to its bucket when access logs are
// enabled, to see whether it may.
func testFile(lb *store.LoadBalancer, values map[string]string) (d bucketpolicy.Delivery, enabled bool) {
	key := path.Join(values["access_logs.s3.prefix"], "AWSLogs", lb.Region.Account(), "ELBAccessLogTestFile")
	return bucketpolicy.Delivery{
		Bucket: values["access_logs.s3.bucket"], Key: key, Region: lb.Region, Service: bucketpolicy.LoadBalancers,
		Source: lb.ARN,
	}, values["access_logs.s3.enabled"] == "true"
}

// writeTestFile writes the test file if a change has enabled access logs, or moved them.
func (a *API) writeTestFile(lb *store.LoadBalancer, values map[string]string) error {
	old, was := testFile(lb, lb.Attributes)
	test, enabled := testFile(lb, values)
	if a.deliver == nil || !enabled || was && old == test {
		return nil
	}
	return a.deliver(test, strings.NewReader("Enable AccessLog for ELB: "+lb.Name+" at "+a.now().UTC().String()))
}
