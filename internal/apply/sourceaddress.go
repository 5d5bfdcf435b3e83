package apply

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

const (
	// addressService is AWS's service that answers with the client's public address.
	addressService = "https://checkip.amazonaws.com"
	// addressServiceTimeout bounds a request to it.
	addressServiceTimeout = 10 * time.Second
)

// sharedAddresses is the range behind carrier-grade NAT (RFC 6598).
var sharedAddresses = netip.MustParsePrefix("100.64.0.0/10")

// SourceAddress returns the address from which the cloud sees this computer when it
// connects to target: the local address for that route, or the public one if the
// local address is private and therefore translated on the way.
func SourceAddress(ctx context.Context, target netip.Addr) ([]netip.Prefix, error) {
	var dialer net.Dialer
	// Connecting a UDP socket sends nothing: it only selects the local address.
	conn, err := dialer.DialContext(ctx, "udp4", netip.AddrPortFrom(target, 22).String())
	if err != nil {
		return nil, fmt.Errorf("find the route to %s: %w", target, err)
	}
	local, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if closed := conn.Close(); err != nil || closed != nil {
		return nil, fmt.Errorf("find the local address for %s: %w", target, err)
	}
	address := local.Addr()
	if isPrivate(address) {
		if address, err = publicAddress(ctx); err != nil {
			return nil, fmt.Errorf("request the public address from %s: %w", addressService, err)
		}
	}
	return []netip.Prefix{netip.PrefixFrom(address, address.BitLen())}, nil
}

func isPrivate(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || sharedAddresses.Contains(a)
}

// publicAddress requests this computer's public IPv4 address. It uses no proxy, because SSH
// uses none, and a proxy has an address of its own.
func publicAddress(ctx context.Context) (netip.Addr, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, addressService, nil)
	if err != nil {
		return netip.Addr{}, err
	}
	client := &http.Client{Timeout: addressServiceTimeout, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return netip.Addr{}, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, 64))
	if err != nil {
		return netip.Addr{}, err
	}
	address, err := netip.ParseAddr(strings.TrimSpace(string(text)))
	if err != nil || !address.Is4() {
		return netip.Addr{}, fmt.Errorf("the response is %q", text)
	}
	return address, nil
}
