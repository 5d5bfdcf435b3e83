package ec2

import (
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

type snap = *store.Snapshot

var snapshots = resourceType[store.Snapshot]{
	table: store.Snapshots, kind: types.ResourceTypeSnapshot, prefix: "snap-",
	notFoundCode: "InvalidSnapshot.NotFound", notFoundText: "The snapshot", notFoundEnd: ".",
	malformedCode: "InvalidParameterValue",
	malformedText: "Value (%s) for parameter snapshotId is invalid. Expected: 'snap-...'.",
	key:           func(row snap) (identity.Region, string) { return row.Region, row.ID },
	tags:          func(row snap) *store.Tags { return &row.Tags },
	at:            snapshotAt,
	shared:        snapshotShared,
	filters: withTagFilters(func(row snap) store.Tags { return row.Tags }, filters[snap]{
		"snapshot-id":   field(func(row snap) string { return row.ID }),
		"volume-id":     field(func(row snap) string { return row.VolumeID }),
		"owner-id":      field(func(row snap) string { return row.Owner }),
		"description":   field(func(row snap) string { return row.Description }),
		"status":        field(func(row snap) string { return row.State }),
		"progress":      field(func(row snap) string { return row.Progress }),
		"start-time":    field(func(row snap) string { return filterTime(row.Started) }),
		"encrypted":     booleanField(func(row snap) bool { return row.Encrypted }),
		"owner-alias":   noValue[snap],
		"storage-tier":  constant[snap](string(types.StorageTierStandard)),
		"transfer-type": noValue[snap],
		"volume-size":   field(func(row snap) string { return strconv.Itoa(int(row.SizeGiB)) }),
	}),
}

// snapshotShared reports whether a snapshot of another account can be used in a region: one of
// a public image, or one whose owner permits it.
func snapshotShared(row snap, region identity.Region) bool {
	return row.Region.Name() == region.Name() &&
		(row.Owner != row.Region.Account() || row.Public || slices.Contains(row.Users, region.Account()))
}

// contentOf returns the snapshot that an image or a volume was created of.
func contentOf(r store.Reader, id string) (snap, error) {
	if row, ok := store.Snapshots.Get(r, id); ok {
		return row, nil
	}
	return nil, wire.Errorf("InvalidSnapshot.NotFound", "The snapshot '%s' does not exist.", id)
}

// findOwnSnapshot returns the snapshot with the id, or EC2's error for one that does not exist
// or belongs to another account.
func findOwnSnapshot(r store.Reader, region identity.Region, id string) (snap, error) {
	row, err := snapshots.get(r, region, id)
	if err == nil && row.Owner != region.Account() {
		return nil, wire.Errorf("AuthFailure", "Not authorized for snapshot: [%s]", row.ID)
	}
	return row, err
}

// DescribeSnapshots lists the account's snapshots, those that others share, and those of public
// images.
func (a *API) DescribeSnapshots(
	ctx context.Context, in *ec2.DescribeSnapshotsInput,
) (*ec2.DescribeSnapshotsOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	pages := pageRequest{in.MaxResults, in.NextToken}
	if err := pages.check("snapshotIds", len(in.SnapshotIds) > 0); err != nil {
		return nil, err
	}
	rows, _, err := snapshots.describe(
		view, region,
		describeQuery{ids: in.SnapshotIds, idParameter: "snapshotIds", filters: in.Filters, at: a.Now()},
	)
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(row snap) bool {
		return !snapshotOwnedBy(row, region, in.OwnerIds) || !restorableBy(row, region, in.RestorableByUserIds)
	})
	rows, next, err := paginate(pages, rows, snapshots.id)
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeSnapshotsOutput{Snapshots: list(rows, snapshotItem), NextToken: next}, nil
}

// snapshotOwnedBy reports whether a snapshot belongs to one of the accounts.
func snapshotOwnedBy(row snap, region identity.Region, owners []string) bool {
	return len(owners) == 0 || slices.Contains(owners, row.Owner) ||
		slices.Contains(owners, "self") && row.Owner == region.Account()
}

// restorableBy reports whether one of the users has an explicit permission to create volumes of
// a snapshot: "all" stands for everyone, "self" for the account (Amazon EC2 API Reference,
// DescribeSnapshots).
func restorableBy(row snap, region identity.Region, users []string) bool {
	return len(users) == 0 || sharing{row.Public, row.Users}.names(users, region, row.Owner)
}

func snapshotItem(row snap) types.Snapshot {
	return types.Snapshot{
		SnapshotId:   aws.String(row.ID),
		VolumeId:     aws.String(row.VolumeID),
		OwnerId:      aws.String(row.Owner),
		Description:  aws.String(row.Description),
		VolumeSize:   aws.Int32(row.SizeGiB),
		StartTime:    aws.Time(row.Started),
		State:        types.SnapshotState(row.State),
		StateMessage: optionalString(row.StateMessage),
		Progress:     aws.String(row.Progress),
		Encrypted:    aws.Bool(row.Encrypted),
		KmsKeyId:     optionalString(row.KeyARN),
		StorageTier:  types.StorageTierStandard,
		Tags:         tagSet(row.Tags),
	}
}

// DeleteSnapshot deletes a snapshot that no image uses.
func (a *API) DeleteSnapshot(ctx context.Context, in *ec2.DeleteSnapshotInput) (*ec2.DeleteSnapshotOutput, error) {
	if err := required(parameter{"snapshotId", in.SnapshotId}); err != nil {
		return nil, err
	}
	return &ec2.DeleteSnapshotOutput{}, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := findOwnSnapshot(tx, region, *in.SnapshotId)
		if err != nil {
			return err
		}
		for _, image := range store.Images.InRegion(tx, region) {
			if slices.Contains(snapshotsOf(image), row.ID) {
				return wire.Errorf(
					"InvalidSnapshot.InUse", "The snapshot %s is currently in use by %s", row.ID, image.ID,
				)
			}
		}
		store.Snapshots.Delete(tx, row.ID)
		return nil
	})
}
