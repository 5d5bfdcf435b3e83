package ec2

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// The states of block public access for images (Amazon EC2 API Reference,
// GetImageBlockPublicAccessState).
const (
	blockNewSharing = string(types.ImageBlockPublicAccessEnabledStateBlockNewSharing)
	unblocked       = string(types.ImageBlockPublicAccessDisabledStateUnblocked)
)

// EnableImageBlockPublicAccess refuses to make images public from now on. Public images stay so.
func (a *API) EnableImageBlockPublicAccess(
	ctx context.Context, in *ec2.EnableImageBlockPublicAccessInput,
) (*ec2.EnableImageBlockPublicAccessOutput, error) {
	if err := checkState("imageBlockPublicAccessState", in.ImageBlockPublicAccessState); err != nil {
		return nil, err
	}
	return &ec2.EnableImageBlockPublicAccessOutput{ImageBlockPublicAccessState: in.ImageBlockPublicAccessState},
		a.changeSetting(ctx, in.DryRun, func(row *store.AccountSetting) { row.BlockImages = true })
}

// DisableImageBlockPublicAccess lets the account make images public again.
func (a *API) DisableImageBlockPublicAccess(
	ctx context.Context, in *ec2.DisableImageBlockPublicAccessInput,
) (*ec2.DisableImageBlockPublicAccessOutput, error) {
	return &ec2.DisableImageBlockPublicAccessOutput{
		ImageBlockPublicAccessState: types.ImageBlockPublicAccessDisabledStateUnblocked,
	}, a.changeSetting(ctx, in.DryRun, func(row *store.AccountSetting) { row.BlockImages = false })
}

// GetImageBlockPublicAccessState reports whether images can be made public.
func (a *API) GetImageBlockPublicAccessState(
	ctx context.Context, in *ec2.GetImageBlockPublicAccessStateInput,
) (*ec2.GetImageBlockPublicAccessStateOutput, error) {
	row, err := a.setting(ctx, in.DryRun)
	state := unblocked
	if row.BlockImages {
		state = blockNewSharing
	}
	return &ec2.GetImageBlockPublicAccessStateOutput{
		ImageBlockPublicAccessState: &state, ManagedBy: types.ManagedByAccount,
	}, err
}

// EnableSnapshotBlockPublicAccess refuses to make snapshots public from now on. "block-all-sharing"
// would hide those that are public already: an account that has some must make them private first.
func (a *API) EnableSnapshotBlockPublicAccess(
	ctx context.Context, in *ec2.EnableSnapshotBlockPublicAccessInput,
) (*ec2.EnableSnapshotBlockPublicAccessOutput, error) {
	if err := checkState("state", in.State); err != nil {
		return nil, err
	}
	if in.State == types.SnapshotBlockPublicAccessStateUnblocked {
		return nil, invalidValue("state", string(in.State), "DisableSnapshotBlockPublicAccess unblocks.")
	}
	return &ec2.EnableSnapshotBlockPublicAccessOutput{State: in.State},
		a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
			if in.State == types.SnapshotBlockPublicAccessStateBlockAllSharing {
				if err := refusePublicSnapshots(tx, region); err != nil {
					return err
				}
			}
			row := store.SettingOf(tx, region)
			row.BlockSnapshots = string(in.State)
			store.AccountSettings.Put(tx, &row)
			return nil
		})
}

// refusePublicSnapshots returns an error if an account has public snapshots in a region.
func refusePublicSnapshots(r store.Reader, region identity.Region) error {
	for _, row := range store.Snapshots.List(r) {
		if row.Public && row.Region == region {
			return unsupported(map[string]bool{
				"state=block-all-sharing while the snapshot " + row.ID + " is public": true,
			})
		}
	}
	return nil
}

// DisableSnapshotBlockPublicAccess lets the account make snapshots public again.
func (a *API) DisableSnapshotBlockPublicAccess(
	ctx context.Context, in *ec2.DisableSnapshotBlockPublicAccessInput,
) (*ec2.DisableSnapshotBlockPublicAccessOutput, error) {
	return &ec2.DisableSnapshotBlockPublicAccessOutput{State: types.SnapshotBlockPublicAccessStateUnblocked},
		a.changeSetting(ctx, in.DryRun, func(row *store.AccountSetting) { row.BlockSnapshots = "" })
}

// GetSnapshotBlockPublicAccessState reports whether snapshots can be made public.
func (a *API) GetSnapshotBlockPublicAccessState(
	ctx context.Context, in *ec2.GetSnapshotBlockPublicAccessStateInput,
) (*ec2.GetSnapshotBlockPublicAccessStateOutput, error) {
	row, err := a.setting(ctx, in.DryRun)
	return &ec2.GetSnapshotBlockPublicAccessStateOutput{
		State:     types.SnapshotBlockPublicAccessState(cmp.Or(row.BlockSnapshots, unblocked)),
		ManagedBy: types.ManagedByAccount,
	}, err
}

// checkState refuses a state that is missing or not one of its type's.
func checkState[E interface {
	~string
	Values() []E
}](name string, state E) error {
	if err := required(parameter{name, aws.String(string(state))}); err != nil {
		return err
	}
	return checkEnum(name, state)
}

// checkPublic refuses to make public what was not, if the account blocks it.
func checkPublic(blocked, before, after bool) error {
	if blocked && after && !before {
		return wire.Errorf("OperationNotPermitted",
			"Public sharing is blocked: block public access is enabled for the account in this Region.")
	}
	return nil
}
