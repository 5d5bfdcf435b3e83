package ec2

import (
	"errors"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/cloud/wire"
)

func TestADryRunValidatesAndChangesNothing(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	before := c.rows()
	_, err := c.CreateSubnet(
		c.ctx,
		&ec2.CreateSubnetInput{VpcId: &vpc, CidrBlock: aws.String("10.0.1.0/24"), DryRun: aws.Bool(true)},
	)
	refusal, ok := errors.AsType[*wire.Error](err)
	if !ok || refusal.Code != "DryRunOperation" || refusal.Status != http.StatusPreconditionFailed ||
		refusal.Message != "Request would have succeeded, but DryRun flag is set." {
		t.Errorf("got %v", err)
	}
	wantError(c, c.CreateSubnet,
		&ec2.CreateSubnetInput{VpcId: &vpc, CidrBlock: aws.String("10.9.1.0/24"), DryRun: aws.Bool(true)},
		"InvalidSubnet.Range: The CIDR '10.9.1.0/24' is invalid.")
	if diff := cmp.Diff(before, c.rows()); diff != "" {
		t.Error(diff)
	}
}
