package resource

import (
	"context"
	"strconv"

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

// findProtection sets whether a load balancer is protected against deletion, if the spec
// asks for that or an earlier one did. Otherwise it is left to whoever has set it.
func (d *discovery) findProtection(ctx context.Context, f *plan.Found) error {
	if !d.Protected && f.Status.Tags[stack.TagProtected] == "" {
		return nil
	}
	out, err := d.ELB.DescribeLoadBalancerAttributes(ctx, &elb.DescribeLoadBalancerAttributesInput{
		LoadBalancerArn: &f.ID,
	})
	if err != nil {
		return d.ignoreUnsupported(ignoreNotFound("read the attributes of load balancer "+f.Name, err))
	}
	for _, a := range out.Attributes {
		if aws.ToString(a.Key) == deletionProtection && aws.ToString(a.Value) == "true" {
			f.Set(stack.AttrProtection, stack.On)
		}
	}
	return nil
}

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
