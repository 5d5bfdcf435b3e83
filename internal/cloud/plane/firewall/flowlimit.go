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
	return set{name: flows, key: []field{sender}, dynamic: true, size: maxSenders}
}

// querySet returns the set that queriesOver needs.
func querySet() set {
	return set{name: queries, key: []field{inDevice}, dynamic: true, size: maxSenders}
}

// queries is the set with which a ruleset counts the DNS queries of each interface.
const queries = "queries"

// maxQueries is how many UDP packets an interface can send to the resolver in a second (Hybrid
// Cloud DNS Options for Amazon VPC, Constraints). All interfaces share the queues of the
// resolver's sockets: one machine that fills them would keep the others from asking.
const maxQueries = 1024

// queriesOver matches a packet of an interface that has sent more than maxQueries.
type queriesOver struct{}

func (queriesOver) text() string {
	n := strconv.Itoa(maxQueries)
	return "add @" + queries + " { " + inDevice.text + " limit rate over " + n + "/second burst " + n + " packets }"
}

func (queriesOver) exprs() []expr.Any {
	return []expr.Any{
		inDevice.load(register1),
		&expr.Dynset{
			SrcRegKey: register1, SetName: queries, Operation: unix.NFT_DYNSET_OP_ADD,
			Exprs: []expr.Any{&expr.Limit{
				Type: expr.LimitTypePkts, Rate: maxQueries, Unit: expr.LimitTimeSecond, Burst: maxQueries, Over: true,
			}},
		},
	}
}

var isNew = ctState{"state new", expr.CtKeySTATE, expr.CtStateBitNEW}
