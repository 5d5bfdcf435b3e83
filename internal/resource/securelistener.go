package resource

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// The listener attribute that adds Strict-Transport-Security to responses (Application
// Load Balancer guide, "HTTP header modification"), and its value: a year.
const (
	hstsAttribute = "routing.http.response.strict_transport_security.header_value"
	hstsValue     = "max-age=31536000"
)

type secureListenerAPI interface {
	DescribeListenerCertificates(
		context.Context, *elb.DescribeListenerCertificatesInput, ...func(*elb.Options),
	) (*elb.DescribeListenerCertificatesOutput, error)
	AddListenerCertificates(
		context.Context, *elb.AddListenerCertificatesInput, ...func(*elb.Options),
	) (*elb.AddListenerCertificatesOutput, error)
	RemoveListenerCertificates(
		context.Context, *elb.RemoveListenerCertificatesInput, ...func(*elb.Options),
	) (*elb.RemoveListenerCertificatesOutput, error)
	DescribeListenerAttributes(
		context.Context, *elb.DescribeListenerAttributesInput, ...func(*elb.Options),
	) (*elb.DescribeListenerAttributesOutput, error)
	ModifyListenerAttributes(
		context.Context, *elb.ModifyListenerAttributesInput, ...func(*elb.Options),
	) (*elb.ModifyListenerAttributesOutput, error)
}

// certificateOf returns the ARN of a listener's certificate.
func (p *Provisioner) certificateOf(body stack.Listener) *string {
	if body.CertificateARN != "" {
		return &body.CertificateARN
	}
	return p.id(body.Certificate)
}

// describeSecureListener adds the certificates and attributes of a listener of HTTPS.
func (c *Cloud) describeSecureListener(ctx context.Context, f *plan.Found) error {
	certificates, err := c.listenerCertificates(ctx, f.ID)
	if err != nil {
		return err
	}
	var arns []string
	for _, certificate := range certificates {
		arns = append(arns, aws.ToString(certificate.CertificateArn))
	}
	f.Set(stack.AttrCertificate, arns...)
	out, err := c.ELB.DescribeListenerAttributes(ctx, &elb.DescribeListenerAttributesInput{ListenerArn: &f.ID})
	if err != nil {
		return err
	}
	f.Set(stack.AttrHSTS, stack.Off)
	for _, a := range out.Attributes {
		if aws.ToString(a.Key) == hstsAttribute && aws.ToString(a.Value) != "" {
			value := aws.ToString(a.Value)
			if value == hstsValue {
				value = stack.On
			}
			f.Set(stack.AttrHSTS, value)
		}
	}
	return nil
}

func (c *Cloud) listenerCertificates(ctx context.Context, listener string) ([]types.Certificate, error) {
	return collect(
		ctx,
		elb.NewDescribeListenerCertificatesPaginator(c.ELB, &elb.DescribeListenerCertificatesInput{
			ListenerArn: &listener,
		}),
		func(page *elb.DescribeListenerCertificatesOutput) []types.Certificate { return page.Certificates },
	)
}

// addCertificate makes a listener serve a certificate. Certificates of the application that
// it serves stay until they are deleted, so that their names are served until then; the
// listener's default is one of them. Others are the user's, who chose a new one: it
// replaces them at once.
func (p *Provisioner) addCertificate(ctx context.Context, current plan.Found, arn string) error {
	serves := current.Values(stack.AttrCertificate)
	if !slices.Contains(serves, arn) {
		_, err := p.ELB.AddListenerCertificates(ctx, &elb.AddListenerCertificatesInput{
			ListenerArn: &current.ID, Certificates: []types.Certificate{{CertificateArn: &arn}},
		})
		if err != nil {
			return awsapi.Wrap("add the certificate to the listener "+current.Name, err)
		}
	}
	for _, other := range serves {
		if other == arn {
			continue
		}
		tags, err := p.certificateTags(ctx, other)
		if err != nil {
			return err
		}
		if tags[stack.TagApp] == p.App {
			continue
		}
		if err := p.replaceCertificate(ctx, current.ID, other, arn); err != nil {
			return err
		}
	}
	return nil
}

// withdrawCertificate takes a certificate from the listeners of a load balancer that have
// another one.
func (p *Provisioner) withdrawCertificate(ctx context.Context, balancer, arn string) error {
	listeners, err := p.listenersOf(ctx, balancer)
	if err != nil {
		return ignoreNotFound("list the listeners that use the certificate", err)
	}
	for _, l := range listeners {
		serves := l.Values(stack.AttrCertificate)
		if i := slices.IndexFunc(serves, func(other string) bool { return other != arn }); i >= 0 &&
			slices.Contains(serves, arn) {
			if err := p.replaceCertificate(ctx, l.ID, arn, serves[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// replaceCertificate makes another certificate, which the listener serves too, its default
// in place of old, and removes old from its list.
func (p *Provisioner) replaceCertificate(ctx context.Context, listener, old, by string) error {
	certificates, err := p.listenerCertificates(ctx, listener)
	if err != nil {
		return awsapi.Wrap("read the certificates of the listener", err)
	}
	listed := false
	for _, c := range certificates {
		switch {
		case aws.ToString(c.CertificateArn) != old:
		case !aws.ToBool(c.IsDefault):
			listed = true
		default:
			_, err := p.ELB.ModifyListener(ctx, &elb.ModifyListenerInput{
				ListenerArn: &listener, Certificates: []types.Certificate{{CertificateArn: &by}},
			})
			if err != nil {
				return awsapi.Wrap("change the default certificate of the listener", err)
			}
		}
	}
	if !listed {
		return nil
	}
	_, err = p.ELB.RemoveListenerCertificates(ctx, &elb.RemoveListenerCertificatesInput{
		ListenerArn: &listener, Certificates: []types.Certificate{{CertificateArn: &old}},
	})
	return ignoreNotFound("remove the certificate from the listener", err)
}

// setHSTS makes a listener add Strict-Transport-Security to responses, or not.
func (p *Provisioner) setHSTS(ctx context.Context, listener plan.Found, on bool) error {
	value := ""
	if on {
		value = hstsValue
	}
	_, err := p.ELB.ModifyListenerAttributes(ctx, &elb.ModifyListenerAttributesInput{
		ListenerArn: &listener.ID,
		Attributes:  []types.ListenerAttribute{{Key: aws.String(hstsAttribute), Value: &value}},
	})
	return awsapi.Wrap("set the headers of the listener "+listener.Name, err)
}
