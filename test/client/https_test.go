//go:build linux

package client

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	acmclient "github.com/aws/aws-sdk-go-v2/service/acm"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/api/acm"
	"aloft.dev/aloft/internal/cloud/api/elbv2"
	"aloft.dev/aloft/internal/cloud/control/balancers"
	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/engine"
	"aloft.dev/aloft/internal/cloud/plane/balancer/keeper"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

// balancerPlane is the real balancer engine in this process.
type balancerPlane struct{ *engine.Engine }

func newBalancer(t *testing.T, log *slog.Logger) balancerPlane {
	t.Helper()
	e, err := engine.New(log, engine.Loops{Number: 1}, &keeper.Keeper{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return balancerPlane{e}
}

func (e balancerPlane) Set(_ context.Context, c balancer.Config) error {
	e.Engine.Set(c)
	return nil
}

func (e balancerPlane) Follow(ctx context.Context, each func(balancer.Status)) error {
	for {
		changed := e.Changed()
		each(e.Status())
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// still is a network that needs no change.
type still struct{}

func (still) Sync(context.Context) error { return nil }

// selfSigned returns a certificate for app.example with a serial number, and its key.
func selfSigned(t *testing.T, number int64) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(number),
		Subject:      pkix.Name{CommonName: "app.example"}, DNSNames: []string{"app.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(
		&pem.Block{Type: "PRIVATE KEY", Bytes: secret},
	)
}

// TestImportedCertificateServesHTTPS follows a certificate from the SDK's client
// through API, store and loop to a node, which listens on loopback here, and on to
// clients.
func TestImportedCertificateServesHTTPS(t *testing.T) {
	const here = "us-east-1"
	ctx := t.Context()
	rows, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	if err := rows.Update(func(tx *store.Tx) error {
		store.VPCs.Put(tx, &store.VPC{ID: "vpc-1", Region: here, CIDR: netip.MustParsePrefix("127.77.0.0/16")})
		store.SecurityGroups.Put(tx, &store.SecurityGroup{ID: "sg-1", Region: here, VPCID: "vpc-1", Name: "default"})
		store.Subnets.Put(tx, &store.Subnet{
			ID: "subnet-a", Region: here, VPCID: "vpc-1", CIDR: netip.MustParsePrefix("127.77.1.0/24"),
			Zone: "us-east-1a",
		})
		store.Subnets.Put(tx, &store.Subnet{
			ID: "subnet-b", Region: here, VPCID: "vpc-1", CIDR: netip.MustParsePrefix("127.77.2.0/24"),
			Zone: "us-east-1b",
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	real := newBalancer(t, log)
	loop := &balancers.Loop{
		Store:     rows,
		Balancer:  real,
		Network:   still{},
		Namespace: func(string) string { return "" },
		Log:       log,
	}
	ended := make(chan struct{})
	running, stop := context.WithCancel(context.Background())
	go func() { defer close(ended); _ = loop.Run(running) }()
	t.Cleanup(func() { stop(); <-ended })

	config := wiretest.Serve(t, here, wire.Service{Name: "acm", API: acm.New(acm.Config{Store: rows})}, wire.Service{
		Name: "elasticloadbalancing",
		API:  elbv2.New(elbv2.Config{Store: rows, PublicRange: netip.MustParsePrefix("198.18.0.0/15")}),
	})
	certificates, balancing := acmclient.NewFromConfig(config), elb.NewFromConfig(config)
	body, key := selfSigned(t, 1)
	imported, err := certificates.ImportCertificate(
		ctx,
		&acmclient.ImportCertificateInput{Certificate: body, PrivateKey: key},
	)
	if err != nil {
		t.Fatal(err)
	}
	made, err := balancing.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
		Name:    new("web"),
		Subnets: []string{"subnet-a", "subnet-b"},
		Scheme:  types.LoadBalancerSchemeEnumInternal,
	})
	if err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.77.1.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := int32(free.Addr().(*net.TCPAddr).Port)
	_ = free.Close()
	listener, err := balancing.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: made.LoadBalancers[0].LoadBalancerArn, Port: &port, Protocol: types.ProtocolEnumHttps,
		SslPolicy:    new("ELBSecurityPolicy-TLS13-1-2-2021-06"),
		Certificates: []types.Certificate{{CertificateArn: imported.CertificateArn}},
		DefaultActions: []types.Action{
			{
				Type:                types.ActionTypeEnumFixedResponse,
				FixedResponseConfig: &types.FixedResponseActionConfig{StatusCode: new("200")},
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var at netip.AddrPort
	for _, nic := range store.NetworkInterfacesInSubnet(rows.View(), "subnet-a") {
		at = netip.AddrPortFrom(nic.PrivateIP, uint16(port))
	}
	// serial returns the serial number of the certificate that a new client receives.
	serial := func() int64 {
		transport := &http.Transport{
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true, ServerName: "app.example"},
			ForceAttemptHTTP2: true,
		}
		defer transport.CloseIdleConnections()
		answer, err := (&http.Client{Transport: transport}).Get("https://" + at.String() + "/")
		if err != nil {
			return 0
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK || answer.ProtoMajor != 2 {
			t.Errorf("%s over %s", answer.Status, answer.Proto)
		}
		return answer.TLS.PeerCertificates[0].SerialNumber.Int64()
	}
	within(t, "HTTPS is served", func() bool { return serial() == 1 })
	body, key = selfSigned(t, 2)
	if _, err := certificates.ImportCertificate(ctx, &acmclient.ImportCertificateInput{
		CertificateArn: imported.CertificateArn, Certificate: body, PrivateKey: key,
	}); err != nil {
		t.Fatal(err)
	}
	within(t, "the renewed certificate is served", func() bool { return serial() == 2 })
	if _, err := balancing.ModifyListener(ctx, &elb.ModifyListenerInput{
		ListenerArn: listener.Listeners[0].ListenerArn, Protocol: types.ProtocolEnumHttp,
	}); err != nil {
		t.Fatal(err)
	}
	within(t, "HTTP is served", func() bool {
		answer, err := http.Get("http://" + at.String() + "/")
		if err != nil {
			return false
		}
		_ = answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	if _, err := certificates.DeleteCertificate(ctx, &acmclient.DeleteCertificateInput{
		CertificateArn: imported.CertificateArn,
	}); err != nil {
		t.Error(err)
	}
}

// within waits for a condition.
func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	retry := time.NewTicker(10 * time.Millisecond)
	defer retry.Stop()
	for end := time.Now().Add(time.Minute); !ok(); <-retry.C {
		if time.Now().After(end) {
			t.Fatalf("the condition never held: %s", what)
		}
	}
}
