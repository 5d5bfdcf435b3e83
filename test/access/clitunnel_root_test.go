//go:build linux && root

package access

import (
	"bufio"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"aloft.dev/aloft/test/program"
)

// cliURL returns the URL that version 2 of the AWS CLI signs for a tunnel
// (awscli/customizations/ec2instanceconnect/eicesigner.py).
func (p *private) cliURL(t *testing.T) string {
	t.Helper()
	credentials, err := p.API.EC2.Options().Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	query := "instanceConnectEndpointId=" + *p.endpoint.InstanceConnectEndpointId + "&remotePort=22&privateIpAddress=" +
		*p.machine.PrivateIpAddress + "&X-Amz-Expires=60"
	r, err := http.NewRequestWithContext(
		t.Context(), http.MethodGet, "https://"+*p.endpoint.DnsName+"/openTunnel?"+query, nil,
	)
	if err != nil {
		t.Fatal(err)
	}
	empty := sha256.Sum256(nil)
	url, _, err := v4.NewSigner().PresignHTTP(
		t.Context(), credentials, r, hex.EncodeToString(empty[:]), "ec2-instance-connect", p.API.Region, time.Now(),
	)
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// cliOpensTunnels does what version 2 of the AWS CLI does
// (awscli/customizations/ec2instanceconnect/websocket.py): it connects to port 443 with TLS, without ALPN, verifies
// the endpoint's name by the host's roots, and sends the handshake and the frames of aws-c-http.
func (p *private) cliOpensTunnels(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(p.State, "authority.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	for _, loopback := range []string{"127.0.0.1:443", "[::1]:443"} {
		dialer := &tls.Dialer{Config: &tls.Config{ServerName: *p.endpoint.DnsName, RootCAs: roots}}
		conn, err := dialer.DialContext(t.Context(), "tcp", loopback)
		if err != nil {
			t.Fatalf("%s: %v\n%s", loopback, err, p.Log())
		}
		defer func() { _ = conn.Close() }()
		_ = conn.SetDeadline(time.Now().Add(program.Patience))
		target := strings.TrimPrefix(p.cliURL(t), "https://"+*p.endpoint.DnsName)
		key := make([]byte, 16)
		_, _ = rand.Read(key) // never fails (package crypto/rand)
		_, err = io.WriteString(conn, "GET "+target+" HTTP/1.1\r\nHost: "+*p.endpoint.DnsName+"\r\n"+
			"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "+base64.StdEncoding.EncodeToString(key)+
			"\r\nSec-WebSocket-Version: 13\r\nUser-Agent: aws-cli/2.31.0 md/awscrt#0.27.6\r\n\r\n")
		if err != nil {
			t.Fatal(err)
		}
		in := bufio.NewReader(conn)
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode != http.StatusSwitchingProtocols {
			body, _ := io.ReadAll(answer.Body)
			t.Fatalf("%s: %s %s", loopback, answer.Status, body)
		}
		banner := make([]byte, len("\x82\x28SSH-2.0-"))
		if _, err := io.ReadFull(in, banner); err != nil || banner[0] != 0x82 || string(banner[2:]) != "SSH-2.0-" {
			t.Errorf("%s: a frame begins with %q, %v", loopback, banner, err)
		}
	}
	stranger := &tls.Dialer{Config: &tls.Config{ServerName: "eice-0.us-east-1.localhost", RootCAs: roots}}
	if conn, err := stranger.DialContext(t.Context(), "tcp", "127.0.0.1:443"); err == nil {
		_ = conn.Close()
		t.Error("the name of no endpoint is served")
	}
}
