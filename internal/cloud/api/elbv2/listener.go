package elbv2

import (
	"context"
	"reflect"
	"slices"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// CreateListener adds a listener to a load balancer. Repeating a request returns
// the listener that the first one created.
func (a *API) CreateListener(ctx context.Context, in *elb.CreateListenerInput) (*elb.CreateListenerOutput, error) {
	protocol := protocolInput{in.Protocol, in.Certificates, in.SslPolicy, in.MutualAuthentication, in.AlpnPolicy}
	if err := checkNewListener(in); err != nil {
		return nil, err
	}
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	return update(a, func(tx *store.Tx) (*elb.CreateListenerOutput, error) {
		lb, err := loadBalancer(tx, wire.RegionFrom(ctx), in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		if err := protocol.check(lb); err != nil {
			return nil, err
		}
		actions, err := a.readActions(tx, lb, "defaultActions", in.DefaultActions)
		if err != nil {
			return nil, err
		}
		l := &store.Listener{Region: lb.Region, LoadBalancerARN: lb.ARN, Port: *in.Port, Actions: actions, Tags: tags}
		if err := protocol.set(tx, l); err != nil {
			return nil, err
		}
		if err := checkActions(tx, l, l.Actions); err != nil {
			return nil, err
		}
		for _, old := range store.ListenersByLoadBalancer.List(tx, lb.ARN) {
			if old.Port != l.Port {
				continue
			}
			l.ARN = old.ARN
			l.Attributes = old.Attributes
			if len(old.Certificates) > 0 && slices.Equal(l.Certificates, old.Certificates[:1]) {
				l.Certificates = old.Certificates // the listener's other certificates were added later
			}
			if !reflect.DeepEqual(old, l) {
				return nil, duplicateListener(lb)
			}
		}
		if l.ARN == "" {
			if err := a.limitListeners(tx, lb); err != nil {
				return nil, err
			}
			l.ARN = arn(lb.Region, "listener/"+arnResource(lb.ARN, "loadbalancer")+"/"+a.ids.Hex(16))
			store.Listeners.Put(tx, l)
		}
		return &elb.CreateListenerOutput{Listeners: []types.Listener{describeListener(l)}}, nil
	})
}

// checkNewListener refuses a listener to create without a protocol or a valid port.
func checkNewListener(in *elb.CreateListenerInput) error {
	if in.Protocol == "" {
		return invalid("A listener protocol must be specified")
	}
	if in.Port == nil {
		return invalid("A listener port must be specified")
	}
	return model.Between("port", in.Port, 1, 65535)
}

func duplicateListener(lb *store.LoadBalancer) error {
	return wire.Errorf(
		"DuplicateListener", "A listener already exists on this port for this load balancer '%s'", lb.ARN,
	)
}

func describeListener(l *store.Listener) types.Listener {
	out := types.Listener{
		ListenerArn: new(l.ARN), LoadBalancerArn: new(l.LoadBalancerARN), Port: new(l.Port),
		Protocol: types.ProtocolEnum(l.Protocol), DefaultActions: describeActions(l.Actions),
	}
	describeTLS(&out, l)
	return out
}

// DescribeListeners describes the listeners of a load balancer or those with the
// given ARNs.
func (a *API) DescribeListeners(
	ctx context.Context, in *elb.DescribeListenersInput,
) (*elb.DescribeListenersOutput, error) {
	view := a.store.Read(ctx)
	var rows []*store.Listener
	switch {
	case in.LoadBalancerArn != nil && len(in.ListenerArns) > 0:
		return nil, invalid("You cannot specify both a load balancer ARN and listener ARNs")
	case in.LoadBalancerArn != nil:
		lb, err := loadBalancer(view, wire.RegionFrom(ctx), in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		rows = store.ListenersByLoadBalancer.List(view, lb.ARN)
	case len(in.ListenerArns) > 0:
		for _, arn := range in.ListenerArns {
			l, err := listener(view, wire.RegionFrom(ctx), &arn)
			if err != nil {
				return nil, err
			}
			rows = append(rows, l)
		}
	default:
		return nil, invalid("You must specify either listener ARNs or a load balancer ARN")
	}
	rows, next, err := paginate(rows, func(l *store.Listener) string { return l.ARN }, in.PageSize, in.Marker)
	if err != nil {
		return nil, err
	}
	out := &elb.DescribeListenersOutput{Listeners: []types.Listener{}, NextMarker: next}
	for _, l := range rows {
		out.Listeners = append(out.Listeners, describeListener(l))
	}
	return out, nil
}

// ModifyListener changes a listener's port, protocol, default certificate,
// security policy or default actions.
func (a *API) ModifyListener(ctx context.Context, in *elb.ModifyListenerInput) (*elb.ModifyListenerOutput, error) {
	protocol := protocolInput{in.Protocol, in.Certificates, in.SslPolicy, in.MutualAuthentication, in.AlpnPolicy}
	if err := model.Between("port", in.Port, 1, 65535); err != nil {
		return nil, err
	}
	return update(a, func(tx *store.Tx) (*elb.ModifyListenerOutput, error) {
		old, err := listener(tx, wire.RegionFrom(ctx), in.ListenerArn)
		if err != nil {
			return nil, err
		}
		lb, err := loadBalancer(tx, wire.RegionFrom(ctx), &old.LoadBalancerARN)
		if err != nil {
			return nil, err
		}
		if err := protocol.check(lb); err != nil {
			return nil, err
		}
		l := *old
		if l.Port = constraint.Default(in.Port, l.Port); l.Port != old.Port {
			if err := checkPortNotRegistered(tx, old); err != nil {
				return nil, err
			}
		}
		if err := protocol.set(tx, &l); err != nil {
			return nil, err
		}
		for _, other := range store.ListenersByLoadBalancer.List(tx, lb.ARN) {
			if other.ARN != l.ARN && other.Port == l.Port {
				return nil, duplicateListener(lb)
			}
		}
		if in.DefaultActions != nil {
			if l.Actions, err = a.readActions(tx, lb, "defaultActions", in.DefaultActions); err != nil {
				return nil, err
			}
		}
		if err := checkActions(tx, &l, l.Actions); err != nil {
			return nil, err
		}
		store.Listeners.Put(tx, &l)
		return &elb.ModifyListenerOutput{Listeners: []types.Listener{describeListener(&l)}}, nil
	})
}

// removeListener deletes a listener and its rules.
func removeListener(tx *store.Tx, l *store.Listener) {
	for _, rule := range store.RulesByListener.List(tx, l.ARN) {
		store.Rules.Delete(tx, rule.ARN)
	}
	store.Listeners.Delete(tx, l.ARN)
}

// DeleteListener deletes a listener and its rules.
func (a *API) DeleteListener(ctx context.Context, in *elb.DeleteListenerInput) (*elb.DeleteListenerOutput, error) {
	return &elb.DeleteListenerOutput{}, a.store.Update(func(tx *store.Tx) error {
		l, err := listener(tx, wire.RegionFrom(ctx), in.ListenerArn)
		if err != nil {
			return err
		}
		if err := checkPortNotRegistered(tx, l); err != nil {
			return err
		}
		removeListener(tx, l)
		return nil
	})
}
