package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// read enters an operation that changes nothing: it returns the store as it is
// and the caller's region, or the refusal of a dry run.
func (a *API) read(ctx context.Context, dryRun *bool) (store.Reader, string, error) {
	region := wire.RegionFrom(ctx)
	if err := a.EnsureRegion(region); err != nil {
		return nil, "", err
	}
	if aws.ToBool(dryRun) {
		return nil, "", wire.DryRunOperation()
	}
	return a.Store.View(), region, nil
}

// change runs an operation that writes. A dry run does all of it and keeps
// nothing, so that it finds every mistake the real one would.
func (a *API) change(ctx context.Context, dryRun *bool, do func(tx *store.Tx, region string) error) error {
	region := wire.RegionFrom(ctx)
	if err := a.EnsureRegion(region); err != nil {
		return err
	}
	return a.Store.Update(func(tx *store.Tx) error {
		if err := do(tx, region); err != nil {
			return err
		}
		if aws.ToBool(dryRun) {
			return wire.DryRunOperation()
		}
		return nil
	})
}
