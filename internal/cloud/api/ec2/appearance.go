package ec2

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// vpcAt returns a VPC as it appears at a time: pending for a moment after its creation.
func vpcAt(row *store.VPC, at time.Time) *store.VPC {
	if !at.Before(row.AvailableAt) {
		return row
	}
	pending := *row
	pending.State = string(types.VpcStatePending)
	return &pending
}

// subnetAt returns a subnet as it appears at a time: pending for a moment after its
// creation.
func subnetAt(row *store.Subnet, at time.Time) *store.Subnet {
	if !at.Before(row.AvailableAt) {
		return row
	}
	pending := *row
	pending.State = string(types.SubnetStatePending)
	return &pending
}

// snapshotAt returns a snapshot as it appears at a time. The progress of a pending one
// follows from the time that it takes.
func snapshotAt(row snap, at time.Time) snap {
	takes := row.CompletesAt.Sub(row.Started)
	if row.State != string(types.SnapshotStatePending) || takes <= 0 {
		return row
	}
	pending := *row
	pending.Progress = fmt.Sprintf("%d%%", min(99, 100*at.Sub(row.Started)/takes))
	return &pending
}

// checkedAt returns an instance as its status checks show it at a time. The first
// checks after a start take a while.
func checkedAt(row vm, at time.Time) vm {
	if !at.Before(row.CheckedAt) {
		return row
	}
	initializing := *row
	initializing.Reachable = false
	return &initializing
}
