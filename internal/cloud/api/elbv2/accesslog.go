package elbv2

import (
	"path"
	"strings"

	"aloft.dev/aloft/internal/cloud/bucketpolicy"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// bucketLog is a kind of log that load balancers put into a bucket.
type bucketLog struct {
	attributes string // what the names of its attributes begin with
	test       string // name of the file that shows whether the bucket admits it
}

// bucketLogs are the kinds of logs (Application Load Balancer guide, "Access logs", "Connection
// logs" and "Health check logs").
var bucketLogs = []bucketLog{
	{"access_logs.s3.", "ELBAccessLogTestFile"},
	{"connection_logs.s3.", "ELBConnectionLogTestFile"},
	{"health_check_logs.s3.", "ELBHealthCheckLogTestFile"},
}

// checkLogs refuses logs that have no valid destination: the bucket must exist in the load
// balancer's region and its policy must admit them.
func checkLogs(r store.Reader, lb *store.LoadBalancer, values map[string]string) error {
	for _, kind := range bucketLogs {
		test, enabled := kind.testFile(lb, values)
		switch {
		case !enabled:
			continue
		case strings.Contains(values[kind.attributes+"prefix"], "AWSLogs"):
			return wire.Errorf("InvalidConfigurationRequest", "The prefix must not include the string AWSLogs")
		}
		if _, admitted := bucketpolicy.Admits(r, test); !admitted {
			return wire.Errorf("InvalidConfigurationRequest",
				"Access Denied for bucket: %s. Please check S3bucket permission", test.Bucket)
		}
	}
	return nil
}

// testFile returns the file that a load balancer writes to its bucket when logs are enabled, to
// see whether it may. The logs of Network Load Balancers have another deliverer (Network Load
// Balancer guide, "Enable access logs").
func (kind bucketLog) testFile(
	lb *store.LoadBalancer, values map[string]string,
) (d bucketpolicy.Delivery, enabled bool) {
	d = bucketpolicy.Delivery{
		Bucket: values[kind.attributes+"bucket"],
		Key:    path.Join(values[kind.attributes+"prefix"], "AWSLogs", lb.Region.Account(), kind.test),
		Region: lb.Region, Service: bucketpolicy.LoadBalancers, Source: lb.ARN,
	}
	if lb.IsNetwork() {
		d.Service, d.Source = bucketpolicy.Logs, identity.ARN("logs", lb.Region, "*")
	}
	return d, values[kind.attributes+"enabled"] == "true"
}

// writeTestFiles writes the test files of logs that a change has enabled, or moved.
func (a *API) writeTestFiles(lb *store.LoadBalancer, values map[string]string) error {
	if a.deliver == nil {
		return nil
	}
	for _, kind := range bucketLogs {
		old, was := kind.testFile(lb, lb.Attributes)
		test, enabled := kind.testFile(lb, values)
		if !enabled || was && old == test {
			continue
		}
		content := "Enable AccessLog for ELB: " + lb.Name + " at " + a.now().UTC().String()
		if err := a.deliver(test, strings.NewReader(content)); err != nil {
			return err
		}
	}
	return nil
}
