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

// addressService answers with the address from which it is asked. It is AWS's
// own.
const addressService = "https://checkip.amazonaws.com"

// shared is the range behind carrier-grade NAT (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")

// Egress finds the address from which the cloud sees this machine when it
// connects to target: the one that the system would send from, or, when that is
// private and so is translated on the way, the one that AWS sees.
func Egress(ctx context.Context, target netip.Addr) (netip.Prefix, error) {
	var dialer net.Dialer
	// Connecting a UDP socket sends nothing: it only chooses the address.
	conn, err := dialer.DialContext(ctx, "udp4", netip.AddrPortFrom(target, 22).String())
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("find the way to %s: %w", target, err)
	}
	local, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if closed := conn.Close(); err != nil || closed != nil {
		return netip.Prefix{}, fmt.Errorf("find the address to reach %s from: %w", target, err)
	}
	address := local.Addr()
	if address.IsPrivate() || address.IsLoopback() || address.IsLinkLocalUnicast() || shared.Contains(address) {
		if address, err = askAddress(ctx); err != nil {
			return netip.Prefix{}, err
		}
	}
	return netip.PrefixFrom(address, address.BitLen()), nil
}

func askAddress(ctx context.Context) (netip.Addr, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, addressService, nil)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("ask for our public address: %w", err)
	}
	client := &http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	answer, err := client.Do(request)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("ask for our public address: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 64))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("ask for our public address: %w", err)
	}
	address, err := netip.ParseAddr(strings.TrimSpace(string(text)))
	if err != nil || !address.Is4() {
		return netip.Addr{}, fmt.Errorf("ask for our public address: %s answered %q", addressService, text)
	}
	return address, nil
}
