//go:build linux

package cli

import (
	"strings"
	"testing"
)

// An endpoint that is not Amazon's may lack operations, and answer with a web page.
func TestDownDeletesWhatAnEndpointWithoutAllServicesOffers(t *testing.T) {
	for operation, service := range map[string]string{
		"DescribeAlarms": "cloudwatch", "DescribeAutoScalingGroups": "autoscaling", "DescribeLaunchTemplates": "ec2",
		"DescribeTargetHealth": "elasticloadbalancing", "PutParameter": "ssm", "GetParametersByPath": "",
	} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "")
			s.must(t, "up SITE")
			code, stderr := s.run(t, &failingTransport{operation: operation}, "down SITE --yes --images")
			unchecked := "The endpoint does not offer " + service + ":" + operation
			if code != ExitOK || service != "" && !strings.Contains(stderr, unchecked) {
				t.Errorf("exit code %d, want %q in\n%s", code, unchecked, stderr)
			}
			code, stderr = s.run(t, &failingTransport{}, "status SITE")
			if !strings.Contains(stderr, "is not deployed") {
				t.Errorf("after down: exit code %d\n%s", code, stderr)
			}
		})
	}
}

func TestOperationsThatAnEndpointLacksAreNamed(t *testing.T) {
	for line, operations := range map[string][]string{
		"plan SITE": {
			"GetCallerIdentity", "DescribeAvailabilityZones", "DescribeInstanceTypes", "DescribeAutoScalingGroups",
			"DescribeVpcs", "DescribeLoadBalancers",
		},
		"status SITE": {"DescribeInstances", "DescribeTargetGroups", "GetParameter"},
		"up SITE":     {"PutParameter", "ImportKeyPair", "CreateVpc"},
	} {
		for _, operation := range operations {
			s := newSite(t, "")
			if line == "status SITE" {
				s.must(t, "up SITE")
			}
			code, stderr := s.run(t, &failingTransport{operation: operation}, line)
			report := []string{operation + ": ", "the endpoint does not offer this operation", "--endpoint"}
			for _, words := range report {
				if code != ExitError || !strings.Contains(stderr, words) {
					t.Errorf("%s without %s: exit code %d, want %q in\n%s", line, operation, code, words, stderr)
				}
			}
		}
	}
}
