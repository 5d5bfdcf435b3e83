//go:build linux && root

package network

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mdns "github.com/miekg/dns"

	"aloft.dev/aloft/internal/cloud/plane/dns"
	"aloft.dev/aloft/internal/cloud/plane/linklocal"
	"aloft.dev/aloft/internal/cloud/plane/metadata"
)

type testSource struct{}

// Instance returns an instance whose ID contains the VPC and the address.
func (testSource) Instance(vpc string, addr netip.Addr) (metadata.Instance, bool) {
	return metadata.Instance{
		ID: vpc + " " + addr.String(), EndpointEnabled: true, IPv6Enabled: true, TokensRequired: true,
	}, true
}

// withMachineServices returns a change that adds a metadata service, a resolver and an
// API. The resolver answers me.internal differently for the VPCs v and w, and asks the servers
// for names below outside. The API answers with the client's address and the length of the body.
func withMachineServices(t testing.TB, servers ...netip.AddrPort) func(*PlaneConfig) {
	t.Helper()
	server, err := metadata.New(testSource{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	zone := func(vpc, name string) ([]netip.Addr, bool) {
		if name == "me.internal" {
			return []netip.Addr{netip.MustParseAddr(map[string]string{"v": "10.0.0.100", "w": "10.0.0.101"}[vpc])}, true
		}
		return nil, !strings.HasSuffix(name, ".outside")
	}
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		_, _ = fmt.Fprintf(w, "%s %d", r.RemoteAddr, n)
	})
	return func(c *PlaneConfig) {
		output, err := os.OpenFile(filepath.Join(filepath.Dir(c.RunDir), "linklocal.log"),
			os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = output.Close() })
		c.LinkLocal = linklocal.NewClient(linklocal.Config{
			Dir: filepath.Join(filepath.Dir(c.RunDir), "linklocal"), Command: []string{os.Args[0], linkLocalArgument},
			Output: output, Log: c.Log, Calls: 1024,
			Services: linklocal.Services{
				Metadata: server.Handler, API: api, Names: dns.Names{Zone: zone},
				NameServers: func() ([]netip.AddrPort, error) { return servers, nil },
			},
		})
	}
}

// answerTimeout bounds the wait for an answer that comes.
const answerTimeout = 20 * time.Second

// clientIn returns a client that connects in the namespace at path.
func clientIn(path string) *http.Client {
	return &http.Client{
		Timeout: answerTimeout,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
				return DialIn(ctx, path, netip.MustParseAddrPort(addr))
			},
		},
	}
}

// readInstanceID reads the instance ID with a token, as a machine does.
func readInstanceID(path string) (string, error) { return readInstanceIDAt(path, "169.254.169.254") }

func readInstanceIDAt(path, host string) (string, error) {
	client := clientIn(path)
	do := func(method, path, header, value string) (string, error) {
		request, err := http.NewRequest(method, "http://"+host+"/latest/"+path, nil)
		if err != nil {
			return "", err
		}
		request.Header.Set(header, value)
		response, err := client.Do(request)
		if err != nil {
			return "", err
		}
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		return string(body), err
	}
	token, err := do(http.MethodPut, "api/token", "X-aws-ec2-metadata-token-ttl-seconds", "60")
	if err != nil {
		return "", err
	}
	return do(http.MethodGet, "meta-data/instance-id", "X-aws-ec2-metadata-token", token)
}

// resolve resolves me.internal in the namespace at path.
func resolve(path, network, server string) (string, error) {
	return resolveName(path, network, server, "me.internal.")
}

func resolveName(path, network, server, name string) (string, error) {
	query := new(mdns.Msg).SetQuestion(name, mdns.TypeA)
	var response *mdns.Msg
	err := inNamespace(path, func() (err error) {
		response, _, err = (&mdns.Client{Net: network, Timeout: silenceTimeout}).Exchange(query, server)
		return err
	})
	if err != nil || len(response.Answer) == 0 {
		return "", err
	}
	return response.Answer[0].(*mdns.A).A.String(), nil
}

func TestRealServicesOfEachVPC(t *testing.T) {
	s := newSite(t, withMachineServices(t))
	a, b := s.machine("a"), s.machine("b")
	// Security groups do not filter the services, not even without any rule.
	v, w := newVPC("v", eni("v", "10.0.1.10", a, "sg-none")), newVPC("w", eni("w", "10.0.1.10", b))
	check := func() {
		t.Helper()
		for path, want := range map[string][2]string{
			a: {"v 10.0.1.10", "10.0.0.100"}, b: {"w 10.0.1.10", "10.0.0.101"},
		} {
			if got, err := readInstanceID(path); got != want[0] {
				t.Errorf("metadata: got %q, %v; want %q", got, err, want[0])
			}
			for _, server := range []string{"10.0.0.2:53", "169.254.169.253:53"} {
				for _, network := range []string{"udp", "tcp"} {
					if got, err := resolve(path, network, server); got != want[1] {
						t.Errorf("%s over %s: got %q, %v; want %q", server, network, got, err, want[1])
					}
				}
			}
		}
	}
	s.set(v, w)
	check()
	s.restartPlane()
	s.set(v, w)
	check()
	v.DNSSupport = false
	s.set(v, w)
	if got, err := resolve(a, "udp", "10.0.0.2:53"); err == nil {
		t.Errorf("without DNS support: resolved %q", got)
	}
	if _, err := readInstanceID(a); err != nil {
		t.Error(err)
	}
}

// callAPI calls the cloud's APIs as a machine does.
func callAPI(path string) (string, error) { return callAPIAt(path, "169.254.169.254") }

func callAPIAt(path, host string) (string, error) {
	response, err := clientIn(path).Get("http://" + host + ":4566/")
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

func TestRealAPIOfEachVPC(t *testing.T) {
	s := newSite(t, withMachineServices(t))
	a, b := s.machine("a"), s.machine("b")
	// There is no internet gateway, and no rule of a security group.
	v, w := newVPC("v", eni("v", "10.0.1.10", a, "sg-none")), newVPC("w", eni("w", "10.0.1.11", b, "sg-none"))
	for range 2 {
		s.set(v, w)
		for path, want := range map[string]string{a: "10.0.1.10:", b: "10.0.1.11:"} {
			if got, err := callAPI(path); err != nil || !strings.HasPrefix(got, want) {
				t.Errorf("from %s: got %q, %v; want an answer", want, got, err)
			}
		}
		s.restartPlane()
	}
}

func TestRealCutInterfaceReachesNoService(t *testing.T) {
	s := newSite(t, withMachineServices(t))
	a := s.machine("a")
	i := eni("v", "10.0.1.10", a)
	i.Cut = true
	s.set(newVPC("v", i))
	s.assertSilent(a, "169.254.169.254:80")
	s.assertSilent(a, "169.254.169.254:4566")
}

func TestRealServicesAnswerWhenSetReturns(t *testing.T) {
	s := newSite(t, withMachineServices(t))
	a := s.machine("a")
	start := time.Now()
	s.set(newVPC("v", eni("v", "10.0.1.10", a)))
	if _, err := readInstanceID(a); err != nil {
		t.Error(err)
	}
	t.Logf("first response after %v", time.Since(start))
}
