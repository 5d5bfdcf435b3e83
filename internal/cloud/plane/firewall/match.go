package firewall

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// field is a part of a packet, or of what the kernel knows of it.
type field struct {
	name     string // of its type
	text     string // as in a rule
	datatype nftables.SetDatatype
	load     func(register uint32) expr.Any
}

// The first register of 16 bytes and the next one (nf_tables.h).
const (
	register1 = unix.NFT_REG_1
	register2 = unix.NFT_REG_2
)

func meta(name, text string, kind nftables.SetDatatype, key expr.MetaKey) field {
	return field{name, text, kind, func(register uint32) expr.Any { return &expr.Meta{Key: key, Register: register} }}
}

func payload(name, text string, kind nftables.SetDatatype, base expr.PayloadBase, offset uint32) field {
	return field{name, text, kind, func(register uint32) expr.Any {
		return &expr.Payload{DestRegister: register, Base: base, Offset: offset, Len: kind.Bytes}
	}}
}

var (
	inDevice    = meta("ifname", "iifname", nftables.TypeIFName, expr.MetaKeyIIFNAME)
	outDevice   = meta("ifname", "oifname", nftables.TypeIFName, expr.MetaKeyOIFNAME)
	mark        = meta("mark", "meta mark", nftables.TypeMark, expr.MetaKeyMARK)
	protocol    = meta("inet_proto", "meta l4proto", nftables.TypeInetProto, expr.MetaKeyL4PROTO)
	source      = payload("ipv4_addr", "ip saddr", nftables.TypeIPAddr, expr.PayloadBaseNetworkHeader, 12)
	destination = payload("ipv4_addr", "ip daddr", nftables.TypeIPAddr, expr.PayloadBaseNetworkHeader, 16)
	port        = payload("inet_service", "th dport", nftables.TypeInetService, expr.PayloadBaseTransportHeader, 2)
	icmpType    = payload("icmp_type", "icmp type", nftables.TypeICMPType, expr.PayloadBaseTransportHeader, 0)
	icmpCode    = payload("icmp_code", "icmp code", nftables.TypeICMPCode, expr.PayloadBaseTransportHeader, 1)
)

// value is what a field may hold.
type value struct {
	text string
	data []byte
}

func deviceValue(name string) value {
	data := make([]byte, unix.IFNAMSIZ)
	copy(data, name)
	return value{strconv.Quote(name), data}
}

func addressValue(a netip.Addr) value { return value{a.String(), a.AsSlice()} }

func markValue(n uint32) value {
	return value{fmt.Sprintf("0x%08x", n), binaryutil.NativeEndian.PutUint32(n)}
}

func byteValue(n int) value { return value{strconv.Itoa(n), []byte{byte(n)}} }

func portValue(n int) value {
	return value{strconv.Itoa(n), binary.BigEndian.AppendUint16(nil, uint16(n))}
}

// statement is one match or action of a rule.
type statement interface {
	text() string
	exprs() []expr.Any
}

// equals matches one value of a field.
type equals struct {
	field field
	value value
}

func (m equals) text() string { return m.field.text + " " + m.value.text }

func (m equals) exprs() []expr.Any {
	return []expr.Any{m.field.load(register1), &expr.Cmp{Op: expr.CmpOpEq, Register: register1, Data: m.value.data}}
}

// inInterval matches the values of a field from low to high.
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

// inPrefix matches the addresses of a prefix.
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
	mask := binary.BigEndian.AppendUint32(nil, ^uint32(0)<<(32-m.prefix.Bits()))
	op := expr.CmpOpEq
	if m.not {
		op = expr.CmpOpNeq
	}
	return []expr.Any{
		m.field.load(register1),
		&expr.Bitwise{SourceRegister: register1, DestRegister: register1, Len: 4, Mask: mask, Xor: make([]byte, 4)},
		&expr.Cmp{Op: op, Register: register1, Data: m.prefix.Masked().Addr().AsSlice()},
	}
}

// inSet matches what a set holds, or what it does not.
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

// ctState matches the state or the status of a packet's connection.
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
