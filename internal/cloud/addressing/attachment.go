package addressing

import (
	"cmp"
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// Attachment attaches a network interface to an instance.
type Attachment struct {
	InstanceID          string
	DeviceIndex         int32
	At                  time.Time
	DeleteOnTermination bool
}

// Attach attaches a network interface, and adds it to those of the instance if that
// exists. It returns the id of the attachment.
func Attach(tx *store.Tx, ids *identity.Source, interfaceID string, to Attachment) string {
	id := ids.ID("eni-attach-")
	store.NetworkInterfaces.Edit(tx, interfaceID, func(row *store.NetworkInterface) {
		row.State, row.AttachmentID, row.AttachedAt = "in-use", id, to.At
		row.InstanceID, row.DeviceIndex = to.InstanceID, to.DeviceIndex
		row.DeleteOnTermination = to.DeleteOnTermination
	})
	store.Instances.Edit(tx, to.InstanceID, func(row *store.Instance) {
		row.InterfaceIDs = InterfaceIDsOf(tx, row.ID)
	})
	return id
}

// Detach detaches a network interface from its instance.
func Detach(tx *store.Tx, eni *store.NetworkInterface) {
	store.NetworkInterfaces.Edit(tx, eni.ID, func(row *store.NetworkInterface) {
		row.State, row.InstanceID, row.AttachmentID = "available", "", ""
		row.DeviceIndex, row.AttachedAt, row.DeleteOnTermination = 0, time.Time{}, false
		row.PrimaryIPv6 = false
	})
	store.Instances.Edit(tx, eni.InstanceID, func(row *store.Instance) {
		row.InterfaceIDs = InterfaceIDsOf(tx, row.ID)
	})
}

// InterfaceIDsOf returns the ids of the network interfaces of an instance by their device
// indexes.
func InterfaceIDsOf(r store.Reader, instanceID string) []string {
	rows := slices.SortedFunc(
		slices.Values(store.NetworkInterfacesByInstance.List(r, instanceID)),
		func(x, y *store.NetworkInterface) int { return cmp.Compare(x.DeviceIndex, y.DeviceIndex) },
	)
	var ids []string
	for _, row := range rows {
		ids = append(ids, row.ID)
	}
	return ids
}
