package blueprint

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// Listener is a listener of the load balancer.
type Listener struct {
	Item[types.Listener]
	Headers map[string]string // that it adds to responses, by the names of its attributes
}

// Target is the registration of a fixed server.
type Target struct {
	plan.Found
	Server, Group string // id and ARN
	Port          int64
}

// elbTags returns the tags of a resource of Elastic Load Balancing.
func (r *reader) elbTags(ctx context.Context, arn string) (map[string]string, error) {
	out, err := r.source.Client.ELB.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: []string{arn}})
	if err != nil || len(out.TagDescriptions) == 0 {
		return nil, err
	}
	return tagsOf(out.TagDescriptions[0].Tags, func(t types.Tag) (key, value *string) { return t.Key, t.Value }), nil
}

// balancing reads the target group and the load balancer.
func (r *reader) balancing(ctx context.Context) (err error) {
	api := r.source.Client.ELB
	r.TargetGroups, err = each(r, stack.KindTargetGroup,
		func(f plan.Found) (types.TargetGroup, map[string]string, error) {
			g, err := only(func(o *elb.DescribeTargetGroupsOutput) []types.TargetGroup { return o.TargetGroups })(
				api.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{TargetGroupArns: []string{f.ID}}))
			if err != nil {
				return g, nil, err
			}
			tags, err := r.elbTags(ctx, f.ID)
			return g, tags, err
		})
	if err != nil {
		return err
	}
	r.LoadBalancers, err = each(r, stack.KindLoadBalancer,
		func(f plan.Found) (types.LoadBalancer, map[string]string, error) {
			l, err := only(func(o *elb.DescribeLoadBalancersOutput) []types.LoadBalancer { return o.LoadBalancers })(
				api.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{f.ID}}))
			if err != nil {
				return l, nil, err
			}
			tags, err := r.elbTags(ctx, f.ID)
			return l, tags, err
		})
	return err
}

// certificates reads the application's certificates, with how they are validated.
func (r *reader) certificates(ctx context.Context) (err error) {
	api := r.source.Client.ACM
	r.Certificates, err = each(r, stack.KindCertificate,
		func(f plan.Found) (acmtypes.CertificateDetail, map[string]string, error) {
			out, err := api.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: &f.ID})
			if err != nil {
				return acmtypes.CertificateDetail{}, nil, err
			}
			tags, err := api.ListTagsForCertificate(ctx, &acm.ListTagsForCertificateInput{CertificateArn: &f.ID})
			if err != nil {
				return acmtypes.CertificateDetail{}, nil, err
			}
			all := tagsOf(tags.Tags, func(t acmtypes.Tag) (key, value *string) { return t.Key, t.Value })
			return *out.Certificate, all, nil
		})
	return err
}

// KeyAlgorithm returns an algorithm as requests have it: descriptions have a hyphen in place of
// the underscore.
func KeyAlgorithm(described acmtypes.KeyAlgorithm) string {
	return strings.ReplaceAll(string(described), "-", "_")
}

// HostedZone returns the id of the hosted zone that owns a name of the application, and the name
// of its record. id is "" if the DNS is elsewhere.
func (b *Blueprint) HostedZone(domain string) (id, name string) {
	for _, f := range b.Records {
		if f.Value(stack.AttrName) == strings.TrimPrefix(domain, "*.") {
			return f.Value(stack.AttrHostedZone), f.Value(stack.AttrName)
		}
	}
	return "", ""
}

// listeners reads the listeners of HTTP and HTTPS.
func (r *reader) listeners(ctx context.Context) error {
	api := r.source.Client.ELB
	all, err := each(r, stack.KindListener, func(f plan.Found) (types.Listener, map[string]string, error) {
		l, err := only(func(o *elb.DescribeListenersOutput) []types.Listener { return o.Listeners })(
			api.DescribeListeners(ctx, &elb.DescribeListenersInput{ListenerArns: []string{f.ID}}))
		if err != nil {
			return l, nil, err
		}
		tags, err := r.elbTags(ctx, f.ID)
		return l, tags, err
	})
	if err != nil {
		return err
	}
	for _, l := range all {
		headers := map[string]string{}
		if l.AWS.Protocol == types.ProtocolEnumHttps {
			out, err := api.DescribeListenerAttributes(ctx, &elb.DescribeListenerAttributesInput{ListenerArn: &l.ID})
			if err != nil {
				return reading("the attributes of "+l.Label(), err)
			}
			for _, a := range out.Attributes {
				key, value := aws.ToString(a.Key), aws.ToString(a.Value)
				if strings.HasPrefix(key, "routing.http.response.") && strings.HasSuffix(key, ".header_value") &&
					value != "" {
					headers[key] = value
				}
			}
		}
		r.Listeners = append(r.Listeners, Listener{l, headers})
	}
	return nil
}

// ForwardsTo returns the ARN of the target group to which an action forwards, "" if it does not.
func ForwardsTo(action types.Action) string {
	if action.TargetGroupArn != nil {
		return *action.TargetGroupArn
	}
	if f := action.ForwardConfig; f != nil && len(f.TargetGroups) > 0 {
		return aws.ToString(f.TargetGroups[0].TargetGroupArn)
	}
	return ""
}

// servers reads the fixed servers and their registrations with the target group.
func (r *reader) servers(ctx context.Context) error {
	all, err := each(r, stack.KindServer, func(f plan.Found) (ec2types.Instance, map[string]string, error) {
		reservation, err := only(func(o *ec2.DescribeInstancesOutput) []ec2types.Reservation { return o.Reservations })(
			r.source.Client.EC2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{f.ID}}))
		if err != nil {
			return ec2types.Instance{}, nil, err
		}
		i := reservation.Instances[0] // a reservation has at least one
		return i, EC2Tags(i.Tags), nil
	})
	if err != nil {
		return err
	}
	for _, s := range all {
		if !stack.Transient(s.Address) {
			r.Servers = append(r.Servers, s)
		}
	}
	for _, f := range r.source.kind(stack.KindTarget) {
		port, err := strconv.ParseInt(f.Value(stack.AttrPort), 10, 32)
		if err != nil {
			return reading("the port of "+f.Address, err)
		}
		r.Targets = append(r.Targets, Target{f, f.Value(stack.AttrServer), f.Value(stack.AttrTargetGroup), port})
	}
	return nil
}

// Suffix returns the part of a load balancer's or target group's ARN by which metrics name it:
// "app/shop/…", "targetgroup/shop/…".
func Suffix(arn string) string {
	_, suffix, _ := strings.Cut(arn, ":loadbalancer/")
	if at := strings.Index(arn, ":targetgroup/"); at >= 0 {
		suffix = arn[at+1:]
	}
	return suffix
}
