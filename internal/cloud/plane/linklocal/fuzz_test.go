//go:build linux

package linklocal

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/dns"
)

// examples returns a message of each kind, with all its parts.
func examples() map[Kind]Message {
	header := http.Header{"Accept": {"a", ""}, "X-Bytes": {"\xff\x00"}}
	return map[Kind]Message{
		KindHTTP: &Request{
			Service: API, Place: "vpc-1", Source: netip.MustParseAddrPort("[2001:db8::1]:40000"), Method: "POST",
			Path: "/a%2fb", Query: "x=%zz", Host: "169.254.169.254:4566", Length: -1, Header: header,
		},
		KindResponse: &Response{Status: 404, Hops: 1, Header: header},
		KindQuestion: &Question{
			VPC: "vpc-1", Machine: netip.MustParseAddr("10.0.0.5"), Name: "www.example.com", Kind: "A",
		},
		KindFound:     &Found{Known: true, Exists: true, Records: []string{". 60 IN A 10.0.0.1", ""}, Authority: "soa"},
		KindConnect:   &Connect{Server: 2, Network: "tcp"},
		KindConnected: &Connected{Present: true, Error: "none"},
		KindIdentify:  &Identify{Interface: "eni-1"},
		KindIdentity:  &Identity{Certificate: "certificate", Key: "key"},
	}
}

func encode(t testing.TB, m Message) []byte {
	t.Helper()
	text, err := m.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// FuzzMessage parses what may be messages. What can be parsed has one encoding.
func FuzzMessage(f *testing.F) {
	for kind, m := range examples() {
		text := encode(f, m)
		f.Add(byte(kind), text)
		f.Add(byte(kind), text[:len(text)-1])
		f.Add(byte(kind), append(text, 0))
	}
	f.Fuzz(func(t *testing.T, kind byte, text []byte) {
		m, ok := examples()[Kind(kind)]
		if !ok || m.Parse(text) != nil {
			return
		}
		if again, err := m.Append(nil); err != nil || !bytes.Equal(again, text) {
			t.Errorf("%T %x is encoded as %x, %v", m, text, again, err)
		}
	})
}

// FuzzCall sends frames to the daemon, as a process that attackers have taken over may do.
func FuzzCall(f *testing.F) {
	for kind, m := range examples() {
		f.Add(byte(kind), encode(f, m), byte(KindData), "body")
		f.Add(byte(kind), encode(f, m), byte(KindEnd), "")
	}
	respond := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, r.Method+" "+r.URL.String()+" "+r.RemoteAddr)
		_, _ = w.Write(body)
	})
	zone := func(_, name string) ([]netip.Addr, bool) { return nil, strings.HasSuffix(name, ".internal") }
	s := &server{
		Services: Services{
			Metadata: func(string) http.Handler { return respond }, API: respond, Names: dns.Names{Zone: zone},
			Endpoint:    func(string) http.Handler { return respond },
			Identity:    func(string) (Identity, error) { return Identity{}, nil },
			NameServers: func() ([]netip.AddrPort, error) { return nil, nil },
		},
		log: slog.New(slog.DiscardHandler),
	}
	f.Fuzz(func(t *testing.T, kind byte, payload []byte, next byte, rest string) {
		near, far, err := Pair()
		if err != nil {
			t.Fatal(err)
		}
		stream, err := newStream(far)
		if err != nil {
			t.Fatal(err)
		}
		frame := NewFrame()
		defer frame.Free()
		send := func(kind byte, text string) {
			frame.Fill(copy(frame.Space(), text))
			if err := near.Send(Kind(kind), frame); err != nil {
				t.Fatal(err)
			}
		}
		send(kind, string(payload))
		send(next, rest)
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			_ = s.answer(t.Context(), stream)
			_ = stream.Close()
		}()
		for near.Receive(frame) == nil && frame.Kind() != KindEnd {
			if frame.Kind() == KindWanted {
				send(byte(KindEnd), "")
			}
		}
		_ = near.Close()
		<-answered
	})
}
