//go:build linux

package firewall

import (
	"net"
	"net/netip"
	"strings"

	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
)

// statement is one match or action of a rule.
type statement interface {
	text() string
	exprs() []expr.Any
}

// equals matches a field that has the value.
type equals struct {
	field field
	value value
}

func (m equals) text() string { return m.field.text + " " + m.value.text }

func (m equals) exprs() []expr.Any {
	return []expr.Any{m.field.load(register1), &expr.Cmp{Op: expr.CmpOpEq, Register: register1, Data: m.value.data}}
}

// inInterval matches a field from low to high, both included.
type inInterval struct {
	field     field
	low, high value
}

func (m inInterval) text() string { return m.field.text + " " + m.low.text + "-" + m.high.text }

func (m inInterval) exprs() []expr.Any {
	return []expr.Any{
		m.field.load(register1),
		&expr.Cmp{Op: expr.CmpOpGte, Register: register1, Data: m.low.data},
		&expr.Cmp{Op: expr.CmpOpLte, Register: register1, Data: m.high.data},
	}
}

// inPrefix matches an address inside the prefix, or outside it.
type inPrefix struct {
	field  field
	prefix netip.Prefix
	not    bool
}

func (m inPrefix) text() string {
	if m.not {
		return m.field.text + " != " + m.prefix.Masked().String()
	}
	return m.field.text + " " + m.prefix.Masked().String()
}

func (m inPrefix) exprs() []expr.Any {
	bits := m.prefix.Addr().BitLen()
	mask := net.CIDRMask(m.prefix.Bits(), bits)
	op := expr.CmpOpEq
	if m.not {
		op = expr.CmpOpNeq
	}
	return []expr.Any{
		m.field.load(register1),
		&expr.Bitwise{
			SourceRegister: register1, DestRegister: register1, Len: uint32(bits / 8), Mask: mask,
			Xor: make([]byte, bits/8),
		},
		&expr.Cmp{Op: op, Register: register1, Data: m.prefix.Masked().Addr().AsSlice()},
	}
}

// inSet matches fields that the set contains, or those that it does not.
type inSet struct {
	fields []field // at most two
	set    string
	not    bool
}

func (m inSet) text() string {
	parts := make([]string, 0, len(m.fields))
	for _, f := range m.fields {
		parts = append(parts, f.text)
	}
	not := ""
	if m.not {
		not = "!= "
	}
	return strings.Join(parts, " . ") + " " + not + "@" + m.set
}

func (m inSet) exprs() []expr.Any {
	all := make([]expr.Any, 0, len(m.fields)+1)
	for i, f := range m.fields {
		all = append(all, f.load([]uint32{register1, register2}[i]))
	}
	return append(all, &expr.Lookup{SourceRegister: register1, SetName: m.set, Invert: m.not})
}

// ctState matches the conntrack state or status of a packet's connection.
type ctState struct {
	words string
	key   expr.CtKey
	bits  uint32
}

func (m ctState) text() string { return "ct " + m.words }

func (m ctState) exprs() []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: m.key, Register: register1},
		&expr.Bitwise{
			SourceRegister: register1,
			DestRegister:   register1,
			Len:            4,
			Mask:           binaryutil.NativeEndian.PutUint32(m.bits),
			Xor:            make([]byte, 4),
		},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: register1, Data: make([]byte, 4)},
	}
}

var (
	established = ctState{
		"state established,related",
		expr.CtKeySTATE,
		expr.CtStateBitESTABLISHED | expr.CtStateBitRELATED,
	}
	invalid    = ctState{"state invalid", expr.CtKeySTATE, expr.CtStateBitINVALID}
	redirected = ctState{"status dnat", expr.CtKeySTATUS, 1 << 5} // IPS_DST_NAT, nf_conntrack_common.h
)
