//go:build linux

package firewall

import (
	"errors"
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	mdlayher "github.com/mdlayher/netlink"
)

// maxElements is the number of set elements in one netlink message. It keeps an
// attribute below the 64 KiB that its length field allows.
const maxElements = 400

// socketBuffer is the size in bytes of the netlink socket's buffers. They hold the
// acknowledgements of a whole transaction until they are read.
const socketBuffer = 16 << 20

// largeBuffers is an option of a connection to nftables.
var largeBuffers = nftables.WithSockOptions(func(c *mdlayher.Conn) error {
	return errors.Join(c.SetReadBuffer(socketBuffer), c.SetWriteBuffer(socketBuffer))
})

// Apply replaces the tables of rulesets in a network namespace, given by an open file
// descriptor, in one transaction: no packet meets a partial ruleset.
func Apply(namespace int, rulesets ...Ruleset) error {
	conn, err := nftables.New(nftables.WithNetNSFd(namespace), largeBuffers)
	if err != nil {
		return fmt.Errorf("open nftables: %w", err)
	}
	firstID := uint32(1)
	for _, ruleset := range rulesets {
		if err := replace(conn, ruleset, firstID); err != nil {
			return err
		}
		firstID += uint32(len(ruleset.sets))
	}
	if err := conn.Flush(); err != nil {
		return fmt.Errorf("write the ruleset: %w", err)
	}
	return nil
}

// Remove removes a table of a network namespace, if it is there.
func Remove(namespace int, table string, family Family) error {
	conn, err := nftables.New(nftables.WithNetNSFd(namespace))
	if err != nil {
		return fmt.Errorf("open nftables: %w", err)
	}
	in, _ := family.table()
	removed := &nftables.Table{Name: table, Family: in}
	conn.AddTable(removed) // deleting a table that does not exist would fail
	conn.DelTable(removed)
	if err := conn.Flush(); err != nil {
		return fmt.Errorf("remove the ruleset: %w", err)
	}
	return nil
}

// replace adds the replacement of a table to the transaction. The numbers of its sets in the
// transaction begin with firstID.
func replace(conn *nftables.Conn, ruleset Ruleset, firstID uint32) error {
	family, _ := ruleset.Family.table()
	table := &nftables.Table{Name: ruleset.Table, Family: family}
	conn.AddTable(table) // deleting a table that does not exist would fail
	conn.DelTable(table)
	conn.AddTable(table)
	sets, err := addSets(conn, table, ruleset.sets, firstID)
	if err != nil {
		return err
	}
	addChains(conn, table, ruleset.chains)
	for i, s := range ruleset.sets {
		if !s.isVerdictMap {
			continue
		}
		if err := addElements(conn, sets[i], s); err != nil {
			return err
		}
	}
	return nil
}

// addSets adds all sets, and the elements of all but verdict maps, whose chains do not
// exist yet.
func addSets(
	conn *nftables.Conn, table *nftables.Table, sets []set, firstID uint32,
) ([]*nftables.Set, error) {
	added := make([]*nftables.Set, 0, len(sets))
	for i, s := range sets {
		key, err := s.keyType()
		if err != nil {
			return nil, fmt.Errorf("describe set %s: %w", s.name, err)
		}
		// Without an ID the library would take one from a global counter.
		n := &nftables.Set{
			Table: table, ID: firstID + uint32(i), Name: s.name, KeyType: key, Concatenation: len(s.key) > 1,
		}
		switch {
		case s.dynamic:
			n.Dynamic, n.Size = true, s.size
			n.HasTimeout, n.Timeout = s.lifetime > 0, s.lifetime
		case s.isVerdictMap:
			n.IsMap, n.DataType = true, nftables.TypeVerdict
		case s.value != nil:
			n.IsMap, n.DataType = true, s.value.datatype
		}
		if err := conn.AddSet(n, nil); err != nil {
			return nil, fmt.Errorf("add set %s: %w", s.name, err)
		}
		if !s.isVerdictMap {
			if err := addElements(conn, n, s); err != nil {
				return nil, err
			}
		}
		added = append(added, n)
	}
	return added, nil
}

func (s set) keyType() (nftables.SetDatatype, error) {
	if len(s.key) == 1 {
		return s.key[0].datatype, nil
	}
	types := make([]nftables.SetDatatype, 0, len(s.key))
	for _, f := range s.key {
		types = append(types, f.datatype)
	}
	return nftables.ConcatSetType(types...)
}

func addElements(conn *nftables.Conn, to *nftables.Set, from set) error {
	elements := make([]nftables.SetElement, 0, len(from.elements))
	for _, e := range from.elements {
		var n nftables.SetElement
		for _, k := range e.key {
			n.Key = append(n.Key, k.data...)
		}
		if from.isVerdictMap {
			n.VerdictData = &expr.Verdict{Kind: e.verdict.kind, Chain: e.verdict.chain}
		} else {
			n.Val = e.value.data
		}
		elements = append(elements, n)
	}
	for len(elements) > 0 {
		n := min(len(elements), maxElements)
		if err := conn.SetAddElements(to, elements[:n]); err != nil {
			return fmt.Errorf("fill set %s: %w", from.name, err)
		}
		elements = elements[n:]
	}
	return nil
}

// addChains adds all chains before the first rule, because rules refer to chains.
func addChains(conn *nftables.Conn, table *nftables.Table, chains []chain) {
	added := make([]*nftables.Chain, 0, len(chains))
	for _, c := range chains {
		n := &nftables.Chain{Name: c.name, Table: table}
		if c.hook.name != "" {
			policy := nftables.ChainPolicyAccept
			if c.dropByDefault {
				policy = nftables.ChainPolicyDrop
			}
			n.Type, n.Hooknum = c.hook.chainType, c.hook.number()
			n.Priority, n.Policy = nftables.ChainPriorityRef(c.hook.priority), &policy
		}
		added = append(added, conn.AddChain(n))
	}
	for i, c := range chains {
		for _, r := range c.rules {
			var all []expr.Any
			for _, s := range r {
				all = append(all, s.exprs()...)
			}
			conn.AddRule(&nftables.Rule{Table: table, Chain: added[i], Exprs: all})
		}
	}
}
