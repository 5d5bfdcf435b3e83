package elbv2_test

import (
	"fmt"
	"slices"
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func certificateARN(n int) string {
	return fmt.Sprintf("arn:aws:acm:%s:000000000000:certificate/%d", here, n)
}

// withCertificates gives the region as many certificates.
func (w *world) withCertificates(n int) {
	w.change(func(tx *store.Tx) {
		for i := range n {
			store.Certificates.Put(tx, &store.Certificate{ARN: certificateARN(i), Region: here})
		}
		store.Certificates.Put(tx, &store.Certificate{ARN: "arn:far", Region: "us-east-1"})
	})
}

func certificates(numbers ...int) []types.Certificate {
	var out []types.Certificate
	for _, n := range numbers {
		out = append(out, types.Certificate{CertificateArn: new(certificateARN(n))})
	}
	return out
}

func httpsInput(lb types.LoadBalancer, certificate ...int) *elb.CreateListenerInput {
	return &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Port: new(int32(443)), Protocol: types.ProtocolEnumHttps,
		Certificates: certificates(certificate...), DefaultActions: fixed("200"),
	}
}

func TestHTTPSListenersGoOverTheWire(t *testing.T) {
	w := newWorld(t)
	w.withCertificates(30)
	client := w.client()
	lb := w.balancer()
	in := httpsInput(lb, 0)
	l := must(client.CreateListener(w.ctx, in))(t).Listeners[0]
	if *l.SslPolicy != "ELBSecurityPolicy-2016-08" || len(l.Certificates) != 1 ||
		*l.Certificates[0].CertificateArn != certificateARN(0) ||
		*l.MutualAuthentication.Mode != "off" {
		t.Errorf("%+v", l)
	}
	must(client.AddListenerCertificates(
		w.ctx,
		&elb.AddListenerCertificatesInput{ListenerArn: l.ListenerArn, Certificates: certificates(1, 2, 1)},
	))(t)
	if again := must(client.CreateListener(w.ctx, in))(t).Listeners[0]; *again.ListenerArn != *l.ListenerArn {
		t.Error("made twice")
	}
	tell := func() (standard string, list []string) {
		t.Helper()
		in := &elb.DescribeListenerCertificatesInput{ListenerArn: l.ListenerArn, PageSize: new(int32(2))}
		for {
			out := must(client.DescribeListenerCertificates(w.ctx, in))(t)
			for _, c := range out.Certificates {
				if *c.IsDefault {
					standard = *c.CertificateArn
				} else {
					list = append(list, *c.CertificateArn)
				}
			}
			if in.Marker = out.NextMarker; in.Marker == nil {
				return standard, list
			}
		}
	}
	if standard, list := tell(); standard != certificateARN(0) ||
		!slices.Equal(list, []string{certificateARN(1), certificateARN(2)}) {
		t.Errorf("%s %v", standard, list)
	}
	_, err := w.RemoveListenerCertificates(
		w.ctx,
		&elb.RemoveListenerCertificatesInput{ListenerArn: l.ListenerArn, Certificates: certificates(0)},
	)
	refused(t, err, "OperationNotPermitted", certificateARN(0))
	must(client.RemoveListenerCertificates(
		w.ctx,
		&elb.RemoveListenerCertificatesInput{ListenerArn: l.ListenerArn, Certificates: certificates(1)},
	))(t)
	var many []int
	for i := range 26 {
		many = append(many, i+3)
	}
	_, err = w.AddListenerCertificates(
		w.ctx,
		&elb.AddListenerCertificatesInput{ListenerArn: l.ListenerArn, Certificates: certificates(many...)},
	)
	refused(t, err, "TooManyCertificates", "25")
	_, err = w.AddListenerCertificates(w.ctx, &elb.AddListenerCertificatesInput{
		ListenerArn:  l.ListenerArn,
		Certificates: []types.Certificate{{CertificateArn: new("arn:far")}},
	})
	refused(t, err, "CertificateNotFound", "arn:far")

	changed := must(client.ModifyListener(w.ctx, &elb.ModifyListenerInput{
		ListenerArn: l.ListenerArn, Certificates: certificates(4),
		SslPolicy: new("ELBSecurityPolicy-TLS13-1-2-2021-06"),
	}))(t).Listeners[0]
	if standard, list := tell(); *changed.SslPolicy != "ELBSecurityPolicy-TLS13-1-2-2021-06" ||
		standard != certificateARN(4) ||
		!slices.Equal(list, []string{certificateARN(2)}) {
		t.Errorf("%+v, %s %v", changed, standard, list)
	}
	plain := must(client.ModifyListener(w.ctx, &elb.ModifyListenerInput{
		ListenerArn: l.ListenerArn, Protocol: types.ProtocolEnumHttp,
	}))(t).Listeners[0]
	if plain.SslPolicy != nil || plain.Certificates != nil || plain.Protocol != types.ProtocolEnumHttp {
		t.Errorf("%+v", plain)
	}
	_, err = w.ModifyListener(
		w.ctx,
		&elb.ModifyListenerInput{ListenerArn: l.ListenerArn, Protocol: types.ProtocolEnumHttps},
	)
	refused(t, err, "ValidationError", "A certificate must be specified")
	_, err = w.AddListenerCertificates(
		w.ctx,
		&elb.AddListenerCertificatesInput{ListenerArn: l.ListenerArn, Certificates: certificates(1)},
	)
	refused(t, err, "InvalidConfigurationRequest", "HTTP listeners")
}

func TestAnHTTPSListenerThatCannotBeIsRefused(t *testing.T) {
	w := newWorld(t)
	w.withCertificates(2)
	lb := w.balancer()
	for _, c := range []struct {
		change     func(in *elb.CreateListenerInput)
		code, text string
	}{
		{
			func(in *elb.CreateListenerInput) { in.Certificates = certificates(0, 1) }, "ValidationError",
			"Exactly one certificate",
		},
		{
			func(in *elb.CreateListenerInput) { in.Certificates[0].IsDefault = new(true) }, "ValidationError",
			"IsDefault",
		},
		{
			func(in *elb.CreateListenerInput) { in.Certificates = certificates(9) }, "CertificateNotFound",
			certificateARN(9),
		},
		{
			func(in *elb.CreateListenerInput) { in.SslPolicy = new("ELBSecurityPolicy-None") }, "SSLPolicyNotFound",
			"ELBSecurityPolicy-None",
		},
		{
			func(in *elb.CreateListenerInput) { in.SslPolicy = new("ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04") },
			"NotImplemented", "FIPS",
		},
		{
			func(in *elb.CreateListenerInput) { in.AlpnPolicy = []string{"HTTP2Only"} }, "InvalidConfigurationRequest",
			"ALPN",
		},
		{func(in *elb.CreateListenerInput) {
			in.MutualAuthentication = &types.MutualAuthenticationAttributes{Mode: new("verify")}
		}, "NotImplemented", "mutual"},
		{
			func(in *elb.CreateListenerInput) { in.Protocol = types.ProtocolEnumHttp }, "InvalidConfigurationRequest",
			"Certificates",
		},
		{func(in *elb.CreateListenerInput) {
			in.Protocol, in.Certificates, in.SslPolicy = types.ProtocolEnumHttp, nil, new("ELBSecurityPolicy-2016-08")
		}, "InvalidConfigurationRequest", "security policy"},
	} {
		in := httpsInput(lb, 0)
		c.change(in)
		_, err := w.CreateListener(w.ctx, in)
		refused(t, err, c.code, c.text)
	}
}
