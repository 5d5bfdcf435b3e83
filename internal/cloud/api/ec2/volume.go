package ec2

import (
	"cmp"
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// disk abbreviates the type of a volume's row.
type disk = *store.Volume

var volumes = resourceType[store.Volume]{
	table: store.Volumes, kind: types.ResourceTypeVolume, prefix: "vol-",
	notFoundCode: "InvalidVolume.NotFound", notFoundText: "The volume", notFoundEnd: ".",
	malformedCode: "InvalidParameterValue",
	malformedText: "Value (%s) for parameter volumeId is invalid. Expected: 'vol-...'.",
	key:           func(row disk) (identity.Region, string) { return row.Region, row.ID },
	tags:          func(row disk) *store.Tags { return &row.Tags },
	filters: withTagFilters(func(row disk) store.Tags { return row.Tags }, filters[disk]{
		"volume-id":              field(func(row disk) string { return row.ID }),
		"availability-zone":      field(func(row disk) string { return row.Zone }),
		"status":                 field(func(row disk) string { return row.State }),
		"size":                   field(func(row disk) string { return strconv.Itoa(int(row.SizeGiB)) }),
		"volume-type":            field(func(row disk) string { return row.Type }),
		"snapshot-id":            field(func(row disk) string { return row.SnapshotID }),
		"create-time":            field(func(row disk) string { return filterTime(row.Created) }),
		"encrypted":              booleanField(func(row disk) bool { return row.Encrypted }),
		"attachment.instance-id": ifMounted(func(row disk) string { return row.InstanceID }),
		"attachment.device":      ifMounted(func(row disk) string { return row.Device }),
		"attachment.status":      ifMounted(func(row disk) string { return string(attachmentOf(row)) }),
		"attachment.delete-on-termination": ifMounted(
			func(row disk) string { return strconv.FormatBool(row.DeleteOnTermination) },
		),
		"attachment.attach-time": ifMounted(func(row disk) string { return filterTime(row.AttachedAt) }),
		"multi-attach-enabled":   booleanField(func(row disk) bool { return row.MultiAttach }),
		"fast-restored":          constant[disk]("false"),
		"operator.managed":       constant[disk]("false"),
		"operator.principal":     noValue[disk],
		"source-volume-id":       noValue[disk],
	}),
}

// ifMounted returns a filter by a property that only attached volumes have.
func ifMounted(text func(disk) string) func(store.Reader, disk) []string {
	return func(_ store.Reader, row disk) []string {
		if row.InstanceID == "" {
			return nil
		}
		return []string{text(row)}
	}
}

// DescribeVolumes lists volumes.
func (a *API) DescribeVolumes(ctx context.Context, in *ec2.DescribeVolumesInput) (*ec2.DescribeVolumesOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	rows, next, err := volumes.describe(view, region, describeQuery{
		ids:         in.VolumeIds,
		idParameter: "volumeIds",
		filters:     in.Filters,
		page:        pageRequest{in.MaxResults, in.NextToken},
	})
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeVolumesOutput{Volumes: list(rows, volumeItem), NextToken: next}, nil
}

func volumeItem(row disk) types.Volume {
	item := types.Volume{
		VolumeId:           aws.String(row.ID),
		AvailabilityZone:   aws.String(row.Zone),
		CreateTime:         aws.Time(row.Created),
		Size:               aws.Int32(row.SizeGiB),
		SnapshotId:         aws.String(row.SnapshotID),
		State:              types.VolumeState(row.State),
		VolumeType:         types.VolumeType(row.Type),
		Iops:               optionalNumber(row.IOPS),
		Throughput:         optionalNumber(row.Throughput),
		Encrypted:          aws.Bool(row.Encrypted),
		KmsKeyId:           optionalString(row.KeyARN),
		MultiAttachEnabled: aws.Bool(row.MultiAttach),
		Tags:               tagSet(row.Tags),
		Attachments:        []types.VolumeAttachment{},
	}
	if row.InstanceID != "" {
		item.Attachments = append(item.Attachments, types.VolumeAttachment{
			VolumeId:            aws.String(row.ID),
			InstanceId:          aws.String(row.InstanceID),
			Device:              aws.String(row.Device),
			State:               attachmentOf(row),
			AttachTime:          aws.Time(row.AttachedAt),
			DeleteOnTermination: aws.Bool(row.DeleteOnTermination),
		})
	}
	return item
}

// attachmentOf returns the state of the attachment of a volume that has one. A root volume is
// attached as long as its instance exists.
func attachmentOf(row disk) types.VolumeAttachmentState {
	return types.VolumeAttachmentState(cmp.Or(row.Attachment, store.Attached))
}

// optionalNumber returns nil for zero: EC2's responses omit such members.
func optionalNumber[N int32 | float64](n N) *N {
	if n == 0 {
		return nil
	}
	return &n
}

// DeleteVolume deletes a volume that is not attached.
func (a *API) DeleteVolume(ctx context.Context, in *ec2.DeleteVolumeInput) (*ec2.DeleteVolumeOutput, error) {
	if err := required(parameter{"volumeId", in.VolumeId}); err != nil {
		return nil, err
	}
	return &ec2.DeleteVolumeOutput{}, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := volumes.get(tx, region, *in.VolumeId)
		switch {
		case err != nil:
			return err
		case row.InstanceID != "":
			return wire.Errorf("VolumeInUse", "Volume %s is currently attached to %s", row.ID, row.InstanceID)
		}
		store.VolumeModifications.Delete(tx, row.ID)
		store.Volumes.Delete(tx, row.ID)
		return nil
	})
}
