package firewall

import (
	"errors"
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	mdlayher "github.com/mdlayher/netlink"
)

// maxElements keeps the elements of one netlink message below the 64 KiB
// that an attribute's length can say.
const maxElements = 400

// socketBuffer holds the acknowledgements of a whole batch until they are read.
const socketBuffer = 16 << 20

// Apply makes the ruleset the namespace's table of that name, in one
// transaction: no packet sees anything between the old and the new. The
// namespace is given by an open file descriptor.
func Apply(namespace int, ruleset Ruleset) error {
	conn, err := nftables.New(nftables.WithNetNSFd(namespace), nftables.WithSockOptions(
		func(c *mdlayher.Conn) error {
			return errors.Join(c.SetReadBuffer(socketBuffer), c.SetWriteBuffer(socketBuffer))
		},
	))
	if err != nil {
		return fmt.Errorf("open nftables: %w", err)
	}
	table := &nftables.Table{Name: ruleset.Table, Family: nftables.TableFamilyIPv4}
	// Added so that there is one to delete, with all that was in it.
	conn.AddTable(table)
	conn.DelTable(table)
	conn.AddTable(table)
	sets, err := addSets(conn, table, ruleset.sets)
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
	if err := conn.Flush(); err != nil {
		return fmt.Errorf("write the ruleset: %w", err)
	}
	return nil
}

// addSets adds the sets and the elements of those that lead to no chain.
func addSets(conn *nftables.Conn, table *nftables.Table, sets []set) ([]*nftables.Set, error) {
	added := make([]*nftables.Set, 0, len(sets))
	for i, s := range sets {
		kinds := make([]nftables.SetDatatype, 0, len(s.key))
		for _, f := range s.key {
			kinds = append(kinds, f.datatype)
		}
		key := kinds[0]
		if len(kinds) > 1 {
			var err error
			if key, err = nftables.ConcatSetType(kinds...); err != nil {
				return nil, fmt.Errorf("describe set %s: %w", s.name, err)
			}
		}
		// The id is given because the library would count in a variable shared by all.
		n := &nftables.Set{Table: table, ID: uint32(i + 1), Name: s.name, KeyType: key, Concatenation: len(kinds) > 1}
		switch {
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

var hooks = map[string]*nftables.ChainHook{
	"prerouting": nftables.ChainHookPrerouting, "input": nftables.ChainHookInput, "forward": nftables.ChainHookForward,
	"output": nftables.ChainHookOutput, "postrouting": nftables.ChainHookPostrouting,
}

// addChains adds all chains before the first rule: rules may lead to any.
func addChains(conn *nftables.Conn, table *nftables.Table, chains []chain) {
	added := make([]*nftables.Chain, 0, len(chains))
	for _, c := range chains {
		n := &nftables.Chain{Name: c.name, Table: table}
		if c.hook != "" {
			policy := nftables.ChainPolicyAccept
			if c.dropByDefault {
				policy = nftables.ChainPolicyDrop
			}
			n.Type, n.Hooknum = nftables.ChainType(c.chainType), hooks[c.hook]
			n.Priority, n.Policy = nftables.ChainPriorityRef(nftables.ChainPriority(c.prio)), &policy
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
