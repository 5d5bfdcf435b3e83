package addressing

import (
	"net/netip"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// ElasticIPOf returns the Elastic IP address of a private address of a network interface,
// or nil.
func ElasticIPOf(r store.Reader, eni *store.NetworkInterface, private netip.Addr) *store.ElasticIP {
	for _, address := range store.ElasticIPsByInterface.List(r, eni.ID) {
		if MappedTo(address, eni) == private {
			return address
		}
	}
	return nil
}

// MappedTo returns the private address of its network interface with which an Elastic IP
// address is associated.
func MappedTo(address *store.ElasticIP, eni *store.NetworkInterface) netip.Addr {
	if address.PrivateIP.IsValid() {
		return address.PrivateIP
	}
	return eni.PrivateIP
}

// Associate makes an Elastic IP address that of a private address of a network interface,
// which loses the public address that it has, and returns the id of the association.
func Associate(
	tx *store.Tx, ids *identity.Source, address *store.ElasticIP, eni *store.NetworkInterface, private netip.Addr,
) string {
	Disassociate(tx, address)
	if other := ElasticIPOf(tx, eni, private); other != nil {
		Disassociate(tx, other)
	}
	association := ids.ID("eipassoc-")
	mapTo(tx, address, eni, private, association)
	return association
}

// mapTo records the association of an Elastic IP address that has none.
func mapTo(
	tx *store.Tx, address *store.ElasticIP, eni *store.NetworkInterface, private netip.Addr, association string,
) {
	store.ElasticIPs.Edit(tx, address.ID, func(row *store.ElasticIP) {
		row.AssociationID, row.InterfaceID, row.PrivateIP = association, eni.ID, netip.Addr{}
		if private != eni.PrivateIP {
			row.PrivateIP = private
		}
	})
	setPublic(tx, eni.ID, private, address.PublicIP)
}

// Disassociate takes an Elastic IP address from its network interface, if it has one.
func Disassociate(tx *store.Tx, address *store.ElasticIP) {
	if eni, ok := store.NetworkInterfaces.Get(tx, address.InterfaceID); ok {
		setPublic(tx, eni.ID, MappedTo(address, eni), netip.Addr{})
	}
	store.ElasticIPs.Edit(tx, address.ID, func(row *store.ElasticIP) {
		row.AssociationID, row.InterfaceID, row.PrivateIP = "", "", netip.Addr{}
	})
}

// ReleaseAutomatic takes the public address from a network interface if it was assigned
// automatically. An Elastic IP address stays.
func ReleaseAutomatic(tx *store.Tx, interfaceID string) {
	if eni, ok := store.NetworkInterfaces.Get(tx, interfaceID); ok && ElasticIPOf(tx, eni, eni.PrivateIP) == nil {
		setPublic(tx, interfaceID, eni.PrivateIP, netip.Addr{})
	}
}

// DisassociateAll takes all Elastic IP addresses from a network interface.
func DisassociateAll(tx *store.Tx, interfaceID string) {
	for _, address := range store.ElasticIPsByInterface.List(tx, interfaceID) {
		Disassociate(tx, address)
	}
}

// DeleteInterface deletes a network interface. Its Elastic IP addresses remain the
// account's.
func DeleteInterface(tx *store.Tx, interfaceID string) {
	DisassociateAll(tx, interfaceID)
	store.NetworkInterfaces.Delete(tx, interfaceID)
}

func setPublic(tx *store.Tx, interfaceID string, private, public netip.Addr) {
	store.NetworkInterfaces.Edit(
		tx, interfaceID, func(row *store.NetworkInterface) { row.SetPublic(private, public) },
	)
}
