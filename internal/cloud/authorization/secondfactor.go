package authorization

import (
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

// SecondFactor returns an error unless a code is that of a second factor of the user who is the caller of ctx. It
// accepts each code once, and none that is older than one it has accepted.
func (a *Authorizer) SecondFactor(ctx context.Context, serial, code string) error {
	caller := wire.CallerFrom(ctx)
	return a.Store.Update(func(tx *store.Tx) error {
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
		now := onetimecode.Step(a.Now())
		at := now + device.Drift
		step, ok := onetimecode.Find(seed, max(at-tolerance, device.LastStep+1), at+tolerance, code)
		if !ok {
			return factorFailed(" with invalid MFA one time pass code. ")
		}
		used := *device
		used.LastStep, used.Drift = step, step-now
		store.MFADevices.Put(tx, &used)
		return nil
	})
}

// factorFailed returns the error of AWS STS for a second factor that is not one.
func factorFailed(why string) error {
	return &wire.Error{
		Code: "AccessDenied", Message: "MultiFactorAuthentication failed" + why, Status: http.StatusForbidden,
	}
}
