package resource

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// deletionProtection is the attribute of a load balancer with which AWS refuses to delete
// it (Elastic Load Balancing API Reference, LoadBalancerAttribute).
const deletionProtection = "deletion_protection.enabled"

// findBalancerSettings sets whether a load balancer is protected against deletion and where
// its access logs go, if the spec asks for that or an earlier one did. Otherwise it is left
// to whoever has set it.
func (d *discovery) findBalancerSettings(ctx context.Context, f *plan.Found) error {
	protected := d.Protected || f.Status.Tags[stack.TagProtected] != ""
	buckets, err := findBuckets(ctx, d)
	if err != nil {
		return d.ignoreUnsupported(err)
	}
	logs := d.AccessLogs || len(buckets) > 0
	if !protected && !logs {
		return nil
	}
	out, err := d.ELB.DescribeLoadBalancerAttributes(ctx, &elb.DescribeLoadBalancerAttributesInput{
		LoadBalancerArn: &f.ID,
	})
	if err != nil {
		return d.ignoreUnsupported(ignoreNotFound("read the attributes of load balancer "+f.Name, err))
	}
	values := map[string]string{}
	for _, a := range out.Attributes {
		values[aws.ToString(a.Key)] = aws.ToString(a.Value)
	}
	if protected && values[deletionProtection] == "true" {
		f.Set(stack.AttrProtection, stack.On)
	}
	if logs && values[logsEnabled] == "true" {
		f.Set(stack.AttrAccessLogs, values[logsBucket])
	}
	return nil
}

// Attributes of load balancers about access logs.
const (
	logsEnabled = "access_logs.s3.enabled"
	logsBucket  = "access_logs.s3.bucket"
)

// setAccessLogs makes a load balancer write access logs to a bucket, or none if that is "".
// What was just created may not be known everywhere, and a policy not yet in effect.
func (p *Provisioner) setAccessLogs(ctx context.Context, f plan.Found, bucket string) error {
	attributes := []types.LoadBalancerAttribute{
		{Key: aws.String(logsEnabled), Value: aws.String(strconv.FormatBool(bucket != ""))},
	}
	if bucket != "" {
		attributes = append(attributes, types.LoadBalancerAttribute{Key: aws.String(logsBucket), Value: &bucket})
	}
	what := "set the access logs of load balancer " + f.Name
	denied := func(err error) bool {
		return bucket != "" && awsapi.Code(err) == "InvalidConfigurationRequest"
	}
	return awsapi.Wrap(what, awsapi.Retry(ctx, policyLimit, what, denied, func(ctx context.Context) error {
		_, err := p.ELB.ModifyLoadBalancerAttributes(ctx, &elb.ModifyLoadBalancerAttributesInput{
			LoadBalancerArn: &f.ID, Attributes: attributes,
		})
		return err
	}))
}

// policyLimit is how long the policy of a bucket may take to be in effect.
const policyLimit = time.Minute

// setProtection protects a load balancer against deletion, or lifts that.
func (p *Provisioner) setProtection(ctx context.Context, f plan.Found, on bool) error {
	_, err := p.ELB.ModifyLoadBalancerAttributes(ctx, &elb.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: &f.ID,
		Attributes: []types.LoadBalancerAttribute{{
			Key: aws.String(deletionProtection), Value: aws.String(strconv.FormatBool(on)),
		}},
	})
	return awsapi.Wrap("set the deletion protection of load balancer "+f.Name, err)
}
