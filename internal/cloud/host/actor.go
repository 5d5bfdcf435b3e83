//go:build linux

package host

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
)

// ActorPath is the path at which a daemon makes a request the connection of a user's aloft
// console.
const ActorPath = "/_aloft/console-actor"

const (
	// ActorProtocol is what the request upgrades to: HTTP/2 with the daemon as the client.
	ActorProtocol = "aloft-console"
	// ActorLink is the header of the response with the path of a link to the console.
	ActorLink = "Aloft-Console-Link"
)

// Act connects to a daemon's console as one who serves pages of it. It returns the connection,
// what was read of it already, and the URL of a link that opens the console once and soon.
func (d Daemon) Act(ctx context.Context, layout Layout, region string) (net.Conn, *bufio.Reader, string, error) {
	request, err := d.request(ctx, layout, http.MethodGet, ActorPath+"?region="+url.QueryEscape(region), nil)
	if err != nil {
		return nil, nil, "", err
	}
	request.Header.Set("Connection", "Upgrade")
	request.Header.Set("Upgrade", ActorProtocol)
	dial, err := d.Dialer()
	if err != nil {
		return nil, nil, "", err
	}
	conn, err := dial(ctx, "tcp", d.Address)
	if err != nil {
		return nil, nil, "", err
	}
	in := bufio.NewReader(conn)
	link, err := upgrade(request, conn, in)
	if err != nil {
		_ = conn.Close()
		return nil, nil, "", fmt.Errorf("connect to the console: %w", err)
	}
	return conn, in, "http://" + d.Address + link, nil
}

// upgrade sends a request and returns the link in its response.
func upgrade(request *http.Request, conn io.Writer, in *bufio.Reader) (link string, err error) {
	if err := request.Write(conn); err != nil {
		return "", err
	}
	response, err := http.ReadResponse(in, request)
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		text, _ := io.ReadAll(response.Body)
		return "", fmt.Errorf("%s: %s", response.Status, text)
	}
	return response.Header.Get(ActorLink), nil
}
