package ec2

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// formerDescribed is how long AWS describes a block that a VPC no longer has: half an hour to more
// than an hour (terraform-provider-aws issue 32967, lyft/cni-ipvlan-vpc-k8s issue 49).
const formerDescribed = 30 * time.Minute

// formerLimit is how many former blocks of a VPC are described.
const formerLimit = 20

// formerAt returns the former blocks of a VPC that are still described at a time.
func formerAt(row *store.VPC, at time.Time) []store.FormerBlock {
	return slices.DeleteFunc(slices.Clone(row.FormerBlocks), func(former store.FormerBlock) bool {
		return at.Sub(former.Until) >= formerDescribed
	})
}

// vpcAt returns a VPC as it appears at a time: pending for a moment after its creation, and with
// former blocks for a while.
func vpcAt(row *store.VPC, at time.Time) *store.VPC {
	pending := at.Before(row.AvailableAt)
	if !pending && len(row.FormerBlocks) == 0 {
		return row
	}
	appearance := *row
	appearance.FormerBlocks = formerAt(row, at)
	if pending {
		appearance.State = string(types.VpcStatePending)
	}
	return &appearance
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
