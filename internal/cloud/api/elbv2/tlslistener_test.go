package elbv2_test

import (
	"slices"
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// tlsInput is a TLS listener of a Network Load Balancer.
func (w *world) tlsInput(group types.ProtocolEnum) *elb.CreateListenerInput {
	lb := must(w.CreateLoadBalancer(w.ctx, networkBalancer()))(w.t).LoadBalancers[0]
	g := must(w.CreateTargetGroup(w.ctx, networkGroup(group)))(w.t).TargetGroups[0]
	return &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Port: new(int32(443)), Protocol: types.ProtocolEnumTls,
		Certificates: certificates(0), DefaultActions: forward(*g.TargetGroupArn),
	}
}

func TestTLSListeners(t *testing.T) {
	for _, group := range []types.ProtocolEnum{types.ProtocolEnumTcp, types.ProtocolEnumTls} {
		w := newWorld(t)
		w.addCertificates(3)
		in := w.tlsInput(group)
		l := must(w.client().CreateListener(w.ctx, in))(t).Listeners[0]
		if *l.SslPolicy != "ELBSecurityPolicy-2016-08" || l.AlpnPolicy != nil || l.MutualAuthentication != nil ||
			*l.Certificates[0].CertificateArn != certificateARN(0) {
			t.Errorf("listener = %+v", l)
		}
		must(w.AddListenerCertificates(w.ctx, &elb.AddListenerCertificatesInput{
			ListenerArn: l.ListenerArn, Certificates: certificates(1, 2),
		}))(t)
		must(w.RemoveListenerCertificates(w.ctx, &elb.RemoveListenerCertificatesInput{
			ListenerArn: l.ListenerArn, Certificates: certificates(1),
		}))(t)
		if n := len(must(w.DescribeListenerCertificates(w.ctx, &elb.DescribeListenerCertificatesInput{
			ListenerArn: l.ListenerArn,
		}))(t).Certificates); n != 2 {
			t.Errorf("the listener has %d certificates", n)
		}
		modify := func(in elb.ModifyListenerInput) (types.Listener, error) {
			in.ListenerArn = l.ListenerArn
			out, err := w.ModifyListener(w.ctx, &in)
			if err != nil {
				return types.Listener{}, err
			}
			return out.Listeners[0], nil
		}
		changed := must(modify(elb.ModifyListenerInput{
			AlpnPolicy: []string{"HTTP2Preferred"}, SslPolicy: new("ELBSecurityPolicy-TLS13-1-2-2021-06"),
		}))(t)
		if !slices.Equal(changed.AlpnPolicy, []string{"HTTP2Preferred"}) ||
			*changed.SslPolicy != "ELBSecurityPolicy-TLS13-1-2-2021-06" {
			t.Errorf("listener = %+v", changed)
		}
		_, err := modify(elb.ModifyListenerInput{AlpnPolicy: []string{"HTTP3Only"}})
		wantError(t, err, "ValidationError", "HTTP3Only")
		_, err = modify(elb.ModifyListenerInput{AlpnPolicy: []string{"None", "HTTP1Only"}})
		wantError(t, err, "ValidationError", "one ALPN policy")
		_, err = modify(elb.ModifyListenerInput{
			MutualAuthentication: &types.MutualAuthenticationAttributes{Mode: new("verify")},
		})
		wantError(t, err, "InvalidConfigurationRequest", "HTTPS")
		if attributes := must(w.DescribeListenerAttributes(w.ctx, &elb.DescribeListenerAttributesInput{
			ListenerArn: l.ListenerArn,
		}))(t).Attributes; len(attributes) != 0 { // its idle timeout cannot be changed
			t.Errorf("attributes = %+v", attributes)
		}
		if group == types.ProtocolEnumTcp {
			back := must(modify(elb.ModifyListenerInput{Protocol: types.ProtocolEnumTcp}))(t)
			if back.SslPolicy != nil || back.AlpnPolicy != nil || back.Certificates != nil {
				t.Errorf("listener = %+v", back)
			}
		}
	}
}

// sticky makes a target group sticky.
func sticky(group string) *elb.ModifyTargetGroupAttributesInput {
	return &elb.ModifyTargetGroupAttributesInput{
		TargetGroupArn: &group,
		Attributes:     []types.TargetGroupAttribute{{Key: new("stickiness.enabled"), Value: new("true")}},
	}
}

func TestInvalidTLSListenersAreRefused(t *testing.T) {
	w := newWorld(t)
	w.addCertificates(1)
	in := w.tlsInput(types.ProtocolEnumTcp)
	group := *in.DefaultActions[0].TargetGroupArn
	must(w.ModifyTargetGroupAttributes(w.ctx, sticky(group)))(t)
	_, err := w.CreateListener(w.ctx, in)
	wantError(t, err, "InvalidConfigurationRequest", "Stickiness")
	off := sticky(group)
	off.Attributes[0].Value = new("false")
	must(w.ModifyTargetGroupAttributes(w.ctx, off))(t)
	must(w.CreateListener(w.ctx, in))(t)
	_, err = w.ModifyTargetGroupAttributes(w.ctx, sticky(group))
	wantError(t, err, "InvalidConfigurationRequest", "Stickiness")

	behind := must(w.CreateTargetGroup(w.ctx, albGroup()))(t).TargetGroups[0]
	in.Port, in.DefaultActions = new(int32(444)), forward(*behind.TargetGroupArn)
	_, err = w.CreateListener(w.ctx, in)
	wantError(t, err, "IncompatibleProtocols", *behind.TargetGroupArn)
	in.Certificates = certificates(7)
	_, err = w.CreateListener(w.ctx, in)
	wantError(t, err, "CertificateNotFound", certificateARN(7))

	lb, _, listener := w.forwarding()
	https := httpsInput(lb, 0)
	https.AlpnPolicy = []string{"None"}
	_, err = w.CreateListener(w.ctx, https)
	wantError(t, err, "InvalidConfigurationRequest", "ALPN")
	_, err = w.ModifyListener(
		w.ctx, &elb.ModifyListenerInput{ListenerArn: listener.ListenerArn, AlpnPolicy: []string{"None"}},
	)
	wantError(t, err, "InvalidConfigurationRequest", "ALPN")
}
