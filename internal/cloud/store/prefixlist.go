package store

import (
	"net/netip"

	"aloft.dev/aloft/internal/cloud/identity"
)

// PrefixLists holds the managed prefix lists. The keys are ids.
var PrefixLists = newTable("prefix_lists", func(r *PrefixList) string { return r.ID }, (*PrefixList).region)

// PrefixList is a managed prefix list: a set of CIDR blocks that rules refer to.
type PrefixList struct {
	ID, Name   string
	Region     identity.Region
	Owner      string // "AWS" for the addresses of a service; "": the account
	IPv6       bool
	MaxEntries int
	State      string              // "create-complete", "modify-complete"
	Versions   [][]PrefixListEntry // the entries of version 1, 2, …; the last are the present ones
	Tags       Tags
}

func (r *PrefixList) region() identity.Region { return r.Region }

// Version returns the number of the present version.
func (r *PrefixList) Version() int { return len(r.Versions) }

// Entries returns the entries of the present version.
func (r *PrefixList) Entries() []PrefixListEntry { return r.Versions[len(r.Versions)-1] }

// PrefixListEntry is a block of a managed prefix list.
type PrefixListEntry struct {
	CIDR        netip.Prefix
	Description string
}
