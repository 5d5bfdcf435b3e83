//go:build linux

package linklocal

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// Message is the content of a frame. Two messages are equal when their encodings are.
type Message interface {
	// Append appends the encoding, and fails if a part is too long.
	Append(b []byte) ([]byte, error)
	// Parse reads an encoding and keeps none of its memory.
	Parse(text []byte) error
}

var (
	_ Message = (*Request)(nil)
	_ Message = (*Response)(nil)
	_ Message = (*Question)(nil)
	_ Message = (*Found)(nil)
	_ Message = (*Connect)(nil)
	_ Message = (*Connected)(nil)
	_ Message = (*Identify)(nil)
	_ Message = (*Identity)(nil)
)

// errEncoding is the error of a message that does not have the form of its kind.
var errEncoding = errors.New("a message has another form")

// Service is one that machines ask with HTTP.
type Service uint8

// The services.
const (
	Metadata Service = 1
	API      Service = 2
	Endpoint Service = 3 // the API of a VPC endpoint
)

// Request is a machine's HTTP request, as the process has understood it, without its body.
type Request struct {
	Service Service
	Place   string // id of the Place
	Source  netip.AddrPort
	Method  string
	Path    string // escaped, "*" in OPTIONS *
	Query   string // without its question mark, as it was received
	Host    string
	Length  int64 // of the body in bytes; -1: unknown
	Header  http.Header
}

// Response is the head of the daemon's response. Its body follows.
type Response struct {
	Status int
	Hops   uint8 // after which the network drops the response; 0: any number
	Header http.Header
}

// Question is a question of a machine with an address in a VPC to the resolver, in lower case and without a
// trailing dot.
type Question struct {
	VPC        string
	Machine    netip.Addr
	Name, Kind string
}

// Found is the local cloud's answer for a name and a type (dns.Answer).
type Found struct {
	Known, Exists, Synthesize bool
	Records                   []string
	Authority                 string
}

// Connect asks for a socket that is connected with the host's name server of a number, which
// begins at 0.
type Connect struct {
	Server  uint8
	Network string // "udp" or "tcp"
}

// Connected says what came of Connect. Without an error, the socket comes with it.
type Connected struct {
	Present bool   // the host has a name server of the number
	Error   string // empty: none
}

// Identify asks for the certificate of a VPC endpoint, by its network interface.
type Identify struct{ Interface string }

// Identity is a certificate with its chain, and its key, in PEM.
type Identity struct{ Certificate, Key string }

// builder encodes parts of messages.
type builder struct{ cryptobyte.Builder }

func newBuilder(b []byte) *builder { return &builder{*cryptobyte.NewBuilder(b)} }

func (b *builder) text(texts ...string) {
	for _, text := range texts {
		b.AddUint16LengthPrefixed(func(child *cryptobyte.Builder) { child.AddBytes([]byte(text)) })
	}
}

func (b *builder) flag(flag bool) {
	value := uint8(0)
	if flag {
		value = 1
	}
	b.AddUint8(value)
}

// header encodes fields in the order of their names.
func (b *builder) header(h http.Header) {
	n := 0
	for _, values := range h {
		n += len(values)
	}
	b.AddUint16(uint16(n))
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			b.text(name, value)
		}
	}
}

func (b *builder) bytes() ([]byte, error) {
	text, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encode a message: %w", err)
	}
	return text, nil
}

// parser decodes parts of messages, and remembers whether one was wrong.
type parser struct {
	cryptobyte.String
	wrong bool
}

func (p *parser) text() string {
	var text cryptobyte.String
	p.wrong = p.wrong || !p.ReadUint16LengthPrefixed(&text)
	return string(text)
}

func (p *parser) uint8() (n uint8) {
	p.wrong = p.wrong || !p.ReadUint8(&n)
	return n
}

func (p *parser) uint16() (n uint16) {
	p.wrong = p.wrong || !p.ReadUint16(&n)
	return n
}

func (p *parser) flag() bool {
	n := p.uint8()
	p.wrong = p.wrong || n > 1
	return n == 1
}

// header decodes fields, which must be in the order of their names.
func (p *parser) header() http.Header {
	h, last := http.Header{}, ""
	for n := p.uint16(); n > 0 && !p.wrong; n-- {
		name := p.text()
		p.wrong = p.wrong || name < last
		h[name] = append(h[name], p.text())
		last = name
	}
	return h
}

// end returns an error if a part was wrong or something is left.
func (p *parser) end() error {
	if p.wrong || !p.Empty() {
		return errEncoding
	}
	return nil
}

// Append implements Message.
func (r *Request) Append(text []byte) ([]byte, error) {
	b := newBuilder(text)
	b.AddUint8(uint8(r.Service))
	source, err := r.Source.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("encode a source: %w", err)
	}
	b.text(r.Place, string(source), r.Method, r.Path, r.Query, r.Host)
	b.AddUint64(uint64(r.Length))
	b.header(r.Header)
	return b.bytes()
}

// Parse implements Message.
func (r *Request) Parse(text []byte) error {
	p := parser{String: text}
	r.Service, r.Place = Service(p.uint8()), p.text()
	source := p.text()
	r.Method, r.Path, r.Query, r.Host = p.text(), p.text(), p.text(), p.text()
	var length uint64
	p.wrong = p.wrong || !p.ReadUint64(&length)
	r.Length, r.Header = int64(length), p.header()
	err := r.Source.UnmarshalBinary([]byte(source))
	if at := r.Source.Addr(); err != nil || !at.IsValid() || at.Is4In6() || at.Zone() != "" {
		return errEncoding
	}
	if r.Service < Metadata || r.Service > Endpoint || r.Method == "" || r.Length < -1 {
		return errEncoding
	}
	return p.end()
}

// Append implements Message.
func (r *Response) Append(text []byte) ([]byte, error) {
	b := newBuilder(text)
	b.AddUint16(uint16(r.Status))
	b.AddUint8(r.Hops)
	b.header(r.Header)
	return b.bytes()
}

// Parse implements Message.
func (r *Response) Parse(text []byte) error {
	p := parser{String: text}
	r.Status, r.Hops, r.Header = int(p.uint16()), p.uint8(), p.header()
	if r.Status < 100 || r.Status > 999 {
		return errEncoding
	}
	return p.end()
}

// Append implements Message.
func (q *Question) Append(text []byte) ([]byte, error) {
	b := newBuilder(text)
	b.text(q.VPC, q.Name, q.Kind)
	b.text(q.Machine.String())
	return b.bytes()
}

// Parse implements Message.
func (q *Question) Parse(text []byte) error {
	p := parser{String: text}
	q.VPC, q.Name, q.Kind = p.text(), p.text(), p.text()
	machine, err := netip.ParseAddr(p.text())
	if err != nil {
		return errEncoding
	}
	q.Machine = machine
	return p.end()
}

// Append implements Message.
func (f *Found) Append(text []byte) ([]byte, error) {
	b := newBuilder(text)
	b.flag(f.Known)
	b.flag(f.Exists)
	b.flag(f.Synthesize)
	b.text(f.Authority)
	b.AddUint16(uint16(len(f.Records)))
	b.text(f.Records...)
	return b.bytes()
}

// Parse implements Message.
func (f *Found) Parse(text []byte) error {
	p := parser{String: text}
	f.Known, f.Exists, f.Synthesize, f.Authority, f.Records = p.flag(), p.flag(), p.flag(), p.text(), nil
	for n := p.uint16(); n > 0 && !p.wrong; n-- {
		f.Records = append(f.Records, p.text())
	}
	return p.end()
}

// Append implements Message.
func (c *Connect) Append(text []byte) ([]byte, error) {
	b := newBuilder(text)
	b.AddUint8(c.Server)
	b.text(c.Network)
	return b.bytes()
}

// Parse implements Message.
func (c *Connect) Parse(text []byte) error {
	p := parser{String: text}
	c.Server, c.Network = p.uint8(), p.text()
	if c.Network != "udp" && c.Network != "tcp" {
		return errEncoding
	}
	return p.end()
}

// Append implements Message.
func (c *Connected) Append(text []byte) ([]byte, error) {
	b := newBuilder(text)
	b.flag(c.Present)
	b.text(c.Error)
	return b.bytes()
}

// Parse implements Message.
func (c *Connected) Parse(text []byte) error {
	p := parser{String: text}
	c.Present, c.Error = p.flag(), p.text()
	return p.end()
}

// Append implements Message.
func (i *Identify) Append(text []byte) ([]byte, error) {
	b := newBuilder(text)
	b.text(i.Interface)
	return b.bytes()
}

// Parse implements Message.
func (i *Identify) Parse(text []byte) error {
	p := parser{String: text}
	i.Interface = p.text()
	return p.end()
}

// Append implements Message.
func (i *Identity) Append(text []byte) ([]byte, error) {
	b := newBuilder(text)
	b.text(i.Certificate, i.Key)
	return b.bytes()
}

// Parse implements Message.
func (i *Identity) Parse(text []byte) error {
	p := parser{String: text}
	i.Certificate, i.Key = p.text(), p.text()
	return p.end()
}
