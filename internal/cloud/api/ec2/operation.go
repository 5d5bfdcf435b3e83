package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// read starts an operation that changes nothing. It returns a view of the store and
// the caller's region, or the error of a dry run.
func (a *API) read(ctx context.Context, dryRun *bool) (store.Reader, identity.Region, error) {
	region := wire.RegionFrom(ctx)
	if err := a.EnsureRegion(region); err != nil {
		return nil, "", err
	}
	if aws.ToBool(dryRun) {
		return nil, "", wire.DryRunOperation()
	}
	return a.Store.Read(ctx), region, nil
}

// change runs an operation that writes to the store. A dry run executes it in full and
// discards its changes, so that it finds every mistake that the operation itself
// would.
func (a *API) change(ctx context.Context, dryRun *bool, do func(tx *store.Tx, region identity.Region) error) error {
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
