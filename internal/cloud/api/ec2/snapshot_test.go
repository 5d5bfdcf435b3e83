package ec2

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
)

func snapshotIDs(out *ec2.DescribeSnapshotsOutput) []string {
	return list(out.Snapshots, func(s types.Snapshot) string { return *s.SnapshotId })
}

func TestSnapshotsAreFoundByEveryFilter(t *testing.T) {
	r := newRemote(t)
	image := doRemote(r, r.DescribeImages, &ec2.DescribeImagesInput{
		ImageIds: []string{r.image("web", "Name", "web")},
	}).Images[0]
	id := *image.BlockDeviceMappings[0].Ebs.SnapshotId
	item := doRemote(r, r.DescribeSnapshots, &ec2.DescribeSnapshotsInput{SnapshotIds: []string{id}}).Snapshots[0]
	if item.State != types.SnapshotStatePending ||
		*item.Description != "Created by CreateImage("+*image.SourceInstanceId+") for "+*image.ImageId ||
		!item.StartTime.Equal(noon) {
		t.Errorf("snapshot %+v", item)
	}
	wantFilters(r, snapshots.filters, map[string]string{
		"transfer-type": "",
		"snapshot-id":   id, "volume-id": *item.VolumeId, "owner-id": identity.Account, "owner-alias": "",
		"description": *item.Description, "status": "pending",
		"progress": "0%", "start-time": "2026-11-23T12:00:00.000Z", "encrypted": "false", "volume-size": "8",
		"storage-tier": "standard",
	}, id, func(f types.Filter) []string {
		return snapshotIDs(doRemote(r, r.DescribeSnapshots,
			&ec2.DescribeSnapshotsInput{Filters: []types.Filter{f}, OwnerIds: []string{"self"}}))
	})
	if all := snapshotIDs(doRemote(r, r.DescribeSnapshots, &ec2.DescribeSnapshotsInput{
		OwnerIds: []string{identity.Account},
	})); len(all) != 1 {
		t.Errorf("own snapshots: %v", all)
	}
	wantRemoteError(r, r.DescribeSnapshots,
		&ec2.DescribeSnapshotsInput{SnapshotIds: []string{"snap-0123456789abcdef0"}},
		"InvalidSnapshot.NotFound: The snapshot 'snap-0123456789abcdef0' does not exist.")
	wantRemoteError(r, r.DescribeSnapshots, &ec2.DescribeSnapshotsInput{SnapshotIds: []string{"s"}},
		"InvalidParameterValue: Value (s) for parameter snapshotId is invalid. Expected: 'snap-...'.")
	wantRemoteError(r, r.DescribeSnapshots, &ec2.DescribeSnapshotsInput{SnapshotIds: []string{id}, MaxResults: five()},
		"InvalidParameterCombination:")
	if all := snapshotIDs(doRemote(r, r.DescribeSnapshots, &ec2.DescribeSnapshotsInput{
		RestorableByUserIds: []string{"all"},
	})); len(all) > 0 {
		t.Errorf("snapshots for everyone: %v", all)
	}
	wantRemoteError(r, r.DescribeSnapshots, &ec2.DescribeSnapshotsInput{DryRun: aws.Bool(true)}, dryRun)
	wantRemoteError(r, r.DeleteSnapshot, &ec2.DeleteSnapshotInput{},
		"MissingParameter: The request must contain the parameter snapshotId")
	wantRemoteError(r, r.DeleteSnapshot, &ec2.DeleteSnapshotInput{SnapshotId: aws.String("snap-0123456789abcdef0")},
		"InvalidSnapshot.NotFound: The snapshot 'snap-0123456789abcdef0' does not exist.")
}

func TestSnapshotsComeInPages(t *testing.T) {
	r := newRemote(t)
	for i := range 6 {
		r.image(fmt.Sprint("image-", i))
	}
	wantPages(r, []int{5, 1}, func(token *string) ([]string, *string) {
		out := doRemote(r, r.DescribeSnapshots,
			&ec2.DescribeSnapshotsInput{MaxResults: five(), NextToken: token, OwnerIds: []string{"self"}})
		return snapshotIDs(out), out.NextToken
	})
}
