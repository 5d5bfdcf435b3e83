package ec2

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func volumeIDs(out *ec2.DescribeVolumesOutput) []string {
	return list(out.Volumes, func(v types.Volume) string { return *v.VolumeId })
}

func TestVolumesAreFoundByEveryFilter(t *testing.T) {
	r := newRemote(t)
	in := launchOne(r.cloud.availableImage())
	in.TagSpecifications = specification(types.ResourceTypeVolume, "Name", "web")
	row := doRemote(r, r.RunInstances, in).Instances[0]
	id := *row.BlockDeviceMappings[0].Ebs.VolumeId
	item := doRemote(r, r.DescribeVolumes, &ec2.DescribeVolumesInput{VolumeIds: []string{id}}).Volumes[0]
	if item.State != types.VolumeStateInUse || len(item.Attachments) != 1 ||
		*item.Attachments[0].InstanceId != *row.InstanceId ||
		!*item.Attachments[0].DeleteOnTermination {
		t.Errorf("volume %+v", item)
	}
	wantFilters(r, volumes.filters, map[string]string{
		"operator.managed": "false", "operator.principal": "", "source-volume-id": "",
		"volume-id": id, "availability-zone": *row.Placement.AvailabilityZone, "status": "in-use", "size": "8",
		"volume-type": "gp3", "snapshot-id": *item.SnapshotId,
		"create-time": "2026-11-23T12:00:00.000Z", "encrypted": "false", "multi-attach-enabled": "false",
		"fast-restored":          "false",
		"attachment.instance-id": *row.InstanceId, "attachment.device": "/dev/xvda", "attachment.status": "attached",
		"attachment.delete-on-termination": "true", "attachment.attach-time": "2026-11-23T12:00:00.000Z",
	}, id, func(f types.Filter) []string {
		return volumeIDs(doRemote(r, r.DescribeVolumes, &ec2.DescribeVolumesInput{Filters: []types.Filter{f}}))
	})
	wantRemoteError(r, r.DescribeVolumes, &ec2.DescribeVolumesInput{VolumeIds: []string{"vol-0123456789abcdef0"}},
		"InvalidVolume.NotFound: The volume 'vol-0123456789abcdef0' does not exist.")
	wantRemoteError(r, r.DescribeVolumes, &ec2.DescribeVolumesInput{DryRun: aws.Bool(true)}, dryRun)
	r.launch(6)
	wantPages(r, []int{5, 2}, func(token *string) ([]string, *string) {
		out := doRemote(r, r.DescribeVolumes, &ec2.DescribeVolumesInput{MaxResults: five(), NextToken: token})
		return volumeIDs(out), out.NextToken
	})
}

// detachVolume detaches a volume in place of the instances loop, whose own tests cover
// what it stores for a terminated instance.
func (r *remote) detachVolume(volume string) {
	r.edit(func(tx *store.Tx) {
		store.Volumes.Edit(tx, volume, func(v *store.Volume) {
			v.State, v.InstanceID, v.Device, v.AttachedAt = "available", "", "", time.Time{}
		})
	})
}

func TestAVolumeKeptAfterTerminationCanBeDeleted(t *testing.T) {
	r := newRemote(t)
	in := launchOne(r.cloud.availableImage())
	in.BlockDeviceMappings = root(types.EbsBlockDevice{DeleteOnTermination: aws.Bool(false)})
	row := doRemote(r, r.RunInstances, in).Instances[0]
	disk := row.BlockDeviceMappings[0].Ebs
	if *disk.DeleteOnTermination {
		t.Error("the volume is deleted on termination")
	}
	wantRemoteError(r, r.DeleteVolume, &ec2.DeleteVolumeInput{},
		"MissingParameter: The request must contain the parameter volumeId")
	wantRemoteError(r, r.DeleteVolume, &ec2.DeleteVolumeInput{VolumeId: aws.String("vol-0123456789abcdef0")},
		"InvalidVolume.NotFound: The volume 'vol-0123456789abcdef0' does not exist.")
	wantRemoteError(r, r.DeleteVolume, &ec2.DeleteVolumeInput{VolumeId: disk.VolumeId},
		"VolumeInUse: Volume "+*disk.VolumeId+" is currently attached to "+*row.InstanceId)
	r.detachVolume(*disk.VolumeId)
	item := doRemote(r, r.DescribeVolumes, &ec2.DescribeVolumesInput{VolumeIds: []string{*disk.VolumeId}}).Volumes[0]
	if item.State != types.VolumeStateAvailable || len(item.Attachments) > 0 {
		t.Errorf("volume %+v", item)
	}
	if found := volumeIDs(doRemote(r, r.DescribeVolumes, &ec2.DescribeVolumesInput{
		Filters: []types.Filter{filter("attachment.status", "*")},
	})); len(found) > 0 {
		t.Errorf("attached volumes: %v", found)
	}
	wantRemoteError(r, r.DeleteVolume, &ec2.DeleteVolumeInput{VolumeId: disk.VolumeId, DryRun: aws.Bool(true)}, dryRun)
	doRemote(r, r.DeleteVolume, &ec2.DeleteVolumeInput{VolumeId: disk.VolumeId})
	wantRemoteError(r, r.DeleteVolume, &ec2.DeleteVolumeInput{VolumeId: disk.VolumeId},
		"InvalidVolume.NotFound: The volume '"+*disk.VolumeId+"' does not exist.")
}
