package terraform

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/blueprint"
	"aloft.dev/aloft/internal/stack"
)

// listeners writes the listeners of HTTP and HTTPS.
func (c *code) listeners() {
	for _, l := range c.Listeners {
		c.listener(l)
	}
}

func (c *code) listener(f blueprint.Listener) {
	l := f.AWS
	b := c.resource(serviceFile, "aws_lb_listener", f.Address, f.ID).isKnownAs(f.ID, "arn").
		text("load_balancer_arn", aws.ToString(l.LoadBalancerArn)).number("port", int64(aws.ToInt32(l.Port))).
		text("protocol", string(l.Protocol)).text("ssl_policy", aws.ToString(l.SslPolicy))
	usual := "" // certificate
	for _, certificate := range l.Certificates {
		usual = aws.ToString(certificate.CertificateArn)
		b.text("certificate_arn", c.certificate(usual))
	}
	b.actions(l.DefaultActions)
	b.tags(f.Tags)
	if l.Protocol == types.ProtocolEnumHttps {
		b.after(c.validation...)
		// The provider names these attributes as AWS does, with other separators (Terraform
		// Registry, aws_lb_listener).
		for _, key := range slices.Sorted(maps.Keys(f.Headers)) {
			b.text(strings.ReplaceAll(key, ".", "_"), f.Headers[key])
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
		if r := action.RedirectConfig; r != nil {
			to := b.inside("default_action").text("type", "redirect").inside("redirect").
				text("protocol", aws.ToString(r.Protocol)).text("port", aws.ToString(r.Port)).
				text("status_code", string(r.StatusCode))
			if host := aws.ToString(r.Host); host != stack.SameHost {
				to.text("host", host)
			}
		} else if group := blueprint.ForwardsTo(action); group != "" {
			b.inside("default_action").text("type", "forward").text("target_group_arn", group)
		}
	}
}
