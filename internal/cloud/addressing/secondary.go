package addressing

import (
	"net/netip"
	"slices"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// AddSecondary assigns private addresses of its subnet to a network interface in addition
// to those that it has: the given ones and as many free ones as count says. It returns the
// new ones. The error is one of this package's.
func AddSecondary(
	tx *store.Tx, ids *identity.Source, eni *store.NetworkInterface, subnet *store.Subnet,
	given []netip.Addr, count int,
) ([]netip.Addr, error) {
	var added []netip.Addr
	add := func(private netip.Addr) {
		added = append(added, private)
		store.NetworkInterfaces.Edit(tx, eni.ID, func(row *store.NetworkInterface) {
			row.Secondary = append(slices.Clone(row.Secondary), store.InterfaceAddress{Private: private})
		})
	}
	for _, private := range given {
		if err := CheckPrivate(tx, subnet, private); err != nil {
			return nil, err
		}
		add(private)
	}
	for range count {
		private, err := FreePrivate(tx, ids, subnet)
		if err != nil {
			return nil, err
		}
		add(private)
	}
	return added, nil
}

// RemoveSecondary takes a secondary private address from a network interface. Its Elastic
// IP address remains the account's.
func RemoveSecondary(tx *store.Tx, eni *store.NetworkInterface, private netip.Addr) {
	if address := ElasticIPOf(tx, eni, private); address != nil {
		Disassociate(tx, address)
	}
	store.NetworkInterfaces.Edit(tx, eni.ID, func(row *store.NetworkInterface) {
		row.Secondary = slices.DeleteFunc(
			slices.Clone(row.Secondary), func(a store.InterfaceAddress) bool { return a.Private == private },
		)
	})
}

// MoveSecondary moves a secondary private address from one network interface of a subnet
// to another one, with its Elastic IP address (Amazon EC2 API Reference,
// AssignPrivateIpAddresses).
func MoveSecondary(tx *store.Tx, from, to *store.NetworkInterface, private netip.Addr) {
	elastic := ElasticIPOf(tx, from, private)
	RemoveSecondary(tx, from, private)
	store.NetworkInterfaces.Edit(tx, to.ID, func(row *store.NetworkInterface) {
		row.Secondary = append(slices.Clone(row.Secondary), store.InterfaceAddress{Private: private})
	})
	if elastic != nil {
		mapTo(tx, elastic, to, private, elastic.AssociationID)
	}
}
