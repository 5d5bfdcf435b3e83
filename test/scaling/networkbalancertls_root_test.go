//go:build linux && root

package scaling

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/test/program"
	"aloft.dev/aloft/test/simulation"
)

// The ports of the Network Load Balancer's other listeners: one that forwards to the Application
// Load Balancer, and one that ends TLS.
const (
	toBalancerPort = 8099
	tlsPort        = 8100
)

// importCertificate imports a certificate for a name, and returns its ARN.
func importCertificate(t *testing.T, c *program.LocalCloud, name string) *string {
	t.Helper()
	key := simulation.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der := simulation.Must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))(t)
	secret := simulation.Must(x509.MarshalPKCS8PrivateKey(key))(t)
	return simulation.Must(c.API.ACM.ImportCertificate(t.Context(), &acm.ImportCertificateInput{
		Certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		PrivateKey:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}),
	}))(t).CertificateArn
}

// addListeners adds a listener that forwards to an Application Load Balancer, and one that ends TLS
// and has two certificates.
func (b networkBalancer) addListeners(t *testing.T, c *program.LocalCloud, application, vpc string) {
	t.Helper()
	ctx := t.Context()
	group := simulation.Must(c.API.ELB.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
		Name: aws.String("web-balancer"), Protocol: elbtypes.ProtocolEnumTcp, Port: &b.port, VpcId: &vpc,
		TargetType:                 elbtypes.TargetTypeEnumAlb,
		HealthCheckIntervalSeconds: aws.Int32(5), HealthyThresholdCount: aws.Int32(2),
		HealthCheckTimeoutSeconds: aws.Int32(2),
	}))(t).TargetGroups[0].TargetGroupArn
	simulation.Must(c.API.ELB.RegisterTargets(ctx, &elb.RegisterTargetsInput{
		TargetGroupArn: group, Targets: []elbtypes.TargetDescription{{Id: &application}},
	}))(t)
	add := func(port int32, protocol elbtypes.ProtocolEnum, to *string, certificates ...elbtypes.Certificate) *string {
		return simulation.Must(c.API.ELB.CreateListener(ctx, &elb.CreateListenerInput{
			LoadBalancerArn: &b.arn, Port: &port, Protocol: protocol, Certificates: certificates,
			DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: to}},
		}))(t).Listeners[0].ListenerArn
	}
	add(toBalancerPort, elbtypes.ProtocolEnumTcp, group)
	listener := add(tlsPort, elbtypes.ProtocolEnumTls, &b.targets,
		elbtypes.Certificate{CertificateArn: importCertificate(t, c, "default.example")})
	simulation.Must(c.API.ELB.AddListenerCertificates(ctx, &elb.AddListenerCertificatesInput{
		ListenerArn:  listener,
		Certificates: []elbtypes.Certificate{{CertificateArn: importCertificate(t, c, "second.example")}},
	}))(t)
}

// assertServes asserts that a node's other listeners lead to machines, which see the client's
// address: from the node itself over TLS, or in the header that the Application Load Balancer adds.
func (b networkBalancer) assertServes(t *testing.T, public string, want map[string]bool) {
	t.Helper()
	for _, name := range []string{"default.example", "second.example"} {
		config := &tls.Config{InsecureSkipVerify: true, ServerName: name}
		machine, saw, own := fetchFrom(t, fmt.Sprintf("https://%s:%d/", public, tlsPort), config)
		if !want[machine] || saw.Get("X-Client") != own {
			t.Errorf("over TLS, %q sees the client %s, want %s", machine, saw.Get("X-Client"), own)
		}
	}
	machine, saw, own := fetchFrom(t, fmt.Sprintf("http://%s:%d/", public, toBalancerPort), nil)
	if !want[machine] || saw.Get("X-Forwarded") != own {
		t.Errorf("behind the other balancer, %q sees the client %s, want %s", machine, saw.Get("X-Forwarded"), own)
	}
}

// fetchFrom sends a request over a new connection. It returns the answer, and the client's address.
// With TLS, the server must show a certificate for the configured name.
func fetchFrom(t *testing.T, url string, config *tls.Config) (body string, header http.Header, own string) {
	t.Helper()
	var dialer net.Dialer
	transport := &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: config,
		DialContext: func(ctx context.Context, network, at string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, at)
			if err == nil {
				own, _, _ = net.SplitHostPort(conn.LocalAddr().String())
			}
			return conn, err
		},
	}
	request := simulation.Must(http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil))(t)
	response, err := (&http.Client{Transport: transport, Timeout: time.Minute}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if config != nil {
		if err := response.TLS.PeerCertificates[0].VerifyHostname(config.ServerName); err != nil {
			t.Error(err)
		}
	}
	return string(simulation.Must(io.ReadAll(response.Body))(t)), response.Header, own
}
