//go:build linux

package dns

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"aloft.dev/aloft/internal/cloud/plane/admission"
)

// nowhere is a cloud on a host without name servers.
type nowhere struct{ Names }

func (n nowhere) Find(_ context.Context, machine admission.Source, name, kind string) (Answer, bool, error) {
	answer, known := n.Names.Find(machine, name, kind)
	return answer, known, nil
}

func (nowhere) Connect(context.Context, int, string) (net.Conn, bool, error) { return nil, false, nil }

// FuzzQuery answers messages as they come from machines. Every one that is a message has an
// answer that can be sent.
func FuzzQuery(f *testing.F) {
	for _, name := range []string{
		"ip-10-0-1-5.ec2.internal.", "5.1.0.10.in-addr.arpa.", "1.2.in-addr.arpa.", "outside.example.", ".", "\\000.x.",
	} {
		for _, kind := range []uint16{dns.TypeA, dns.TypePTR, dns.TypeANY, dns.TypeAAAA, dns.TypeOPT, dns.TypeAXFR} {
			query := new(dns.Msg).SetQuestion(name, kind)
			if kind == dns.TypeA {
				query.SetEdns0(4096, true)
			}
			packed, err := query.Pack()
			if err != nil {
				f.Fatal(err)
			}
			f.Add(packed)
		}
	}
	r := New(nowhere{Names{
		Zone: func(_, name string) ([]netip.Addr, bool) {
			return []netip.Addr{netip.MustParseAddr("10.0.1.5")}, len(name)%2 == 0
		},
		Synthesizes: func(string, netip.Addr) bool { return true },
		Reverse:     func(_ string, a netip.Addr) (string, bool) { return "host.internal", a.Is4() },
	}}, admission.Limits{}, slog.New(slog.DiscardHandler))
	f.Fuzz(func(t *testing.T, packet []byte) {
		query := new(dns.Msg)
		if err := query.Unpack(packet); err != nil {
			return
		}
		response := (&exchange{r, admission.Source{VPC: "vpc-1"}, query, false}).respond(context.Background())
		if response == nil || response.Id != query.Id || !response.Response {
			t.Fatalf("%x is answered with %v", packet, response)
		}
		packed, err := response.Pack()
		if err != nil {
			t.Errorf("the answer to %x cannot be sent: %v", packet, err)
		}
		if len(packed) > dns.DefaultMsgSize {
			t.Errorf("the answer to %x has %d bytes", packet, len(packed))
		}
	})
}
