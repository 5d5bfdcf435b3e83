//go:build linux

package simulation

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
)

// HostedZone creates a hosted zone and returns its id.
func (c *Cloud) HostedZone(t *testing.T, name string) string {
	t.Helper()
	out := Must(c.Client(t, nil).DNS.CreateHostedZone(t.Context(), &route53.CreateHostedZoneInput{
		Name: &name, CallerReference: aws.String(name),
	}))(t)
	return aws.ToString(out.HostedZone.Id)
}
