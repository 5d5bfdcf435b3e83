//go:build linux

package dns_test

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"testing"

	mdns "github.com/miekg/dns"

	"aloft.dev/aloft/internal/cloud/plane/admission"
	"aloft.dev/aloft/internal/cloud/plane/dns"
)

// lines sends what is written to a log.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

func TestMachineHasABoundedNumberOfQueriesInProgress(t *testing.T) {
	upstream, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = upstream.Close() }()
	log := make(lines, 9)
	names := dns.Names{Zone: func(_, name string) ([]netip.Addr, bool) {
		return []netip.Addr{netip.MustParseAddr("10.0.0.1")}, name != "slow.example"
	}}
	r := dns.New(cloud{names, []string{upstream.LocalAddr().String()}}, admission.Limits{PerSource: 1, Total: 9},
		slog.New(slog.NewTextHandler(log, nil)))
	server := serve(t, func(ctx context.Context, p net.PacketConn, l net.Listener) error {
		return r.Serve(ctx, "vpc-1", []net.PacketConn{p}, []net.Listener{l})
	})
	conn, err := mdns.Dial("udp4", server)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	send := func(name string) uint16 {
		t.Helper()
		query := new(mdns.Msg).SetQuestion(name, mdns.TypeA)
		if err := conn.WriteMsg(query); err != nil {
			t.Fatal(err)
		}
		return query.Id
	}
	first := send("slow.example.")
	packet := make([]byte, 512)
	n, machine, err := upstream.ReadFrom(packet)
	if err != nil {
		t.Fatal(err)
	}
	send("dropped.example.")
	<-log
	packet[2] |= 0x80 // it is a response
	if _, err := upstream.WriteTo(packet[:n], machine); err != nil {
		t.Fatal(err)
	}
	// The response to the second query would have been the first.
	if response, err := conn.ReadMsg(); err != nil || response.Id != first {
		t.Errorf("got %v, %v; want the response to %d", response, err, first)
	}
}
