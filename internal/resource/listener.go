package resource

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

var listenerKind = kind{
	name:   stack.KindListener,
	find:   findListeners,
	create: created((*Provisioner).createListener),
	update: updated((*Provisioner).updateListener),
	remove: (*Provisioner).deleteListener,
}

type listenerAPI interface {
	DescribeListeners(
		context.Context, *elb.DescribeListenersInput, ...func(*elb.Options),
	) (*elb.DescribeListenersOutput, error)
	CreateListener(context.Context, *elb.CreateListenerInput, ...func(*elb.Options)) (*elb.CreateListenerOutput, error)
	ModifyListener(context.Context, *elb.ModifyListenerInput, ...func(*elb.Options)) (*elb.ModifyListenerOutput, error)
	DeleteListener(context.Context, *elb.DeleteListenerInput, ...func(*elb.Options)) (*elb.DeleteListenerOutput, error)
}

// findListeners returns the listeners of the application's load balancers, which
// are all the application's.
func findListeners(ctx context.Context, d *discovery) ([]plan.Found, error) {
	return d.findAllListeners(ctx)
}

func (d *discovery) findAllListeners(ctx context.Context) ([]plan.Found, error) {
	return d.listeners.get(func() ([]plan.Found, error) {
		balancing, err := d.findLoadBalancing(ctx)
		if err != nil {
			return nil, err
		}
		lists := make([][]plan.Found, len(balancing.balancers))
		group, listing := errgroup.WithContext(ctx)
		for i, balancer := range balancing.balancers {
			group.Go(func() (err error) {
				lists[i], err = d.listenersOf(listing, aws.ToString(balancer.LoadBalancerArn))
				return ignoreNotFound("list the listeners of "+aws.ToString(balancer.LoadBalancerName), err)
			})
		}
		if err := group.Wait(); err != nil {
			return nil, d.ignoreUnsupported(err)
		}
		all := slices.Concat(lists...)
		var arns []string
		for _, f := range all {
			arns = append(arns, f.ID)
		}
		tags, err := d.elbTagsOf(ctx, arns)
		for i := range all {
			setTags(&all[i], tags[all[i].ID])
		}
		return all, d.ignoreUnsupported(err)
	})
}

// listenersOf returns the listeners of a load balancer.
func (c *Cloud) listenersOf(ctx context.Context, balancer string) ([]plan.Found, error) {
	list, err := collect(
		ctx,
		elb.NewDescribeListenersPaginator(c.ELB, &elb.DescribeListenersInput{LoadBalancerArn: &balancer}),
		func(page *elb.DescribeListenersOutput) []types.Listener { return page.Listeners },
	)
	if err != nil {
		return nil, err
	}
	all := describe(list, describeListener)
	for i := range all {
		if list[i].Protocol == types.ProtocolEnumHttps {
			if err := c.describeSecureListener(ctx, &all[i]); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

func describeListener(l types.Listener) plan.Found {
	f := plan.Found{
		Address: stack.AddressListener,
		Kind:    stack.KindListener,
		ID:      aws.ToString(l.ListenerArn),
		Name:    fmt.Sprintf("%s:%d", l.Protocol, aws.ToInt32(l.Port)),
	}
	if l.Protocol == types.ProtocolEnumHttps {
		f.Address = stack.AddressSecureListener
		f.Set(stack.AttrTLSPolicy, aws.ToString(l.SslPolicy))
	}
	f.Set(stack.AttrLoadBalancer, aws.ToString(l.LoadBalancerArn))
	f.Set(stack.AttrPort, number(l.Port))
	f.Set(stack.AttrProtocol, string(l.Protocol))
	var groups, redirects []string
	for _, action := range l.DefaultActions {
		switch {
		case action.ForwardConfig != nil:
			for _, group := range action.ForwardConfig.TargetGroups {
				groups = append(groups, aws.ToString(group.TargetGroupArn))
			}
		case action.TargetGroupArn != nil:
			groups = append(groups, *action.TargetGroupArn)
		case action.RedirectConfig != nil:
			to := action.RedirectConfig
			redirects = append(redirects, stack.Redirection(
				aws.ToString(to.Protocol), cmp.Or(aws.ToString(to.Host), stack.SameHost), aws.ToString(to.Port)))
		}
	}
	f.Set(stack.AttrForwardsTo, groups...)
	f.Set(stack.AttrRedirectsTo, redirects...)
	return f
}

// actions returns what a listener does with requests.
func (p *Provisioner) actions(body stack.Listener) []types.Action {
	if body.Redirects() {
		return []types.Action{{Type: types.ActionTypeEnumRedirect, RedirectConfig: &types.RedirectActionConfig{
			Protocol: aws.String("HTTPS"), Port: aws.String(strconv.Itoa(stack.HTTPSPort)),
			Host: &body.RedirectHost, StatusCode: types.RedirectActionStatusCodeEnumHttp301,
		}}}
	}
	return []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: p.id(body.TargetGroup)}}
}

func (p *Provisioner) createListener(ctx context.Context, r stack.Resource, body stack.Listener) (plan.Found, error) {
	f := plan.Found{Address: r.Address}
	in := &elb.CreateListenerInput{
		LoadBalancerArn: p.id(body.LoadBalancer),
		Protocol:        types.ProtocolEnum(body.Protocol()),
		Port:            int32Pointer(body.Port),
		DefaultActions:  p.actions(body),
		Tags:            elbTags(p.tags(r)),
	}
	if body.Secure {
		in.SslPolicy = aws.String(stack.TLSPolicy)
		in.Certificates = []types.Certificate{{CertificateArn: p.certificateOf(body)}}
	}
	what := fmt.Sprintf("create the listener on port %d", body.Port)
	err := retryEventual(ctx, what, func(ctx context.Context) error {
		out, err := p.ELB.CreateListener(ctx, in)
		if err == nil {
			f = describeListener(out.Listeners[0])
		}
		return err
	})
	if err != nil || !body.HSTS {
		return f, err
	}
	return f, p.setHSTS(ctx, f, body.HSTS)
}

func (p *Provisioner) updateListener(
	ctx context.Context,
	_ stack.Resource,
	body stack.Listener,
	current plan.Found,
) error {
	in := &elb.ModifyListenerInput{
		ListenerArn:    &current.ID,
		Protocol:       types.ProtocolEnum(body.Protocol()),
		Port:           int32Pointer(body.Port),
		DefaultActions: p.actions(body),
	}
	if body.Secure {
		if err := p.addCertificate(ctx, current, *p.certificateOf(body)); err != nil {
			return err
		}
		in.SslPolicy = aws.String(stack.TLSPolicy)
	}
	if _, err := p.ELB.ModifyListener(ctx, in); err != nil {
		return awsapi.Wrap("change the listener "+current.Name, err)
	}
	if !body.Secure {
		return nil
	}
	return p.setHSTS(ctx, current, body.HSTS)
}

func (p *Provisioner) deleteListener(ctx context.Context, f plan.Found) error {
	_, err := p.ELB.DeleteListener(ctx, &elb.DeleteListenerInput{ListenerArn: &f.ID})
	return ignoreNotFound("delete the listener "+f.Name, err)
}
