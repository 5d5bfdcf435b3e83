//go:build linux

package firewall

import (
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// counter counts the packets that reach it.
type counter struct{}

func (counter) text() string { return "counter" }

func (counter) exprs() []expr.Any { return []expr.Any{&expr.Counter{}} }

// countedDrop drops packets and counts them. A change of the ruleset begins the count again.
var countedDrop = rule{counter{}, drop}

// The chains of a router that drop what security groups and network ACLs do not allow.
func senderChain(interfaceID string) string   { return "from-" + interfaceID }
func receiverChain(interfaceID string) string { return "to-" + interfaceID }
func leaveChain(subnetID string) string       { return "leave-" + subnetID }
func enterChain(subnetID string) string       { return "enter-" + subnetID }

// Border is where a router drops packets: at an interface or at a subnet, in one direction.
type Border struct {
	Interface, Subnet string // IDs; one of them
	Out               bool   // packets that leave it
}

func (b Border) chain() string {
	switch {
	case b.Subnet != "" && b.Out:
		return leaveChain(b.Subnet)
	case b.Subnet != "":
		return enterChain(b.Subnet)
	case b.Out:
		return senderChain(b.Interface)
	}
	return receiverChain(b.Interface)
}

// Dropped returns how many packets were dropped at borders of a router's namespace, since its
// ruleset was last changed. Borders without a filter are missing.
func Dropped(namespace int, table string, borders []Border) (map[Border]uint64, error) {
	conn, err := nftables.New(nftables.WithNetNSFd(namespace))
	if err != nil {
		return nil, fmt.Errorf("open nftables: %w", err)
	}
	dropped := map[Border]uint64{}
	for _, family := range []Family{IPv4, IPv6} {
		if err := addDropped(conn, family, table, borders, dropped); err != nil {
			return nil, err
		}
	}
	return dropped, nil
}

// addDropped adds what a table of a family dropped at borders to dropped.
func addDropped(
	conn *nftables.Conn, of Family, table string, borders []Border, dropped map[Border]uint64,
) error {
	family, _ := of.table()
	in := &nftables.Table{Name: table, Family: family}
	chains, err := conn.ListChainsOfTableFamily(family)
	if err != nil {
		return fmt.Errorf("list the firewall's chains: %w", err)
	}
	byName := map[string]*nftables.Chain{}
	for _, c := range chains {
		if c.Table.Name == table {
			byName[c.Name] = c
		}
	}
	for _, b := range borders {
		chain, ok := byName[b.chain()]
		if !ok {
			continue
		}
		packets, err := counted(conn, in, chain.Name)
		if err != nil {
			return err
		}
		dropped[b] += packets
	}
	return nil
}
