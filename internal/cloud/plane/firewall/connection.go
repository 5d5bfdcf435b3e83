//go:build linux

package firewall

import (
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// A flow's conntrack entry has a mark, which is zero until a rule sets it. The packets of both
// directions share it, while the mark of a packet is its own.

// hasConnectionMark matches packets of flows with the mark.
type hasConnectionMark uint32

func (m hasConnectionMark) text() string { return "ct mark " + markValue(uint32(m)).text }

func (m hasConnectionMark) exprs() []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeyMARK, Register: register1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: register1, Data: markValue(uint32(m)).data},
	}
}

// markConnection marks the packet's flow.
type markConnection uint32

func (m markConnection) text() string { return "ct mark set " + markValue(uint32(m)).text }

func (m markConnection) exprs() []expr.Any {
	return []expr.Any{
		&expr.Immediate{Register: register1, Data: markValue(uint32(m)).data},
		&expr.Ct{Key: expr.CtKeyMARK, Register: register1, SourceRegister: true},
	}
}

// markConnectionBy marks the packet's flow with the map's value for the field.
type markConnectionBy struct {
	field field
	set   string
}

func (m markConnectionBy) text() string { return "ct mark set " + m.field.text + " map @" + m.set }

func (m markConnectionBy) exprs() []expr.Any {
	return []expr.Any{
		m.field.load(register1),
		&expr.Lookup{SourceRegister: register1, SetName: m.set, IsDestRegSet: true, DestRegister: register1},
		&expr.Ct{Key: expr.CtKeyMARK, Register: register1, SourceRegister: true},
	}
}

// markAsConnection marks a packet with the mark of its flow, if that has one.
type markAsConnection struct{}

func (markAsConnection) text() string { return "ct mark != 0 meta mark set ct mark" }

func (markAsConnection) exprs() []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeyMARK, Register: register1},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: register1, Data: binaryutil.NativeEndian.PutUint32(0)},
		&expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: register1},
	}
}

// resetTCP drops a packet of a TCP connection and answers it with a reset.
type resetTCP struct{}

func (resetTCP) text() string { return "reject with tcp reset" }

func (resetTCP) exprs() []expr.Any { return []expr.Any{&expr.Reject{Type: unix.NFT_REJECT_TCP_RST}} }

// direction matches packets in the direction of a flow's first packet, or in the other.
type direction byte

// The directions in the kernel (nf_conntrack_tuple_common.h).
const (
	original direction = 0
	reply    direction = 1
)

func (d direction) text() string {
	if d == original {
		return "ct direction original"
	}
	return "ct direction reply"
}

func (d direction) exprs() []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeyDIRECTION, Register: register1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: register1, Data: []byte{byte(d)}},
	}
}
