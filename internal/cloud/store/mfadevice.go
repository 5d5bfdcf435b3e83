package store

import (
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/seal"
)

// Virtual second factors have their serial numbers, which are ARNs, as their keys.
var (
	MFADevices = newTable("mfa_devices", func(r *MFADevice) string { return r.Serial }, (*MFADevice).Region)

	// MFADevicesByUser finds second factors by the key of their user.
	MFADevicesByUser = MFADevices.indexBy("user", func(r *MFADevice) string { return NameKey(r.Region(), r.User) })
)

// MFADevice is a virtual second factor.
type MFADevice struct {
	Serial   string
	User     string // name of its user; "": none
	Seed     []byte // sealed for SealRow
	Enabled  time.Time
	LastStep int64 // of the last code that was accepted: earlier ones, and that one, are no longer
	Drift    int64 // steps by which the user's clock is ahead
	// Failures is how many codes of the step FailedStep were wrong.
	Failures   int
	FailedStep int64
	Tags       Tags
}

// Region returns the region of what belongs to the device's account.
func (r *MFADevice) Region() identity.Region { return identity.RegionOfARN(r.Serial) }

// SealRow returns what the device's seed is sealed for.
func (r *MFADevice) SealRow() seal.Row {
	return seal.Row{Table: "mfa_devices", Region: string(r.Region()), Name: r.Serial}
}
