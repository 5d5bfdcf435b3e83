package terraform

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// listeners writes the listeners of HTTP and HTTPS.
func (c *code) listeners(ctx context.Context) error {
	for _, f := range c.source.kind(stack.KindListener) {
		if err := c.listener(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

func (c *code) listener(ctx context.Context, f plan.Found) error {
	list, err := c.source.Client.ELB.DescribeListeners(ctx, &elb.DescribeListenersInput{ListenerArns: []string{f.ID}})
	if err != nil || len(list.Listeners) == 0 {
		return reading("listener "+f.Name, err)
	}
	tags, err := c.elbTags(ctx, f.ID)
	if err != nil {
		return err
	}
	l := list.Listeners[0]
	b := c.resource(serviceFile, "aws_lb_listener", f.Address, f.ID).isKnownAs(f.ID, "arn").
		text("load_balancer_arn", aws.ToString(l.LoadBalancerArn)).number("port", int64(aws.ToInt32(l.Port))).
		text("protocol", string(l.Protocol)).text("ssl_policy", aws.ToString(l.SslPolicy))
	usual := "" // certificate
	for _, certificate := range l.Certificates {
		usual = aws.ToString(certificate.CertificateArn)
		b.text("certificate_arn", c.certificate(usual))
	}
	b.actions(l.DefaultActions)
	b.tags(tags)
	if l.Protocol == types.ProtocolEnumHttps {
		if err := b.after(c.validation...).headers(ctx, f.ID); err != nil {
			return err
		}
	}
	if len(f.Values(stack.AttrForwardsTo)) > 0 {
		// AWS describes the action a second time, as one that forwards to several groups.
		b.ignores("default_action[0].forward")
	}
	for i, arn := range f.Values(stack.AttrCertificate) {
		if arn != usual {
			c.resource(serviceFile, "aws_lb_listener_certificate", fmt.Sprintf("%s-%d", f.Address, i+1), f.ID+"_"+arn).
				text("listener_arn", f.ID).text("certificate_arn", c.certificate(arn))
		}
	}
	return nil
}

// certificate returns the ARN of a certificate. One that is not the application's is an input.
func (c *code) certificate(arn string) string {
	if _, known := c.references[arn]; !known {
		c.declare("certificate", variable{what: "ARN of the certificate, which the account has already", value: arn})
		c.references[arn] = variableOf("certificate")
	}
	return arn
}

// actions writes what a listener does with requests.
func (b block) actions(actions []types.Action) {
	for _, action := range actions {
		switch {
		case action.RedirectConfig != nil:
			r := action.RedirectConfig
			to := b.inside("default_action").text("type", "redirect").inside("redirect").
				text("protocol", aws.ToString(r.Protocol)).text("port", aws.ToString(r.Port)).
				text("status_code", string(r.StatusCode))
			if host := aws.ToString(r.Host); host != stack.SameHost {
				to.text("host", host)
			}
		case action.TargetGroupArn != nil:
			b.inside("default_action").text("type", "forward").text("target_group_arn", *action.TargetGroupArn)
		case action.ForwardConfig != nil:
			for _, group := range action.ForwardConfig.TargetGroups {
				b.inside("default_action").text("type", "forward").
					text("target_group_arn", aws.ToString(group.TargetGroupArn))
			}
		}
	}
}

// headers writes the headers that a listener adds to responses. The provider names their
// attributes as AWS does, with other separators (Terraform Registry, aws_lb_listener).
func (b block) headers(ctx context.Context, listener string) error {
	out, err := b.source.Client.ELB.DescribeListenerAttributes(ctx, &elb.DescribeListenerAttributesInput{
		ListenerArn: &listener,
	})
	if err != nil {
		return reading("the attributes of "+listener, err)
	}
	for _, a := range out.Attributes {
		key := aws.ToString(a.Key)
		if strings.HasPrefix(key, "routing.http.response.") && strings.HasSuffix(key, ".header_value") {
			b.text(strings.ReplaceAll(key, ".", "_"), aws.ToString(a.Value))
		}
	}
	return nil
}
