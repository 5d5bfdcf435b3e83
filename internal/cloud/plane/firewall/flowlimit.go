//go:build linux

package firewall

import (
	"strconv"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// flows is the set with which a ruleset counts the flows of each sender.
const flows = "flows"

// maxSenders is the size of that set.
const maxSenders = 1 << 16

// flowsOver matches a packet of a new flow if its sender, which a field names, has more open
// flows than the limit. All flows of a namespace share the kernel's table: one machine that
// fills it would keep the others from opening any.
//
// The set counts from zero after each change of the ruleset.
type flowsOver struct {
	sender field
	limit  uint32
}

func (m flowsOver) text() string {
	return "add @" + flows + " { " + m.sender.text + " ct count over " + strconv.Itoa(int(m.limit)) + " }"
}

func (m flowsOver) exprs() []expr.Any {
	return []expr.Any{
		m.sender.load(register1),
		&expr.Dynset{
			SrcRegKey: register1, SetName: flows, Operation: unix.NFT_DYNSET_OP_ADD,
			Exprs: []expr.Any{&expr.Connlimit{Count: m.limit, Flags: expr.NFT_CONNLIMIT_F_INV}},
		},
	}
}

// flowSet returns the set that flowsOver needs.
func flowSet(sender field) set {
	return set{name: flows, key: []field{sender}, dynamic: true}
}

var isNew = ctState{"state new", expr.CtKeySTATE, expr.CtStateBitNEW}
