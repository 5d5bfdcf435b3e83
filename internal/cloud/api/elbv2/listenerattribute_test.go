package elbv2_test

import (
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func TestListenerAttributes(t *testing.T) {
	w := newWorld(t)
	_, g, l := w.forwarding()
	set := func(key, value string) (map[string]string, error) {
		out, err := w.ModifyListenerAttributes(w.ctx, &elb.ModifyListenerAttributesInput{
			ListenerArn: l.ListenerArn,
			Attributes:  []types.ListenerAttribute{{Key: &key, Value: &value}},
		})
		if err != nil {
			return nil, err
		}
		values := map[string]string{}
		for _, a := range out.Attributes {
			values[*a.Key] = *a.Value
		}
		return values, nil
	}
	const prefix = "routing.http.response."
	must(set(prefix+"x_frame_options.header_value", "DENY"))(t)
	values := must(set(prefix+"server.enabled", "false"))(t)
	if len(values) != 11 || values[prefix+"x_frame_options.header_value"] != "DENY" ||
		values[prefix+"server.enabled"] != "false" ||
		values[prefix+"content_security_policy.header_value"] != "" {
		t.Errorf("attributes = %v", values)
	}
	described := must(
		w.DescribeListenerAttributes(w.ctx, &elb.DescribeListenerAttributesInput{ListenerArn: l.ListenerArn}),
	)(t).Attributes
	for _, a := range described {
		if values[*a.Key] != *a.Value {
			t.Errorf("%s is described as %q, want %q", *a.Key, *a.Value, values[*a.Key])
		}
	}
	for _, c := range []struct{ key, value string }{
		{
			prefix + "x_content_type_options.header_value", "sniff",
		}, {prefix + "server.enabled", "maybe"}, {prefix + "access_control_max_age.header_value", "86401"},
		{prefix + "content_security_policy.header_value", "a\r\nX: y"}, {"tcp.idle_timeout.seconds", "350"},
	} {
		_, err := set(c.key, c.value)
		wantError(t, err, "ValidationError", c.key)
	}
	again := must(w.CreateListener(w.ctx, &elb.CreateListenerInput{
		LoadBalancerArn: l.LoadBalancerArn, Port: l.Port, Protocol: l.Protocol,
		DefaultActions: forward(*g.TargetGroupArn),
	}))(t).Listeners[0]
	if *again.ListenerArn != *l.ListenerArn {
		t.Error("attributes made CreateListener create another listener")
	}
}

func TestHTTPSListenersNameTLSHeaders(t *testing.T) {
	w := newWorld(t)
	w.addCertificates(1)
	l := must(w.CreateListener(w.ctx, httpsInput(w.balancer(), 0)))(t).Listeners[0]
	set := func(value string) error {
		_, err := w.ModifyListenerAttributes(
			w.ctx,
			&elb.ModifyListenerAttributesInput{ListenerArn: l.ListenerArn, Attributes: []types.ListenerAttribute{
				{Key: new("routing.http.request.x_amzn_tls_version.header_name"), Value: new(value)}}},
		)
		return err
	}
	if err := set("X-Version"); err != nil {
		t.Error(err)
	}
	wantError(t, set("no header"), "ValidationError", "no header")
	must(
		w.ModifyListener(w.ctx, &elb.ModifyListenerInput{ListenerArn: l.ListenerArn, Protocol: types.ProtocolEnumHttp}),
	)(t)
	wantError(t, set("X-Version"), "ValidationError", "not recognized")
	for _, a := range must(w.DescribeListenerAttributes(
		w.ctx, &elb.DescribeListenerAttributesInput{ListenerArn: l.ListenerArn},
	))(t).Attributes {
		if *a.Key == "routing.http.request.x_amzn_tls_version.header_name" {
			t.Error("an HTTP listener has an attribute about TLS")
		}
	}
}
