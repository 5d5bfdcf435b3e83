package tunnel_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The URLs that version 2 of the AWS CLI connects to, as its library botocore signs them at
// 12:00 with the key AKIDEXAMPLE and the secret "secret": presigned for 60 seconds, with the
// hash of an empty body, the parameters in the order of awscli/customizations/
// ec2instanceconnect/eicesigner.py, and the endpoint's name as the only signed header.
var cliQueries = map[string]string{
	"a key of the account": "instanceConnectEndpointId=eice-1&remotePort=22&privateIpAddress=10.0.1.5" +
		cliSignature + "&X-Amz-Signature=a619dfaa9ee0834a75fc11fe94618c1a8f2c5fd05da3245dc7eeaea522381c12",
	"a key of a session, for ten minutes": "instanceConnectEndpointId=eice-1&remotePort=22&privateIpAddress=10.0.1.5" +
		"&maxTunnelDuration=600" + cliSignature + "&X-Amz-Security-Token=token%2Fwith%2Bsigns%3D" +
		"&X-Amz-Signature=baa1d61d18581c81751cd7883e20ec4393f6a2b1b62146ee83d9dfb691c6926a",
}

const cliSignature = "&X-Amz-Algorithm=AWS4-HMAC-SHA256" +
	"&X-Amz-Credential=AKIDEXAMPLE%2F20261123%2Fus-east-1%2Fec2-instance-connect%2Faws4_request" +
	"&X-Amz-Date=20261123T120000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host"

// TestATunnelAcceptsWhatTheCLISends sends the bytes of version 2 of the AWS CLI: the handshake of
// its library aws-c-http, and a masked binary frame.
func TestATunnelAcceptsWhatTheCLISends(t *testing.T) {
	for whose, query := range cliQueries {
		t.Run(whose, func(t *testing.T) {
			w := newWorld(t)
			w.now = time.Date(2026, 11, 23, 12, 0, 30, 0, time.UTC)
			conn, err := net.Dial("tcp", w.server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			handshake := "GET /openTunnel?" + query + " HTTP/1.1\r\n" +
				"Host: " + name + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
				"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
				"User-Agent: aws-cli/2.31.0 md/awscrt#0.27.6\r\n\r\n"
			if _, err := io.WriteString(conn, handshake); err != nil {
				t.Fatal(err)
			}
			in := bufio.NewReader(conn)
			answer, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode != http.StatusSwitchingProtocols ||
				answer.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
				body, _ := io.ReadAll(answer.Body)
				t.Fatalf("%s %v %s", answer.Status, answer.Header, body)
			}
			const text, mask = "SSH-2.0-OpenSSH_9.2\r\n", "\x01\x02\x03\x04"
			frame := []byte{0x82, 0x80 | byte(len(text))}
			frame = append(frame, mask...)
			for i := range len(text) {
				frame = append(frame, text[i]^mask[i%4])
			}
			if _, err := conn.Write(frame); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, 2+len(text))
			if _, err := io.ReadFull(in, got); err != nil || !strings.HasSuffix(string(got), text) || got[0] != 0x82 {
				t.Errorf("got %q, %v", got, err)
			}
			if to := <-w.dials; to != "eni-1 10.0.1.5:22" {
				t.Errorf("connected from %s", to)
			}
		})
	}
}
