package addressing

import (
	"net/netip"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// ElasticIPOf returns the Elastic IP address of a network interface, or nil.
func ElasticIPOf(r store.Reader, interfaceID string) *store.ElasticIP {
	for _, address := range store.ElasticIPsByInterface.List(r, interfaceID) {
		return address
	}
	return nil
}

// Associate makes an Elastic IP address that of a network interface, which loses the
// public address that it has, and returns the id of the association.
func Associate(tx *store.Tx, ids *identity.Source, address *store.ElasticIP, interfaceID string) string {
	Disassociate(tx, address)
	if other := ElasticIPOf(tx, interfaceID); other != nil {
		Disassociate(tx, other)
	}
	association := ids.ID("eipassoc-")
	store.ElasticIPs.Edit(tx, address.ID, func(row *store.ElasticIP) {
		row.AssociationID, row.InterfaceID = association, interfaceID
	})
	setPublic(tx, interfaceID, address.PublicIP)
	return association
}

// Disassociate takes an Elastic IP address from its network interface, if it has one.
func Disassociate(tx *store.Tx, address *store.ElasticIP) {
	if address.InterfaceID == "" {
		return
	}
	setPublic(tx, address.InterfaceID, netip.Addr{})
	store.ElasticIPs.Edit(tx, address.ID, func(row *store.ElasticIP) {
		row.AssociationID, row.InterfaceID = "", ""
	})
}

// ReleaseAutomatic takes the public address from a network interface if it was assigned
// automatically. An Elastic IP address stays.
func ReleaseAutomatic(tx *store.Tx, interfaceID string) {
	if ElasticIPOf(tx, interfaceID) == nil {
		setPublic(tx, interfaceID, netip.Addr{})
	}
}

// DeleteInterface deletes a network interface. Its Elastic IP address remains the
// account's.
func DeleteInterface(tx *store.Tx, interfaceID string) {
	if address := ElasticIPOf(tx, interfaceID); address != nil {
		Disassociate(tx, address)
	}
	store.NetworkInterfaces.Delete(tx, interfaceID)
}

func setPublic(tx *store.Tx, interfaceID string, address netip.Addr) {
	store.NetworkInterfaces.Edit(tx, interfaceID, func(row *store.NetworkInterface) { row.PublicIP = address })
}
