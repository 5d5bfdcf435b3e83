//go:build linux

package contest

import (
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
)

// StartHAProxy starts HAProxy.
func StartHAProxy(ctx context.Context, s Settings) (*Proxy, error) {
	conf, socket := filepath.Join(s.Dir, "haproxy.cfg"), filepath.Join(s.Dir, "haproxy.sock")
	p, _, err := startPeer(ctx, "haproxy", s.Port, conf, s.haproxy(socket), "haproxy", "-db", "-f", conf)
	if err != nil {
		return p, err
	}
	p.Drain = func(ctx context.Context, backend int) error {
		return command(ctx, socket, fmt.Sprintf("set server back/s%d state drain", backend))
	}
	return p, p.Ready(ctx)
}

// haproxy returns the settings as HAProxy's configuration.
func (s Settings) haproxy(socket string) string {
	var servers strings.Builder
	for i, b := range s.Backends {
		fmt.Fprintf(&servers, "  server s%d 127.0.0.1:%d check inter %dms fall %d rise %d\n",
			i, b.Port, s.Interval.Milliseconds(), s.Threshold, s.Threshold)
	}
	retries := "retries 0"
	if s.Retries {
		retries = "retries 3\n  option redispatch"
	}
	return fmt.Sprintf(`global
  maxconn 8192
  nbthread %d
  stats socket %s level admin
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
  timeout check %dms
  option forwardfor
  http-reuse always
  %s
frontend front
  bind 127.0.0.1:%d
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Port %%[dst_port]
  default_backend back
backend back
  balance roundrobin
  option httpchk GET %s
%s`, s.Workers, socket, s.Timeout.Milliseconds(), retries, s.Port, checkPath, servers.String())
}

// command sends a command over HAProxy's runtime socket. The response to a successful
// command is empty (HAProxy Management Guide, "Unix Socket commands").
func command(ctx context.Context, socket, text string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, text+"\n"); err != nil {
		return err
	}
	response, err := io.ReadAll(conn)
	if err != nil {
		return err
	}
	if problem := strings.TrimSpace(string(response)); problem != "" {
		return fmt.Errorf("haproxy: %s: %s", text, problem)
	}
	return nil
}
