//go:build linux

package firewall

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// field is a part of a packet or of its metadata in the kernel.
type field struct {
	typeName string // nft's
	text     string // in a rule
	datatype nftables.SetDatatype
	load     func(register uint32) expr.Any
}

// The first two registers of 16 bytes (nf_tables.h).
const (
	register1 = unix.NFT_REG_1
	register2 = unix.NFT_REG_2
)

func metaField(typeName, text string, datatype nftables.SetDatatype, key expr.MetaKey) field {
	load := func(register uint32) expr.Any { return &expr.Meta{Key: key, Register: register} }
	return field{typeName, text, datatype, load}
}

func payloadField(
	typeName, text string, datatype nftables.SetDatatype, base expr.PayloadBase, offset uint32,
) field {
	load := func(register uint32) expr.Any {
		return &expr.Payload{DestRegister: register, Base: base, Offset: offset, Len: datatype.Bytes}
	}
	return field{typeName, text, datatype, load}
}

// holds reports whether the field has addresses of the same family.
func (f field) holds(a netip.Addr) bool { return int(f.datatype.Bytes)*8 == a.BitLen() }

const (
	network   = expr.PayloadBaseNetworkHeader
	transport = expr.PayloadBaseTransportHeader
)

var (
	inDevice     = metaField("ifname", "iifname", nftables.TypeIFName, expr.MetaKeyIIFNAME)
	outDevice    = metaField("ifname", "oifname", nftables.TypeIFName, expr.MetaKeyOIFNAME)
	mark         = metaField("mark", "meta mark", nftables.TypeMark, expr.MetaKeyMARK)
	protocol     = metaField("inet_proto", "meta l4proto", nftables.TypeInetProto, expr.MetaKeyL4PROTO)
	source       = payloadField("ipv4_addr", "ip saddr", nftables.TypeIPAddr, network, 12)
	destination  = payloadField("ipv4_addr", "ip daddr", nftables.TypeIPAddr, network, 16)
	source6      = payloadField("ipv6_addr", "ip6 saddr", nftables.TypeIP6Addr, network, 8)
	destination6 = payloadField("ipv6_addr", "ip6 daddr", nftables.TypeIP6Addr, network, 24)
	port         = payloadField("inet_service", "th dport", nftables.TypeInetService, transport, 2)
	icmpType     = payloadField("icmp_type", "icmp type", nftables.TypeICMPType, transport, 0)
	icmpCode     = payloadField("icmp_code", "icmp code", nftables.TypeICMPCode, transport, 1)
)

// value is the value of a field.
type value struct {
	text string // in a rule
	data []byte // in a register
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
