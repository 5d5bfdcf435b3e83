//go:build linux

package dns

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/miekg/dns"
)

// forward sends a query to the host's name servers in turn until one answers.
func (r *Resolver) forward(ctx context.Context, query *dns.Msg, tcp bool) (*dns.Msg, error) {
	upstreams, err := r.cfg.Upstreams()
	if err != nil {
		return nil, err
	}
	client := &dns.Client{Timeout: upstreamTimeout, UDPSize: dns.MaxMsgSize}
	if tcp {
		client.Net = "tcp"
	}
	lastErr := errors.New("the host has no name server")
	for _, server := range upstreams {
		response, _, err := client.ExchangeContext(ctx, query, server.String())
		if err == nil && response.Rcode != dns.RcodeServerFailure && response.Rcode != dns.RcodeRefused {
			return response, nil
		}
		if err == nil {
			err = fmt.Errorf("%s answers %s", server, dns.RcodeToString[response.Rcode])
		}
		lastErr = err
	}
	return nil, lastErr
}

// HostResolvers returns the name servers of the host (resolv.conf(5)).
func HostResolvers() ([]netip.AddrPort, error) {
	host, err := dns.ClientConfigFromFile("/etc/resolv.conf")
	if err != nil {
		return nil, fmt.Errorf("read the host's name servers: %w", err)
	}
	all := make([]netip.AddrPort, 0, len(host.Servers))
	for _, server := range host.Servers {
		if addr, err := netip.ParseAddr(server); err == nil {
			all = append(all, netip.AddrPortFrom(addr, 53))
		}
	}
	return all, nil
}
