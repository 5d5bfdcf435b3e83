package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

var volumeStatuses = resourceType[store.Volume]{
	table: volumes.table, kind: volumes.kind, prefix: volumes.prefix,
	notFoundCode: volumes.notFoundCode, notFoundText: volumes.notFoundText, notFoundEnd: volumes.notFoundEnd,
	malformedCode: volumes.malformedCode, key: volumes.key, tags: volumes.tags,
	filters: filters[disk]{
		"availability-zone":            volumes.filters["availability-zone"],
		"volume-status.status":         constant[disk](string(types.VolumeStatusInfoStatusOk)),
		"volume-status.details-name":   constant[disk](string(types.VolumeStatusNameIoEnabled)),
		"volume-status.details-status": constant[disk]("passed"),
		"action.code":                  noValue[disk],
		"action.description":           noValue[disk],
		"action.event-id":              noValue[disk],
		"event.description":            noValue[disk],
		"event.event-id":               noValue[disk],
		"event.event-type":             noValue[disk],
		"event.not-after":              noValue[disk],
		"event.not-before":             noValue[disk],
	},
}

// DescribeVolumeStatus lists the states of health of volumes. A volume is a file of the host,
// and works as long as the host's disk does.
func (a *API) DescribeVolumeStatus(
	ctx context.Context, in *ec2.DescribeVolumeStatusInput,
) (*ec2.DescribeVolumeStatusOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	rows, next, err := volumeStatuses.describe(view, region, describeQuery{
		ids: in.VolumeIds, idParameter: "volumeIds", filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
	})
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeVolumeStatusOutput{
		NextToken: next,
		VolumeStatuses: list(rows, func(row disk) types.VolumeStatusItem {
			return types.VolumeStatusItem{
				VolumeId: aws.String(row.ID), AvailabilityZone: aws.String(row.Zone),
				Actions: []types.VolumeStatusAction{}, Events: []types.VolumeStatusEvent{},
				AttachmentStatuses: []types.VolumeStatusAttachmentStatus{},
				VolumeStatus: &types.VolumeStatusInfo{
					Status: types.VolumeStatusInfoStatusOk,
					Details: []types.VolumeStatusDetails{
						{Name: types.VolumeStatusNameIoEnabled, Status: aws.String("passed")},
						{Name: types.VolumeStatusNameIoPerformance, Status: aws.String("not-applicable")},
					},
				},
			}
		}),
	}, nil
}

// ModifyVolumeAttribute records whether a volume is used again at once after its content may have
// become inconsistent. No volume of the local cloud ever waits for that.
func (a *API) ModifyVolumeAttribute(
	ctx context.Context, in *ec2.ModifyVolumeAttributeInput,
) (*ec2.ModifyVolumeAttributeOutput, error) {
	if err := required(parameter{"volumeId", in.VolumeId}); err != nil {
		return nil, err
	}
	if in.AutoEnableIO == nil {
		return nil, missingParameter("autoEnableIO")
	}
	out := &ec2.ModifyVolumeAttributeOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := volumes.get(tx, region, *in.VolumeId)
		if err != nil {
			return err
		}
		store.Volumes.Edit(tx, row.ID, func(row *store.Volume) { setBoolean(&row.AutoEnableIO, in.AutoEnableIO) })
		return nil
	})
}

// EnableVolumeIO lets a volume be used again whose content may be inconsistent, and changes nothing
// of one that is in order.
func (a *API) EnableVolumeIO(ctx context.Context, in *ec2.EnableVolumeIOInput) (*ec2.EnableVolumeIOOutput, error) {
	if err := required(parameter{"volumeId", in.VolumeId}); err != nil {
		return nil, err
	}
	return &ec2.EnableVolumeIOOutput{}, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		_, err := volumes.get(tx, region, *in.VolumeId)
		return err
	})
}
