package authorization

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"

	"aloft.dev/aloft/internal/cloud/onetimecode"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// tolerance is by how many steps a code may be early or late.
const tolerance = 1

// unknownDevice is AWS's reason for a device that is not the caller's.
const unknownDevice = ", unable to validate MFA code.  Please verify your MFA serial number is valid and associated " +
	"with this user."

// maxFailures is how many wrong codes a step has before all others of it are refused: whoever guesses would
// otherwise find one of a million codes within minutes.
const maxFailures = 5

// SecondFactor returns an error unless a code is that of a second factor of the user who is the caller of ctx. It
// accepts each code once, and none that is older than one it has accepted.
func (a *Authorizer) SecondFactor(ctx context.Context, serial, code string) error {
	caller := wire.CallerFrom(ctx)
	var refused error // once its cause is recorded
	err := a.Store.Update(func(tx *store.Tx) error {
		device, ok := store.MFADevices.Get(tx, serial)
		if !ok || device.User == "" || device.Region() != caller.Region.Global() ||
			device.User != caller.Principal.User || caller.Principal.Session != nil {
			return factorFailed(unknownDevice)
		}
		seed, err := a.Seal.Open(device.Seed, device.SealRow())
		if err != nil {
			a.Log.Warn("read a second factor", slog.String("serial", serial), slog.Any("error", err))
			return factorFailed(unknownDevice)
		}
		used := *device
		if !useCode(&used, seed, onetimecode.Step(a.Now()), code) {
			refused = factorFailed(" with invalid MFA one time pass code. ")
		}
		store.MFADevices.Put(tx, &used)
		return nil
	})
	return cmp.Or(err, refused)
}

// useCode reports whether a code is the device's at a step. It records in the device that the code is used, or was
// wrong.
func useCode(device *store.MFADevice, seed []byte, now int64, code string) bool {
	if device.FailedStep != now {
		device.FailedStep, device.Failures = now, 0
	}
	if device.Failures >= maxFailures {
		return false
	}
	at := now + device.Drift
	step, ok := onetimecode.Find(seed, max(at-tolerance, device.LastStep+1), at+tolerance, code)
	if !ok {
		device.Failures++
		return false
	}
	device.LastStep, device.Drift = step, step-now
	return true
}

// factorFailed returns the error of AWS STS for a second factor that is not one.
func factorFailed(why string) error {
	return &wire.Error{
		Code: "AccessDenied", Message: "MultiFactorAuthentication failed" + why, Status: http.StatusForbidden,
	}
}
