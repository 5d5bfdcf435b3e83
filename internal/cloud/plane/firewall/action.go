package firewall

import (
	"net/netip"
	"strconv"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// verdict decides a packet's way.
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
	accept = verdict{kind: expr.VerdictAccept}
	drop   = verdict{kind: expr.VerdictDrop}
	leave  = verdict{kind: expr.VerdictReturn}
)

func jump(chain string) verdict   { return verdict{expr.VerdictJump, chain} }
func follow(chain string) verdict { return verdict{expr.VerdictGoto, chain} }

// dispatch takes the verdict that a map holds for a field, if it holds one.
type dispatch struct {
	field field
	set   string
}

func (d dispatch) text() string { return d.field.text + " vmap @" + d.set }

func (d dispatch) exprs() []expr.Any {
	return []expr.Any{
		d.field.load(first),
		&expr.Lookup{SourceRegister: first, SetName: d.set, IsDestRegSet: true, DestRegister: unix.NFT_REG_VERDICT},
	}
}

// marking gives a packet the mark that a map holds for a field.
type marking struct {
	field field
	set   string
}

func (m marking) text() string { return "meta mark set " + m.field.text + " map @" + m.set }

func (m marking) exprs() []expr.Any {
	return []expr.Any{
		m.field.load(first),
		&expr.Lookup{SourceRegister: first, SetName: m.set, IsDestRegSet: true, DestRegister: first},
		&expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: first},
	}
}

// translate gives a connection's first packet the address that a map holds for
// its present one.
type translate struct {
	kind  expr.NATType
	field field
	set   string
}

func (t translate) text() string {
	return map[expr.NATType]string{expr.NATTypeSourceNAT: "snat", expr.NATTypeDestNAT: "dnat"}[t.kind] + " to " + t.field.text + " map @" + t.set
}

func (t translate) exprs() []expr.Any {
	return []expr.Any{
		t.field.load(first),
		&expr.Lookup{SourceRegister: first, SetName: t.set, IsDestRegSet: true, DestRegister: first},
		&expr.NAT{Type: t.kind, Family: unix.NFPROTO_IPV4, RegAddrMin: first},
	}
}

// redirect sends a connection to one address and port.
type redirect struct{ to netip.AddrPort }

func (r redirect) text() string {
	return "dnat to " + r.to.Addr().String() + ":" + strconv.Itoa(int(r.to.Port()))
}

func (r redirect) exprs() []expr.Any {
	return []expr.Any{
		&expr.Immediate{Register: first, Data: r.to.Addr().AsSlice()},
		&expr.Immediate{Register: second, Data: portOf(int(r.to.Port())).data},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: first, RegProtoMin: second},
	}
}
