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
	return fmt.Sprintf("arn:aws:acm:%s:000000000000:certificate/%d", testRegion, n)
}

// addCertificates adds n certificates to the Region, and one to another Region.
func (w *world) addCertificates(n int) {
	w.change(func(tx *store.Tx) {
		for i := range n {
			store.Certificates.Put(tx, &store.Certificate{ARN: certificateARN(i), Region: testRegion, Body: "issued"})
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
		Certificates: certificates(certificate...), DefaultActions: fixedResponse("200"),
	}
}

func TestListenerCertificates(t *testing.T) {
	w := newWorld(t)
	w.addCertificates(30)
	client := w.client()
	lb := w.balancer()
	in := httpsInput(lb, 0)
	l := must(client.CreateListener(w.ctx, in))(t).Listeners[0]
	if *l.SslPolicy != "ELBSecurityPolicy-2016-08" || len(l.Certificates) != 1 ||
		*l.Certificates[0].CertificateArn != certificateARN(0) ||
		*l.MutualAuthentication.Mode != "off" {
		t.Errorf("listener = %+v", l)
	}
	must(client.AddListenerCertificates(
		w.ctx,
		&elb.AddListenerCertificatesInput{ListenerArn: l.ListenerArn, Certificates: certificates(1, 2, 1)},
	))(t)
	if again := must(client.CreateListener(w.ctx, in))(t).Listeners[0]; *again.ListenerArn != *l.ListenerArn {
		t.Error("the same request created another listener")
	}
	describe := func() (defaultARN string, list []string) {
		t.Helper()
		in := &elb.DescribeListenerCertificatesInput{ListenerArn: l.ListenerArn, PageSize: new(int32(2))}
		for {
			out := must(client.DescribeListenerCertificates(w.ctx, in))(t)
			for _, c := range out.Certificates {
				if *c.IsDefault {
					defaultARN = *c.CertificateArn
				} else {
					list = append(list, *c.CertificateArn)
				}
			}
			if in.Marker = out.NextMarker; in.Marker == nil {
				return defaultARN, list
			}
		}
	}
	if defaultARN, list := describe(); defaultARN != certificateARN(0) ||
		!slices.Equal(list, []string{certificateARN(1), certificateARN(2)}) {
		t.Errorf("default certificate %s, list %v", defaultARN, list)
	}
	_, err := w.RemoveListenerCertificates(
		w.ctx,
		&elb.RemoveListenerCertificatesInput{ListenerArn: l.ListenerArn, Certificates: certificates(0)},
	)
	wantError(t, err, "OperationNotPermitted", certificateARN(0))
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
	wantError(t, err, "TooManyCertificates", "25")
	_, err = w.AddListenerCertificates(w.ctx, &elb.AddListenerCertificatesInput{
		ListenerArn:  l.ListenerArn,
		Certificates: []types.Certificate{{CertificateArn: new("arn:far")}},
	})
	wantError(t, err, "CertificateNotFound", "arn:far")

	changed := must(client.ModifyListener(w.ctx, &elb.ModifyListenerInput{
		ListenerArn: l.ListenerArn, Certificates: certificates(4),
		SslPolicy: new("ELBSecurityPolicy-TLS13-1-2-2021-06"),
	}))(t).Listeners[0]
	if defaultARN, list := describe(); *changed.SslPolicy != "ELBSecurityPolicy-TLS13-1-2-2021-06" ||
		defaultARN != certificateARN(4) ||
		!slices.Equal(list, []string{certificateARN(2)}) {
		t.Errorf("listener = %+v, default certificate %s, list %v", changed, defaultARN, list)
	}
	plain := must(client.ModifyListener(w.ctx, &elb.ModifyListenerInput{
		ListenerArn: l.ListenerArn, Protocol: types.ProtocolEnumHttp,
	}))(t).Listeners[0]
	if plain.SslPolicy != nil || plain.Certificates != nil || plain.Protocol != types.ProtocolEnumHttp {
		t.Errorf("listener = %+v, want one without TLS", plain)
	}
	_, err = w.ModifyListener(
		w.ctx,
		&elb.ModifyListenerInput{ListenerArn: l.ListenerArn, Protocol: types.ProtocolEnumHttps},
	)
	wantError(t, err, "ValidationError", "A certificate must be specified")
	_, err = w.AddListenerCertificates(
		w.ctx,
		&elb.AddListenerCertificatesInput{ListenerArn: l.ListenerArn, Certificates: certificates(1)},
	)
	wantError(t, err, "InvalidConfigurationRequest", "HTTP listeners")
}

func TestInvalidHTTPSListenersAreRefused(t *testing.T) {
	w := newWorld(t)
	w.addCertificates(2)
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
		wantError(t, err, c.code, c.text)
	}
}

func TestListenersTakeServerCertificatesOfIAM(t *testing.T) {
	w := newWorld(t)
	arn := "arn:aws:iam::000000000000:server-certificate/p/c"
	w.change(func(tx *store.Tx) {
		store.ServerCertificates.Put(tx, &store.ServerCertificate{Name: "c", ARN: arn, Body: "certificate"})
	})
	in := httpsInput(w.balancer(), 0)
	in.Certificates[0].CertificateArn = &arn
	l := must(w.client().CreateListener(w.ctx, in))(t).Listeners[0]
	if *l.Certificates[0].CertificateArn != arn {
		t.Errorf("certificates %+v", l.Certificates)
	}
	for _, unknown := range []string{
		"arn:aws:iam::000000000000:server-certificate/c", "arn:aws:iam::111122223333:server-certificate/p/c",
	} {
		in.Port, in.Certificates[0].CertificateArn = new(int32(444)), &unknown
		_, err := w.CreateListener(w.ctx, in)
		wantError(t, err, "CertificateNotFound", unknown)
	}
}
