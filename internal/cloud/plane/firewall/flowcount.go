//go:build linux

package firewall

import (
	"errors"
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// FlowCount counts what a node of a Network Load Balancer has forwarded of one protocol.
type FlowCount struct {
	Flows uint64 // that have begun
	Bytes uint64 // in both directions, with the headers of IP
	// Resets of TCP connections by clients, targets and the node.
	ClientResets, TargetResets, OwnResets uint64
}

// countTable is the table that counts flows. It is not the one that changes with the targets,
// because a table's counters begin again when it is replaced.
const countTable = "aloft-flows"

// priorityLast is after all filters: what they drop does not count.
const priorityLast nftables.ChainPriority = 300

// FlowCounter returns the table with which FlowCounts counts what the family carries.
func FlowCounter(family Family) Ruleset {
	tcp, udp := equals{protocol, byteValue(6)}, equals{protocol, byteValue(17)}
	forwarded := chain{name: "forwarded", hook: hook{"forward", nftables.ChainTypeFilter, priorityLast}, rules: []rule{
		{isNew, tcp, counter{}}, {tcp, counter{}},
		{tcp, isReset{}, original, counter{}}, {tcp, isReset{}, reply, counter{}},
		{isNew, udp, counter{}}, {udp, counter{}},
	}}
	own := chain{name: "own", hook: hook{"output", nftables.ChainTypeFilter, priorityLast}, rules: []rule{
		{tcp, isReset{}, counter{}},
	}}
	return Ruleset{Table: countTable, Family: family, chains: []chain{forwarded, own}}
}

// Add returns the sum of two counts.
func (c FlowCount) Add(other FlowCount) FlowCount {
	c.Flows += other.Flows
	c.Bytes += other.Bytes
	c.ClientResets += other.ClientResets
	c.TargetResets += other.TargetResets
	c.OwnResets += other.OwnResets
	return c
}

// FlowCounts reads what a namespace with FlowCounter has counted, by protocol, of all families
// that it counts.
func FlowCounts(namespace int) (map[string]FlowCount, error) {
	conn, err := nftables.New(nftables.WithNetNSFd(namespace))
	if err != nil {
		return nil, fmt.Errorf("open nftables: %w", err)
	}
	tables, err := conn.ListTables()
	if err != nil {
		return nil, fmt.Errorf("read the counters of flows: %w", err)
	}
	sums := map[string]FlowCount{}
	for _, table := range tables {
		if table.Name != countTable {
			continue
		}
		of, err := flowCountsOf(conn, table)
		if err != nil {
			return nil, err
		}
		for protocol, count := range of {
			sums[protocol] = sums[protocol].Add(count)
		}
	}
	if len(sums) == 0 {
		return nil, errors.New("read the counters of flows: there are none")
	}
	return sums, nil
}

func flowCountsOf(conn *nftables.Conn, table *nftables.Table) (map[string]FlowCount, error) {
	var counters []*expr.Counter
	for _, name := range []string{"forwarded", "own"} {
		rules, err := conn.GetRules(table, &nftables.Chain{Name: name, Table: table})
		if err != nil {
			return nil, fmt.Errorf("read the counters of flows: %w", err)
		}
		for _, r := range rules {
			for _, e := range r.Exprs {
				if c, ok := e.(*expr.Counter); ok {
					counters = append(counters, c)
				}
			}
		}
	}
	if len(counters) != 7 {
		return nil, fmt.Errorf("read the counters of flows: there are %d", len(counters))
	}
	return map[string]FlowCount{
		"tcp": {
			Flows: counters[0].Packets, Bytes: counters[1].Bytes, ClientResets: counters[2].Packets,
			TargetResets: counters[3].Packets, OwnResets: counters[6].Packets,
		},
		"udp": {Flows: counters[4].Packets, Bytes: counters[5].Bytes},
	}, nil
}

// isReset matches TCP segments with the flag RST (RFC 9293, section 3.1).
type isReset struct{}

func (isReset) text() string { return "tcp flags & rst != 0" }

func (isReset) exprs() []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: register1, Base: transport, Offset: 13, Len: 1},
		&expr.Bitwise{SourceRegister: register1, DestRegister: register1, Len: 1, Mask: []byte{4}, Xor: []byte{0}},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: register1, Data: []byte{0}},
	}
}
