//go:build linux

package natgateways

import (
	"net/netip"
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/store"
)

// requested returns the secondary addresses that the user asked for.
func requested(row *store.NatGateway) (given []netip.Addr) {
	for _, address := range row.Secondary {
		if address.PrivateIP.IsValid() {
			given = append(given, address.PrivateIP)
		}
	}
	return given
}

// provisionSecondary gives the secondary addresses of a gateway those of its new interface, and
// associates their Elastic IP addresses.
func (l *Loop) provisionSecondary(
	tx *store.Tx, row *store.NatGateway, eni *store.NetworkInterface,
) []store.NatAddress {
	given := requested(row)
	var free []netip.Addr
	for _, address := range eni.Secondary {
		if !slices.Contains(given, address.Private) {
			free = append(free, address.Private)
		}
	}
	out := slices.Clone(row.Secondary)
	for n := range out {
		address := &out[n]
		if !address.PrivateIP.IsValid() {
			address.PrivateIP, free = free[0], free[1:]
		}
		if elastic, ok := store.ElasticIPs.Get(tx, address.AllocationID); ok {
			address.AssociationID = addressing.Associate(tx, l.IDs, elastic, eni, address.PrivateIP)
			address.PublicIP = elastic.PublicIP
		}
	}
	return out
}

// arrives reports whether an address is the gateway's as soon as the network has it.
func arrives(address store.NatAddress) bool {
	return address.State == store.NatAddressAssociating || address.State == store.NatAddressAssigning
}

// settle makes a gateway and its addresses available that the network has.
func settle(row *store.NatGateway) {
	if row.State == store.NatPending {
		row.State = store.NatAvailable
	}
	row.Secondary = slices.Clone(row.Secondary)
	for n, address := range row.Secondary {
		if arrives(address) {
			row.Secondary[n].State = store.NatAddressSucceeded
		}
	}
}

// stepAddresses releases the addresses of a gateway whose time to drain is over. It returns when the
// next one is, and whether addresses wait for the network.
func (l *Loop) stepAddresses(tx *store.Tx, row *store.NatGateway, now time.Time) (next time.Time, waits bool) {
	eni, ok := store.NetworkInterfaces.Get(tx, row.InterfaceID)
	if !ok {
		return time.Time{}, false
	}
	var kept []store.NatAddress
	for _, address := range row.Secondary {
		switch {
		case !address.Drains():
		case address.SettledAt.After(now):
			if next.IsZero() || address.SettledAt.Before(next) {
				next = address.SettledAt
			}
		default:
			addressing.RemoveSecondary(tx, eni, address.PrivateIP)
			continue
		}
		kept = append(kept, address)
	}
	if len(kept) < len(row.Secondary) {
		store.NatGateways.Edit(tx, row.ID, func(row *store.NatGateway) { row.Secondary = kept })
	}
	return next, slices.ContainsFunc(kept, arrives)
}
