package resource

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

func describeListener(l types.Listener) plan.Found {
	f := plan.Found{Kind: stack.KindListener, ID: aws.ToString(l.ListenerArn), Status: map[string]string{}}
	f.Name = fmt.Sprintf("%s:%d", l.Protocol, aws.ToInt32(l.Port))
	f.Set("load balancer", aws.ToString(l.LoadBalancerArn))
	f.Set("port", strconv.Itoa(int(aws.ToInt32(l.Port))))
	f.Set("protocol", string(l.Protocol))
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
	f.Set("forwards to", groups...)
	return f
}

func (s *Site) forward(body stack.Listener) []types.Action {
	return []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: s.id(body.TargetGroup)}}
}

func (s *Site) createListener(ctx context.Context, r stack.Resource, body stack.Listener) (plan.Found, error) {
	var f plan.Found
	err := s.soon(ctx, fmt.Sprintf("create the listener on port %d", body.Port), func(ctx context.Context) error {
		made, err := s.ELB.CreateListener(ctx, &elb.CreateListenerInput{
			LoadBalancerArn: s.id(
				body.LoadBalancer,
			), Protocol: types.ProtocolEnumHttp, Port: aws.Int32(int32(body.Port)),
			DefaultActions: s.forward(body), Tags: elbTags(s.tags(r)),
		})
		if err == nil {
			f = describeListener(made.Listeners[0])
		}
		return err
	})
	f.Address = r.Address
	return f, err
}

func (s *Site) updateListener(ctx context.Context, body stack.Listener, now plan.Found) error {
	_, err := s.ELB.ModifyListener(
		ctx,
		&elb.ModifyListenerInput{
			ListenerArn:    &now.ID,
			Protocol:       types.ProtocolEnumHttp,
			Port:           aws.Int32(int32(body.Port)),
			DefaultActions: s.forward(body),
		},
	)
	if err != nil {
		return fmt.Errorf("change the listener %s: %w", now.Name, err)
	}
	return nil
}

func (s *Site) deleteListener(ctx context.Context, f plan.Found) error {
	if _, err := s.ELB.DeleteListener(ctx, &elb.DeleteListenerInput{ListenerArn: &f.ID}); err != nil &&
		!awsapi.IsNotFound(err) {
		return fmt.Errorf("delete the listener %s: %w", f.Name, err)
	}
	return nil
}
