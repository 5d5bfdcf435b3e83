package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// ModifySnapshotAttribute changes who may create volumes of a snapshot of the account.
func (a *API) ModifySnapshotAttribute(
	ctx context.Context, in *ec2.ModifySnapshotAttributeInput,
) (*ec2.ModifySnapshotAttributeOutput, error) {
	if err := required(parameter{"snapshotId", in.SnapshotId}); err != nil {
		return nil, err
	}
	if in.Attribute != "" && in.Attribute != types.SnapshotAttributeNameCreateVolumePermission {
		return nil, unknownAttribute(string(in.Attribute))
	}
	change, err := sharingChange{}, error(nil)
	if p := in.CreateVolumePermission; p != nil {
		change = sharingChange{list(p.Add, volumeGrantee), list(p.Remove, volumeGrantee)}
	} else {
		change, err = listedChange(in.OperationType, in.UserIds, in.GroupNames)
	}
	if err != nil {
		return nil, err
	}
	if err := change.check(); err != nil {
		return nil, err
	}
	return &ec2.ModifySnapshotAttributeOutput{}, a.shareSnapshot(ctx, in.DryRun, *in.SnapshotId, change.apply)
}

// ResetSnapshotAttribute withdraws the permissions to create volumes of a snapshot.
func (a *API) ResetSnapshotAttribute(
	ctx context.Context, in *ec2.ResetSnapshotAttributeInput,
) (*ec2.ResetSnapshotAttributeOutput, error) {
	if err := required(
		parameter{"snapshotId", in.SnapshotId}, parameter{"attribute", aws.String(string(in.Attribute))},
	); err != nil {
		return nil, err
	}
	if in.Attribute != types.SnapshotAttributeNameCreateVolumePermission {
		return nil, unknownAttribute(string(in.Attribute))
	}
	return &ec2.ResetSnapshotAttributeOutput{}, a.shareSnapshot(ctx, in.DryRun, *in.SnapshotId,
		func(sharing) sharing { return sharing{} })
}

// shareSnapshot changes who may create volumes of a snapshot of the account. A snapshot that is
// encrypted with the key of EBS, which is the local cloud's only one, cannot be shared.
func (a *API) shareSnapshot(ctx context.Context, dryRun *bool, id string, change func(sharing) sharing) error {
	return a.change(ctx, dryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := findOwnSnapshot(tx, region, id)
		if err != nil {
			return err
		}
		after := change(sharing{row.Public, row.Users})
		if err := checkPublic(
			store.SettingOf(tx, region).BlockSnapshots != "", row.Public, after.public,
		); err != nil {
			return err
		}
		if row.Encrypted && (after.public || len(after.users) > 0) {
			return wire.Errorf("OperationNotPermitted", "Encrypted snapshots with EBS default key cannot be shared")
		}
		store.Snapshots.Edit(tx, row.ID, func(row *store.Snapshot) {
			row.Public, row.Users = after.public, after.users
		})
		return nil
	})
}
