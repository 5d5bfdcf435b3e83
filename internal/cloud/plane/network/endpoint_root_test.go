//go:build linux && root

package network

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/authority"
	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/cloud/plane/linklocal"
)

const endpointName = "ec2.us-east-1.amazonaws.com"

// withEndpoints returns a change that makes VPC endpoints answer with their interface, the client's
// address and the length of the body, and the root that has signed their certificate.
func withEndpoints(t *testing.T) (change func(*PlaneConfig), roots *x509.CertPool) {
	t.Helper()
	a, err := authority.Open(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	issued, err := a.Issue([]string{endpointName}, "EC_prime256v1", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(a.PublicRootPEM())
	return func(c *PlaneConfig) {
		c.LinkLocal = linklocal.NewClient(linklocal.Config{
			Dir: filepath.Join(filepath.Dir(c.RunDir), "linklocal"), Command: []string{os.Args[0], linkLocalArgument},
			Log: c.Log, Calls: 64,
			Services: linklocal.Services{
				Endpoint: func(interfaceID string) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						n, _ := io.Copy(io.Discard, r.Body)
						_, _ = fmt.Fprintf(w, "%s to %s, %d bytes, TLS %t", interfaceID, r.RemoteAddr, n, r.TLS != nil)
					})
				},
				Identity: func(string) (linklocal.Identity, error) {
					return linklocal.Identity{Certificate: issued.Certificate + issued.Chain, Key: issued.Key}, nil
				},
			},
		})
	}, roots
}

// The interface of an endpoint answers with TLS whoever the security groups, the network ACLs and the
// routes let reach it, and outlives the daemon.
func TestRealEndpointAnswersBehindItsSecurityGroups(t *testing.T) {
	change, roots := withEndpoints(t)
	s := newSite(t, change)
	a, b, peer, stranger := s.machine("a"), s.machine("b"), s.machine("peer"), s.machine("stranger")
	const at, connection = "10.0.1.5:443", "pcx-1"
	with := func(change func(v *VPC)) []VPC {
		endpoint := Interface{
			ID: "eni-endpoint", SubnetID: "subnet-av", Private: netip.MustParseAddr("10.0.1.5"),
			SecurityGroups: []string{"sg-endpoint"}, SourceDestCheck: true, OwnNamespace: true, ServesAPI: true,
		}
		v := newVPC("v", eni("v", "10.0.1.10", a), eni("v", "10.0.2.10", b), endpoint)
		v.SecurityGroups = append(slices.Clone(v.SecurityGroups), firewall.SecurityGroup{
			ID: "sg-endpoint", Ingress: []firewall.Rule{tcpRule(443, "10.0.0.0/8")},
		})
		w := peerVPC(v.CIDRs[0], connection, eni("w", "10.9.1.10", peer))
		v.Subnets[0].Routes = append(
			slices.Clone(v.Subnets[0].Routes), Route{Destination: w.CIDRs[0], Via: PeerVPC, Peer: connection},
		)
		v.Peers = []Peer{{ID: connection, VPCID: "w", CIDRs: w.CIDRs}}
		w.Peers = []Peer{{ID: connection, VPCID: "v", CIDRs: v.CIDRs}}
		change(&v)
		return []VPC{v, w, newVPC("x", eni("x", "10.0.2.10", stranger))}
	}
	unchanged := func(*VPC) {}
	answers := func(from, source string) {
		t.Helper()
		client := clientIn(from)
		client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{ServerName: endpointName, RootCAs: roots}
		response, err := client.Post("https://"+at+"/", "text/plain", strings.NewReader("hello"))
		if err != nil {
			t.Fatalf("from %s: %v", source, err)
		}
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		if got := string(body); err != nil || !strings.HasPrefix(got, "eni-endpoint to "+source+":") ||
			!strings.HasSuffix(got, ", 5 bytes, TLS true") {
			t.Errorf("from %s: %q, %v", source, got, err)
		}
	}
	for range 2 {
		s.set(with(unchanged)...)
		answers(a, "10.0.1.10")
		answers(b, "10.0.2.10")
		answers(peer, "10.9.1.10")
		s.assertSilent(stranger, at) // its VPC has the same addresses
		s.assertRefused(a, "10.0.1.10:443")
		if changes, err := s.plane.Audit(); len(changes) > 0 || err != nil {
			t.Errorf("the audit finds %v, %v", changes, err)
		}
		s.restartPlane()
	}
	s.set(with(func(v *VPC) {
		v.SecurityGroups[1].Ingress = []firewall.Rule{tcpRule(443, "10.0.2.0/24")}
	})...)
	answers(b, "10.0.2.10")
	s.assertSilent(a, at)
	s.assertSilent(peer, at)
	s.set(with(func(v *VPC) {
		v.Subnets[0].ACL = &firewall.ACL{
			Ingress: []firewall.ACLRule{
				{Number: 1, Protocol: "-1", CIDR: netip.MustParsePrefix("10.0.2.0/24")},
				{Number: 2, Allow: true, Protocol: "-1", CIDR: world},
			},
			Egress: []firewall.ACLRule{{Number: 1, Allow: true, Protocol: "-1", CIDR: world}},
		}
	})...)
	answers(a, "10.0.1.10")
	s.assertSilent(b, at)
	s.set(with(func(v *VPC) { v.Interfaces = v.Interfaces[:2] })...) // the endpoint is deleted
	s.assertSilent(a, at)
	s.set(with(unchanged)...)
	answers(a, "10.0.1.10")
}
