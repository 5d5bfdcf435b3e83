package store

import (
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
)

// The keys are ids.
var (
	RootReplacements = newTable(
		"root_replacements", func(r *RootReplacement) string { return r.ID }, (*RootReplacement).region,
	)
	RootReplacementsByInstance = RootReplacements.indexBy(
		"instance", func(r *RootReplacement) string { return r.InstanceID },
	)
)

// States of replacements of root volumes (Amazon EC2 API Reference, ReplaceRootVolumeTask).
const (
	ReplacementPending    = "pending"
	ReplacementInProgress = "in-progress"
	ReplacementSucceeded  = "succeeded"
	ReplacementFailed     = "failed"
)

// RootReplacement is a task that gives a running instance another root volume.
type RootReplacement struct {
	ID, InstanceID      string
	Region              identity.Region
	ImageID, SnapshotID string // what the request names; both empty: the snapshot that the old volume was created of
	OldVolumeID         string
	DeleteOld           bool
	Volume              Volume      // the new one, which is a row of its own when the old one is detached
	Layers              []string    // of the new one, bottom first
	Traits              ImageTraits // of the image, if there is one
	Started             time.Time
	Tags                Tags

	// Observed.
	State     string // ReplacementPending and so on
	Completed time.Time
}

func (r *RootReplacement) region() identity.Region { return r.Region }

// Ended reports whether the task is complete.
func (r *RootReplacement) Ended() bool { return !r.Completed.IsZero() }

// ReplacementOf returns the task of an instance that has not ended, if there is one.
func ReplacementOf(r Reader, instanceID string) (*RootReplacement, bool) {
	all := RootReplacementsByInstance.List(r, instanceID)
	if i := slices.IndexFunc(all, func(task *RootReplacement) bool { return !task.Ended() }); i >= 0 {
		return all[i], true
	}
	return nil, false
}
