package awsapi

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
	"github.com/coder/websocket"
)

// Tunnel is a connection to an instance through an EC2 Instance Connect Endpoint, which lasts
// for up to an hour.
type Tunnel struct {
	EndpointID string     // "eice-…"
	DNSName    string     // of the endpoint
	To         netip.Addr // a private address of the instance
	Port       uint16     // 22 or 3389
}

const (
	connectService  = "ec2-instance-connect" // in the scope of signatures
	handshakeLimit  = 20 * time.Second
	maxRefusal      = 16 << 10 // bytes of an answer that refuses a tunnel
	signatureExpiry = "60"     // seconds, as in the AWS CLI
)

// OpenTunnel opens a tunnel, as aws ec2-instance-connect open-tunnel does. It does not wait
// until the instance has accepted the connection: if it does not, reads fail. The error of
// the API has its code and message.
//
// On AWS, the tunnel is at the endpoint's name. If another endpoint is set for EC2 Instance
// Connect, it is there, under the endpoint's name as host.
func (c *Client) OpenTunnel(ctx context.Context, t Tunnel) (net.Conn, error) {
	base, err := url.Parse(cmp.Or(aws.ToString(c.Connect.Options().BaseEndpoint), "https://"+t.DNSName))
	if err != nil {
		return nil, fmt.Errorf("read the endpoint of EC2 Instance Connect: %w", err)
	}
	within, cancel := context.WithTimeout(ctx, handshakeLimit)
	defer cancel()
	signed, err := c.tunnelURL(within, base, t)
	if err != nil {
		return nil, err
	}
	transport := c.tunnelTransport(base)
	//nolint:bodyclose // websocket.Dial closes it, or leaves what needs no closing
	socket, response, err := websocket.Dial(within, signed, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport},
	})
	transport.CloseIdleConnections() // the tunnel's own connection is not idle
	if err != nil {
		return nil, fmt.Errorf("open a tunnel through %s: %w", t.EndpointID, tunnelProblem(response, err))
	}
	// The connection outlives the context with which it was made.
	return websocket.NetConn(context.WithoutCancel(ctx), socket, websocket.MessageBinary), nil
}

// tunnelURL returns the presigned URL of a tunnel.
func (c *Client) tunnelURL(ctx context.Context, base *url.URL, t Tunnel) (string, error) {
	query := url.Values{
		"instanceConnectEndpointId": {t.EndpointID},
		"privateIpAddress":          {t.To.String()},
		"remotePort":                {strconv.Itoa(int(t.Port))},
		"X-Amz-Expires":             {signatureExpiry},
	}
	at := url.URL{Scheme: base.Scheme, Host: t.DNSName, Path: "/openTunnel", RawQuery: query.Encode()}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return "", fmt.Errorf("make the URL of a tunnel: %w", err)
	}
	credentials, err := c.config.Credentials.Retrieve(ctx)
	if err != nil {
		return "", fmt.Errorf("sign the URL of a tunnel: %w", err)
	}
	nothing := sha256.Sum256(nil)
	signed, _, err := v4.NewSigner().PresignHTTP(
		ctx, credentials, request, hex.EncodeToString(nothing[:]), connectService, c.Region, time.Now(),
	)
	if err != nil {
		return "", fmt.Errorf("sign the URL of a tunnel: %w", err)
	}
	return signed, nil
}

// tunnelTransport returns a transport, of HTTP/1.1, that connects to base. If that is not
// AWS's, the host of requests is another.
func (c *Client) tunnelTransport(base *url.URL) *http.Transport {
	dial := c.dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	if aws.ToString(c.Connect.Options().BaseEndpoint) == "" {
		return &http.Transport{DialContext: dial, Proxy: http.ProxyFromEnvironment}
	}
	address := base.Host
	if base.Port() == "" {
		address = net.JoinHostPort(base.Hostname(), map[string]string{"http": "80", "https": "443"}[base.Scheme])
	}
	return &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dial(ctx, network, address)
	}}
}

// tunnelProblem returns the error of the API in an answer that refuses a tunnel, or err.
func tunnelProblem(response *http.Response, err error) error {
	if response == nil || response.Body == nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, readErr := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
	var refusal struct{ ErrorCode, Message string }
	if readErr != nil || json.Unmarshal(body, &refusal) != nil || refusal.ErrorCode == "" {
		return err
	}
	return &smithy.GenericAPIError{Code: refusal.ErrorCode, Message: refusal.Message}
}
