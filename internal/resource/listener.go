package resource

import (
	"context"
	"fmt"
	"slices"

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
	balancing, err := d.findLoadBalancing(ctx)
	if err != nil {
		return nil, err
	}
	lists := make([][]plan.Found, len(balancing.balancers))
	group, listing := errgroup.WithContext(ctx)
	for i, balancer := range balancing.balancers {
		group.Go(func() error {
			list, err := collect(
				listing,
				elb.NewDescribeListenersPaginator(d.ELB, &elb.DescribeListenersInput{
					LoadBalancerArn: balancer.LoadBalancerArn,
				}),
				func(page *elb.DescribeListenersOutput) []types.Listener { return page.Listeners },
			)
			lists[i] = describe(list, describeListener)
			return ignoreNotFound("list the listeners of "+aws.ToString(balancer.LoadBalancerName), err)
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
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
}

func describeListener(l types.Listener) plan.Found {
	f := plan.Found{
		Address: stack.AddressListener,
		Kind:    stack.KindListener,
		ID:      aws.ToString(l.ListenerArn),
		Name:    fmt.Sprintf("%s:%d", l.Protocol, aws.ToInt32(l.Port)),
	}
	f.Set(stack.AttrLoadBalancer, aws.ToString(l.LoadBalancerArn))
	f.Set(stack.AttrPort, number(l.Port))
	f.Set(stack.AttrProtocol, string(l.Protocol))
	var groups []string
	for _, action := range l.DefaultActions {
		if action.ForwardConfig != nil {
			for _, group := range action.ForwardConfig.TargetGroups {
				groups = append(groups, aws.ToString(group.TargetGroupArn))
			}
		} else if action.TargetGroupArn != nil {
			groups = append(groups, *action.TargetGroupArn)
		}
	}
	f.Set(stack.AttrForwardsTo, groups...)
	return f
}

func (p *Provisioner) forward(body stack.Listener) []types.Action {
	return []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: p.id(body.TargetGroup)}}
}

func (p *Provisioner) createListener(ctx context.Context, r stack.Resource, body stack.Listener) (plan.Found, error) {
	f := plan.Found{Address: r.Address}
	what := fmt.Sprintf("create the listener on port %d", body.Port)
	err := retryEventual(ctx, what, func(ctx context.Context) error {
		out, err := p.ELB.CreateListener(ctx, &elb.CreateListenerInput{
			LoadBalancerArn: p.id(body.LoadBalancer),
			Protocol:        types.ProtocolEnumHttp,
			Port:            int32Pointer(body.Port),
			DefaultActions:  p.forward(body),
			Tags:            elbTags(p.tags(r)),
		})
		if err == nil {
			f = describeListener(out.Listeners[0])
		}
		return err
	})
	return f, err
}

func (p *Provisioner) updateListener(
	ctx context.Context,
	_ stack.Resource,
	body stack.Listener,
	current plan.Found,
) error {
	_, err := p.ELB.ModifyListener(ctx, &elb.ModifyListenerInput{
		ListenerArn:    &current.ID,
		Protocol:       types.ProtocolEnumHttp,
		Port:           int32Pointer(body.Port),
		DefaultActions: p.forward(body),
	})
	return awsapi.Wrap("change the listener "+current.Name, err)
}

func (p *Provisioner) deleteListener(ctx context.Context, f plan.Found) error {
	_, err := p.ELB.DeleteListener(ctx, &elb.DeleteListenerInput{ListenerArn: &f.ID})
	return ignoreNotFound("delete the listener "+f.Name, err)
}
