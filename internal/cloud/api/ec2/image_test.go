package ec2

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// image creates an image of a stopped instance and returns its id.
func (r *remote) image(name string, tags ...string) string {
	r.t.Helper()
	row := r.launch(1)[0]
	r.cloud.observe(*row.InstanceId, store.Stopped)
	in := &ec2.CreateImageInput{InstanceId: row.InstanceId, Name: &name, Description: aws.String("of a test")}
	if len(tags) > 0 {
		in.TagSpecifications = append(
			specification(types.ResourceTypeImage, tags...),
			specification(types.ResourceTypeSnapshot, tags...)...)
	}
	return *doRemote(r, r.CreateImage, in).ImageId
}

func imageIDs(out *ec2.DescribeImagesOutput) []string {
	return list(out.Images, func(i types.Image) string { return *i.ImageId })
}

func TestImagesAreFoundByEveryFilter(t *testing.T) {
	r := newRemote(t)
	id := r.image("web-1", "Name", "web")
	item := doRemote(r, r.DescribeImages, &ec2.DescribeImagesInput{ImageIds: []string{id}}).Images[0]
	if item.State != types.ImageStatePending || *item.Name != "web-1" || *item.OwnerId != identity.Account ||
		*item.Public ||
		*item.BlockDeviceMappings[0].Ebs.VolumeSize != 8 {
		t.Errorf("image %+v", item)
	}
	wantFilters(r, images.filters, map[string]string{
		"kernel-id": "", "ramdisk-id": "", "sriov-net-support": "", "free-tier-eligible": "", "image-allowed": "true",
		"manifest-location": *item.ImageLocation, "source-image-id": "", "source-image-region": "",
		"state-reason-code": "", "state-reason-message": "", "product-code.type": "",
		"image-id": id, "name": "web-1", "description": "of a test", "state": "pending", "owner-id": identity.Account,
		"owner-alias": "", "is-public": "false",
		"architecture": "x86_64", "creation-date": *item.CreationDate, "image-type": "machine",
		"root-device-type": "ebs", "virtualization-type": "hvm",
		"hypervisor": "xen", "root-device-name": *item.RootDeviceName,
		"block-device-mapping.snapshot-id": *item.BlockDeviceMappings[0].Ebs.SnapshotId,
		"source-instance-id":               *item.SourceInstanceId, "ena-support": "true", "platform": "",
		"block-device-mapping.device-name": *item.RootDeviceName,
		"block-device-mapping.volume-size": "8", "block-device-mapping.volume-type": "gp3",
		"block-device-mapping.delete-on-termination": "true",
		"block-device-mapping.encrypted":             "false", "product-code": "",
	}, id, func(f types.Filter) []string {
		return imageIDs(doRemote(r, r.DescribeImages, &ec2.DescribeImagesInput{
			Filters: []types.Filter{f}, Owners: []string{"self"},
		}))
	})
	for want, in := range map[int]*ec2.DescribeImagesInput{
		1: {Owners: []string{"self"}}, 2: {}, 0: {Owners: []string{"self"}, ExecutableUsers: []string{"all"}},
	} {
		if n := len(imageIDs(doRemote(r, r.DescribeImages, in))); n != want {
			t.Errorf("%+v: %d images, want %d", in, n, want)
		}
	}
	if found := doRemote(r, r.DescribeImages, &ec2.DescribeImagesInput{
		ExecutableUsers: []string{"all"}, Owners: []string{"136693071363"},
	}).Images; len(found) != 1 ||
		!*found[0].Public {
		t.Errorf("public images: %+v", found)
	}
	wantRemoteError(r, r.DescribeImages, &ec2.DescribeImagesInput{Filters: []types.Filter{filter("colour", "red")}},
		"InvalidParameterValue: The filter 'colour' is invalid")
	wantRemoteError(r, r.DescribeImages, &ec2.DescribeImagesInput{ImageIds: []string{"not_an_ami_id"}},
		`InvalidAMIID.Malformed: Invalid id: "not_an_ami_id" (expecting "ami-...")`)
	wantRemoteError(r, r.DescribeImages, &ec2.DescribeImagesInput{ImageIds: []string{"ami-abcd1234"}},
		"InvalidAMIID.NotFound: The image id '[ami-abcd1234]' does not exist")
	wantRemoteError(r, r.DescribeImages,
		&ec2.DescribeImagesInput{ImageIds: []string{"ami-abcd1234", id, "ami-1234abcd"}},
		"InvalidAMIID.NotFound: The image ids '[ami-abcd1234, ami-1234abcd]' do not exist")
	wantRemoteError(r, r.DescribeImages, &ec2.DescribeImagesInput{DryRun: aws.Bool(true)}, dryRun)
}

func TestImagesComeInPages(t *testing.T) {
	r := newRemote(t)
	for i := range 11 {
		r.image(fmt.Sprint("image-", i))
	}
	wantPages(r, []int{5, 5, 2}, func(token *string) ([]string, *string) {
		out := doRemote(r, r.DescribeImages, &ec2.DescribeImagesInput{MaxResults: five(), NextToken: token})
		return imageIDs(out), out.NextToken
	})
	wantPages(r, []int{5, 5, 1}, func(token *string) ([]string, *string) {
		out := doRemote(r, r.DescribeImages,
			&ec2.DescribeImagesInput{MaxResults: five(), NextToken: token, Owners: []string{"self"}})
		return imageIDs(out), out.NextToken
	})
	wantRemoteError(r, r.DescribeImages, &ec2.DescribeImagesInput{MaxResults: aws.Int32(0)}, "InvalidParameterValue:")
	wantRemoteError(r, r.DescribeImages, &ec2.DescribeImagesInput{NextToken: aws.String("x")},
		"InvalidNextToken: The token 'x' is invalid.")
}

func TestCreateImageValidatesItsRequest(t *testing.T) {
	r := newRemote(t)
	row, name := r.launch(1)[0].InstanceId, aws.String("web")
	wantRemoteError(r, r.CreateImage, &ec2.CreateImageInput{Name: name},
		"MissingParameter: The request must contain the parameter instanceId")
	wantRemoteError(r, r.CreateImage, &ec2.CreateImageInput{InstanceId: row},
		"MissingParameter: The request must contain the parameter name")
	wantRemoteError(r, r.CreateImage, &ec2.CreateImageInput{InstanceId: row, Name: name}, "IncorrectState:")
	r.cloud.observe(*row, store.Running)
	for _, bad := range []string{"we", "web:1", fmt.Sprintf("%0129d", 1)} {
		wantRemoteError(r, r.CreateImage,
			&ec2.CreateImageInput{InstanceId: row, Name: &bad},
			"InvalidAMIName.Malformed: AMI names must be between 3 and 128 characters long, and may contain letters, "+
				"numbers, '(', ')', '.', '-', '/' and '_'")
	}
	wantRemoteError(r, r.CreateImage, &ec2.CreateImageInput{InstanceId: aws.String("i-0123456789abcdef0"), Name: name},
		"InvalidInstanceID.NotFound: The instance ID 'i-0123456789abcdef0' does not exist")
	wantRemoteError(r, r.CreateImage, &ec2.CreateImageInput{
		InstanceId:          row,
		Name:                name,
		BlockDeviceMappings: root(types.EbsBlockDevice{VolumeSize: aws.Int32(20)}),
	}, "InvalidBlockDeviceMapping: The size of the volume at /dev/xvda cannot be changed: it is 8 GiB.")
	wantRemoteError(r, r.CreateImage,
		&ec2.CreateImageInput{InstanceId: row, Name: name, SnapshotLocation: types.SnapshotLocationEnumLocal},
		"UnsupportedOperation: aloft's local cloud does not support the parameter snapshotLocation")
	wantRemoteError(r, r.CreateImage, &ec2.CreateImageInput{
		InstanceId:        row,
		Name:              name,
		TagSpecifications: specification(types.ResourceTypeInstance, "k", "v"),
	}, "InvalidParameterValue: 'instance' is not a valid taggable resource type for this operation.")
	wantRemoteError(r, r.CreateImage, &ec2.CreateImageInput{
		InstanceId:        row,
		Name:              name,
		TagSpecifications: specification(types.ResourceTypeImage, "aws:k", "v"),
	}, "InvalidParameterValue: Tag keys starting with 'aws:' are reserved for internal use")
	wantRemoteError(r, r.CreateImage, &ec2.CreateImageInput{
		InstanceId: row, Name: name, DryRun: aws.Bool(true),
	}, dryRun)
	id := *doRemote(r, r.CreateImage, &ec2.CreateImageInput{
		InstanceId: row, Name: name, NoReboot: aws.Bool(true),
	}).ImageId
	if made, ok := store.Images.Get(r.cloud.Store.View(), id); !ok || !made.NoReboot {
		t.Errorf("NoReboot is not stored: %+v", made)
	}
	wantRemoteError(r, r.CreateImage, &ec2.CreateImageInput{InstanceId: row, Name: name},
		"InvalidAMIName.Duplicate: AMI name web is already in use by AMI "+id)
	wantRemoteError(r, r.RunInstances, launchOne(id), "InvalidAMIID.Unavailable:")
}

func TestCreateImageTagsImageAndSnapshot(t *testing.T) {
	r := newRemote(t)
	id := r.image("web-1", "Name", "web")
	item := doRemote(r, r.DescribeImages, &ec2.DescribeImagesInput{ImageIds: []string{id}}).Images[0]
	snapshot := doRemote(r, r.DescribeSnapshots, &ec2.DescribeSnapshotsInput{
		SnapshotIds: []string{*item.BlockDeviceMappings[0].Ebs.SnapshotId},
	}).Snapshots[0]
	if len(item.Tags) != 1 || len(snapshot.Tags) != 1 || *item.Tags[0].Value != "web" ||
		*snapshot.Tags[0].Key != "Name" {
		t.Errorf("tags %v and %v", item.Tags, snapshot.Tags)
	}
}

func TestDeregisterImage(t *testing.T) {
	r := newRemote(t)
	public, id, other := r.cloud.availableImage(), r.image("web-1"), r.image("web-2")
	wantRemoteError(r, r.DeregisterImage, &ec2.DeregisterImageInput{},
		"MissingParameter: The request must contain the parameter imageId")
	wantRemoteError(r, r.DeregisterImage, &ec2.DeregisterImageInput{ImageId: &public},
		"AuthFailure: Not authorized for images: ["+public+"]")
	wantRemoteError(r, r.DeregisterImage, &ec2.DeregisterImageInput{ImageId: &id, DryRun: aws.Bool(true)}, dryRun)
	snapshot := doRemote(r, r.DescribeImages,
		&ec2.DescribeImagesInput{ImageIds: []string{id}}).Images[0].BlockDeviceMappings[0].Ebs.SnapshotId
	wantRemoteError(r, r.DeleteSnapshot, &ec2.DeleteSnapshotInput{SnapshotId: snapshot},
		"InvalidSnapshot.InUse: The snapshot "+*snapshot+" is currently in use by "+id)
	doRemote(r, r.DeregisterImage, &ec2.DeregisterImageInput{ImageId: &id})
	wantRemoteError(r, r.DeregisterImage, &ec2.DeregisterImageInput{ImageId: &id},
		"InvalidAMIID.NotFound: The image id '["+id+"]' does not exist")
	wantRemoteError(r, r.DeleteSnapshot, &ec2.DeleteSnapshotInput{SnapshotId: snapshot, DryRun: aws.Bool(true)}, dryRun)
	doRemote(r, r.DeleteSnapshot, &ec2.DeleteSnapshotInput{SnapshotId: snapshot})
	out := doRemote(r, r.DeregisterImage,
		&ec2.DeregisterImageInput{ImageId: &other, DeleteAssociatedSnapshots: aws.Bool(true)})
	if len(out.DeleteSnapshotResults) != 1 ||
		out.DeleteSnapshotResults[0].ReturnCode != types.SnapshotReturnCodesSuccess {
		t.Errorf("snapshots: %+v", out.DeleteSnapshotResults)
	}
	own := &ec2.DescribeSnapshotsInput{OwnerIds: []string{"self"}}
	if left := doRemote(r, r.DescribeSnapshots, own).Snapshots; len(left) > 0 {
		t.Errorf("snapshots left: %+v", left)
	}
}
