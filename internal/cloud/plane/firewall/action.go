//go:build linux

package firewall

import (
	"net/netip"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// verdict ends the evaluation of a packet or continues it in another chain.
type verdict struct {
	kind  expr.VerdictKind
	chain string
}

func (v verdict) text() string {
	switch v.kind {
	case expr.VerdictAccept:
		return "accept"
	case expr.VerdictDrop:
		return "drop"
	case expr.VerdictReturn:
		return "return"
	case expr.VerdictJump:
		return "jump " + v.chain
	default:
		return "goto " + v.chain
	}
}

func (v verdict) exprs() []expr.Any { return []expr.Any{&expr.Verdict{Kind: v.kind, Chain: v.chain}} }

var (
	accept         = verdict{kind: expr.VerdictAccept}
	drop           = verdict{kind: expr.VerdictDrop}
	returnToCaller = verdict{kind: expr.VerdictReturn}
)

func jumpTo(chain string) verdict { return verdict{expr.VerdictJump, chain} }
func goTo(chain string) verdict   { return verdict{expr.VerdictGoto, chain} }

// verdictMap applies the verdict that a map has for the field, if any.
type verdictMap struct {
	field field
	set   string
}

func (d verdictMap) text() string { return d.field.text + " vmap @" + d.set }

func (d verdictMap) exprs() []expr.Any {
	return []expr.Any{
		d.field.load(register1),
		&expr.Lookup{SourceRegister: register1, SetName: d.set, IsDestRegSet: true, DestRegister: unix.NFT_REG_VERDICT},
	}
}

// setMark marks a packet with the map's value for the field.
type setMark struct {
	field field
	set   string
}

func (m setMark) text() string { return "meta mark set " + m.field.text + " map @" + m.set }

func (m setMark) exprs() []expr.Any {
	return []expr.Any{
		m.field.load(register1),
		&expr.Lookup{SourceRegister: register1, SetName: m.set, IsDestRegSet: true, DestRegister: register1},
		&expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: register1},
	}
}

// nat translates a connection's source or destination to the map's value for the field.
type nat struct {
	kind  expr.NATType
	field field
	set   string
}

func (t nat) text() string {
	keyword := "dnat"
	if t.kind == expr.NATTypeSourceNAT {
		keyword = "snat"
	}
	return keyword + " to " + t.field.text + " map @" + t.set
}

func (t nat) exprs() []expr.Any {
	return []expr.Any{
		t.field.load(register1),
		&expr.Lookup{SourceRegister: register1, SetName: t.set, IsDestRegSet: true, DestRegister: register1},
		&expr.NAT{Type: t.kind, Family: unix.NFPROTO_IPV4, RegAddrMin: register1},
	}
}

// snatTo translates a connection's source to one address and a free port.
type snatTo struct{ to netip.Addr }

func (r snatTo) text() string { return "snat to " + r.to.String() }

func (r snatTo) exprs() []expr.Any {
	return []expr.Any{
		&expr.Immediate{Register: register1, Data: r.to.AsSlice()},
		&expr.NAT{Type: expr.NATTypeSourceNAT, Family: natFamily(r.to), RegAddrMin: register1},
	}
}

// dnatTo translates a connection's destination to one address and port.
type dnatTo struct{ to netip.AddrPort }

func (r dnatTo) text() string {
	return "dnat to " + r.to.String()
}

func (r dnatTo) exprs() []expr.Any {
	family := natFamily(r.to.Addr())
	return []expr.Any{
		&expr.Immediate{Register: register1, Data: r.to.Addr().AsSlice()},
		&expr.Immediate{Register: register2, Data: portValue(int(r.to.Port())).data},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: family, RegAddrMin: register1, RegProtoMin: register2},
	}
}
