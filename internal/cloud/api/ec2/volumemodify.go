package ec2

import (
	"cmp"
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// modificationPause is the time between two modifications of a volume (Amazon EBS User Guide,
// Requirements for Elastic Volumes).
const modificationPause = 6 * time.Hour

type modification = *store.VolumeModification

var modifications = resourceType[store.VolumeModification]{
	table: store.VolumeModifications, prefix: volumes.prefix, malformedCode: volumes.malformedCode,
	notFoundCode: "InvalidVolumeModification.NotFound", notFoundText: "Modification for volume",
	key:  func(row modification) (identity.Region, string) { return row.Region, row.VolumeID },
	tags: func(modification) *store.Tags { return &store.Tags{} },
	filters: filters[modification]{
		"modification-state": func(r store.Reader, row modification) []string {
			return []string{string(modificationState(isModified(r, row)))}
		},
		"original-iops":              numberField(func(row modification) int32 { return row.Before.IOPS }),
		"original-size":              numberField(func(row modification) int32 { return row.Before.SizeGiB }),
		"original-volume-type":       field(func(row modification) string { return row.Before.Type }),
		"originalMultiAttachEnabled": booleanField(func(row modification) bool { return row.Before.MultiAttach }),
		"start-time":                 field(func(row modification) string { return filterTime(row.Started) }),
		"target-iops":                numberField(func(row modification) int32 { return row.After.IOPS }),
		"target-size":                numberField(func(row modification) int32 { return row.After.SizeGiB }),
		"target-volume-type":         field(func(row modification) string { return row.After.Type }),
		"targetMultiAttachEnabled":   booleanField(func(row modification) bool { return row.After.MultiAttach }),
		"volume-id":                  field(func(row modification) string { return row.VolumeID }),
		"multi-attach-enabled":       booleanField(func(row modification) bool { return row.After.MultiAttach }),
	},
}

// ModifyVolume changes the size, the type or the performance of a volume.
func (a *API) ModifyVolume(ctx context.Context, in *ec2.ModifyVolumeInput) (*ec2.ModifyVolumeOutput, error) {
	if err := required(parameter{"volumeId", in.VolumeId}); err != nil {
		return nil, err
	}
	out := &ec2.ModifyVolumeOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := volumes.get(tx, region, *in.VolumeId)
		if err != nil {
			return err
		}
		switch {
		case row.State == store.VolumeCreating:
			return wire.Errorf("IncorrectModificationState", "Cannot modify volume in CREATING state")
		case row.FileGiB == 0 && !a.Simulated:
			return wire.NotImplemented("ec2:ModifyVolume of a root volume (a new instance's can be larger)")
		case aws.ToBool(in.MultiAttachEnabled) && !a.Simulated:
			return unsupported(map[string]bool{"multiAttachEnabled": true})
		}
		if last, ok := store.VolumeModifications.Get(tx, row.ID); ok && a.Manners.Has(manners.Limits) &&
			a.Now().Sub(last.Started) < modificationPause {
			return wire.Errorf("VolumeModificationRateExceeded", "You've reached the maximum modification rate per "+
				"volume limit. Wait at least 6 hours between modifications per EBS volume.")
		}
		next, err := modifiedShape(row, in)
		if err != nil {
			return err
		}
		change := &store.VolumeModification{
			VolumeID: row.ID, Region: region, Before: shapeOf(row), After: next, Started: a.Now().UTC(),
		}
		store.VolumeModifications.Put(tx, change)
		store.Volumes.Edit(tx, row.ID, func(row *store.Volume) { setShape(row, next) })
		item := modificationItem(change, false)
		out.VolumeModification = &item
		return nil
	})
}

func shapeOf(row *store.Volume) store.VolumeShape {
	return store.VolumeShape{
		Type: row.Type, SizeGiB: row.SizeGiB, IOPS: row.IOPS, Throughput: row.Throughput, MultiAttach: row.MultiAttach,
	}
}

func setShape(row *store.Volume, s store.VolumeShape) {
	row.Type, row.SizeGiB, row.IOPS, row.Throughput = s.Type, s.SizeGiB, s.IOPS, s.Throughput
	row.MultiAttach = s.MultiAttach
}

// modifiedShape returns what a volume is after a modification. What the request leaves out
// stays as it is, if the volume's type has it.
func modifiedShape(row *store.Volume, in *ec2.ModifyVolumeInput) (store.VolumeShape, error) {
	size := cmp.Or(aws.ToInt32(in.Size), row.SizeGiB)
	if size < row.SizeGiB {
		return store.VolumeShape{}, wire.Errorf("InvalidParameterValue",
			"New size cannot be smaller than existing size")
	}
	kind := cmp.Or(in.VolumeType, types.VolumeType(row.Type))
	t, iops, throughput := volumeTypes[kind], in.Iops, in.Throughput
	if iops == nil && t.maxIOPS != 0 && row.IOPS >= t.minIOPS {
		iops = &row.IOPS
	}
	if throughput == nil && t.throughput != 0 && row.Throughput >= t.throughput {
		throughput = &row.Throughput
	}
	multiAttach := row.MultiAttach
	if in.MultiAttachEnabled != nil {
		multiAttach = *in.MultiAttachEnabled
	}
	return shape(kind, size, iops, throughput, multiAttach)
}

// DescribeVolumesModifications lists the last modification of each volume.
func (a *API) DescribeVolumesModifications(
	ctx context.Context, in *ec2.DescribeVolumesModificationsInput,
) (*ec2.DescribeVolumesModificationsOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	for _, id := range in.VolumeIds {
		if _, err := volumes.get(view, region, id); err != nil {
			return nil, err
		}
	}
	rows, next, err := modifications.describe(view, region, describeQuery{
		ids: in.VolumeIds, idParameter: "volumeIds", filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
	})
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeVolumesModificationsOutput{
		VolumesModifications: list(rows, func(row modification) types.VolumeModification {
			return modificationItem(row, isModified(view, row))
		}),
		NextToken: next,
	}, nil
}

// isModified reports whether a modification is complete: a volume's file grows a moment later.
func isModified(r store.Reader, row modification) bool {
	volume, ok := store.Volumes.Get(r, row.VolumeID)
	return !ok || volume.FileGiB == 0 || volume.FileGiB >= row.After.SizeGiB
}

func modificationState(done bool) types.VolumeModificationState {
	if done {
		return types.VolumeModificationStateCompleted
	}
	return types.VolumeModificationStateModifying
}

func modificationItem(row modification, done bool) types.VolumeModification {
	item := types.VolumeModification{
		VolumeId: aws.String(row.VolumeID), ModificationState: modificationState(done),
		Progress: aws.Int64(0), StartTime: aws.Time(row.Started),
		OriginalVolumeType: types.VolumeType(row.Before.Type), TargetVolumeType: types.VolumeType(row.After.Type),
		OriginalSize: aws.Int32(row.Before.SizeGiB), TargetSize: aws.Int32(row.After.SizeGiB),
		OriginalIops: aws.Int32(row.Before.IOPS), TargetIops: aws.Int32(row.After.IOPS),
		OriginalThroughput: aws.Int32(row.Before.Throughput), TargetThroughput: aws.Int32(row.After.Throughput),
		OriginalMultiAttachEnabled: aws.Bool(row.Before.MultiAttach),
		TargetMultiAttachEnabled:   aws.Bool(row.After.MultiAttach),
	}
	if done {
		item.Progress, item.EndTime = aws.Int64(100), aws.Time(row.Started)
	}
	return item
}
