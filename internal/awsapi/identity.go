package awsapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"aloft.dev/aloft/internal/diag"
)

// Authenticate checks that there are credentials and that the region accepts them, so
// that a command stops before it does anything else. It asks for an MFA code if the
// profile needs one. An endpoint that does not offer AWS STS is accepted. Its errors
// are diagnostics.
func (c *Client) Authenticate(ctx context.Context) error {
	if _, err := c.config.Credentials.Retrieve(ctx); err != nil {
		return c.explainCredentials(err)
	}
	_, err := c.STS.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err == nil || IsUnsupported(err) {
		return nil
	}
	if !c.own {
		if problem := c.regionProblem(ctx, err); problem != nil {
			return diag.List{problem}
		}
	}
	return Explain("credentials", fmt.Errorf("read the caller's identity: %w", err))
}

// homeRegion returns a region that every account of a region's partition has (AWS
// General Reference, "Regions, Availability Zones, and Local Zones"; AWS GovCloud (US)
// and Amazon Web Services in China User Guides).
func homeRegion(region string) string {
	switch {
	case strings.HasPrefix(region, "us-gov-"):
		return "us-gov-west-1"
	case strings.HasPrefix(region, "cn-"):
		return "cn-north-1"
	}
	return "us-east-1"
}

// regionProblem explains a failed request for the caller's identity if the cause is the
// region: another region accepts the same credentials. It returns nil if it does not.
//
// A region that the account has not enabled answers InvalidClientTokenId, AuthFailure,
// UnrecognizedClientException or OptInRequired, as for unknown credentials (AWS
// re:Post, "Why did I receive the error AuthFailure"). So does one that is enabled, for
// session tokens of version 1, which the global endpoint of STS issues (IAM User Guide,
// "Manage AWS STS in an AWS Region"). A region that does not exist has no host name.
func (c *Client) regionProblem(ctx context.Context, cause error) *diag.Diagnostic {
	var name *net.DNSError
	unknown := errors.As(cause, &name) && name.IsNotFound
	home := homeRegion(c.Region)
	if home == c.Region || !unknown && !IsIdentity(cause) && Code(cause) != "OptInRequired" {
		return nil
	}
	_, err := c.STS.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}, func(o *sts.Options) { o.Region = home })
	if err != nil {
		return nil
	}
	d := &diag.Diagnostic{
		Where: "region " + c.Region, Cause: cause, Detail: attempted(cause),
		Summary: "does not accept the credentials that " + home + " accepts: perhaps the account has not enabled it",
	}
	if code := Code(cause); code != "" {
		d.Detail = code + ": " + Message(cause)
	}
	enable := "enable it (aws account enable-region --region-name " + c.Region + "; it takes minutes)"
	d.Hint = enable + ", or choose another with --region"
	regions, err := c.EC2.DescribeRegions(
		ctx, &ec2.DescribeRegionsInput{AllRegions: aws.Bool(true)}, func(o *ec2.Options) { o.Region = home },
	)
	if err != nil {
		return d // the caller need not be allowed to list regions
	}
	var enabled []string
	status := ""
	for _, r := range regions.Regions {
		if aws.ToString(r.RegionName) == c.Region {
			status = aws.ToString(r.OptInStatus)
		}
		if aws.ToString(r.OptInStatus) != notOptedIn {
			enabled = append(enabled, aws.ToString(r.RegionName))
		}
	}
	slices.Sort(enabled)
	others := "choose one of these with --region: " + strings.Join(enabled, ", ")
	switch status {
	case "":
		d.Summary, d.Hint = "AWS has no region of this name", others
	case notOptedIn:
		d.Summary, d.Hint = "is not enabled in this account", enable+", or "+others
	default:
		d.Summary = "does not accept the session token, although the region is enabled"
		d.Hint = "get a token from a regional endpoint of STS (AWS_STS_REGIONAL_ENDPOINTS=regional): " +
			"those of the global endpoint are not valid in regions that have to be enabled"
	}
	return d
}

// notOptedIn is the status of a region that the account has not enabled (Amazon EC2 API
// Reference, Region, optInStatus).
const notOptedIn = "not-opted-in"
