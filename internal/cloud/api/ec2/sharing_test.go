package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/cloud/store"
)

// launchers returns who may launch instances of an image.
func launchers(r *remote, id string) []types.LaunchPermission {
	r.t.Helper()
	return doRemote(r, r.DescribeImageAttribute, &ec2.DescribeImageAttributeInput{
		ImageId: &id, Attribute: types.ImageAttributeNameLaunchPermission,
	}).LaunchPermissions
}

func TestModifyImageAttributeSharesAnImage(t *testing.T) {
	r := newRemote(t)
	id := r.image("web-1")
	for _, step := range []struct {
		change ec2.ModifyImageAttributeInput
		want   []string
	}{
		{ec2.ModifyImageAttributeInput{LaunchPermission: &types.LaunchPermissionModifications{
			Add: []types.LaunchPermission{{UserId: aws.String("444455556666")}, {UserId: aws.String("111122223333")}},
		}}, []string{"111122223333", "444455556666"}},
		{ec2.ModifyImageAttributeInput{LaunchPermission: &types.LaunchPermissionModifications{
			Add:    []types.LaunchPermission{{Group: types.PermissionGroupAll}, {UserId: aws.String("111122223333")}},
			Remove: []types.LaunchPermission{{UserId: aws.String("444455556666")}},
		}}, []string{"all", "111122223333"}},
		{ec2.ModifyImageAttributeInput{
			Attribute: aws.String("launchPermission"), OperationType: types.OperationTypeRemove,
			UserGroups: []string{"all"},
		}, []string{"111122223333"}},
		{ec2.ModifyImageAttributeInput{
			Attribute: aws.String("launchPermission"), OperationType: types.OperationTypeAdd,
			UserIds: []string{"777788889999"},
		}, []string{"111122223333", "777788889999"}},
	} {
		step.change.ImageId = &id
		doRemote(r, r.ModifyImageAttribute, &step.change)
		got := list(launchers(r, id), func(p types.LaunchPermission) string {
			return aws.ToString(p.UserId) + string(p.Group)
		})
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Error(diff)
		}
	}
	doRemote(r, r.ResetImageAttribute, &ec2.ResetImageAttributeInput{
		ImageId: &id, Attribute: types.ResetImageAttributeNameLaunchPermission,
	})
	if got := launchers(r, id); len(got) > 0 {
		t.Errorf("after a reset: %v", got)
	}
}

func TestModifyImageAttributeDescribesAnImage(t *testing.T) {
	r := newRemote(t)
	id := r.image("web-1")
	for want, in := range map[string]*ec2.ModifyImageAttributeInput{
		"one": {Description: &types.AttributeValue{Value: aws.String("one")}},
		"two": {Attribute: aws.String("description"), Value: aws.String("two")},
		"":    {Attribute: aws.String("description")},
	} {
		in.ImageId = &id
		doRemote(r, r.ModifyImageAttribute, in)
		row, _ := store.Images.Get(r.cloud.Store.View(), id)
		if row.Description != want {
			t.Errorf("the description is %q, want %q", row.Description, want)
		}
	}
}

func TestModifyImageAttributeRefusals(t *testing.T) {
	r := newRemote(t)
	public := r.cloud.availableImage()
	id := r.image("web-1")
	add := func(p types.LaunchPermission) *types.LaunchPermissionModifications {
		return &types.LaunchPermissionModifications{Add: []types.LaunchPermission{p}}
	}
	for want, in := range map[string]*ec2.ModifyImageAttributeInput{
		"MissingParameter: The request must contain the parameter imageId": {},
		"InvalidParameterCombination: No attributes specified.":            {ImageId: &id},
		"InvalidParameterCombination: Fields for multiple attribute types specified: description, launchPermission": {
			ImageId: &id, Description: &types.AttributeValue{Value: aws.String("x")},
			LaunchPermission: add(types.LaunchPermission{Group: types.PermissionGroupAll}),
		},
		`InvalidAMIAttributeItemValue: Invalid attribute item value "1" for userId item type.`: {
			ImageId: &id, LaunchPermission: add(types.LaunchPermission{UserId: aws.String("1")}),
		},
		`InvalidAMIAttributeItemValue: Invalid attribute item value "everyone" for group item type.`: {
			ImageId: &id, LaunchPermission: add(types.LaunchPermission{Group: "everyone"}),
		},
		"InvalidParameterValue: Value (kernel) for parameter attribute is invalid. Unknown attribute.": {
			ImageId: &id, Attribute: aws.String("kernel"),
		},
		"MissingParameter: The request must contain the parameter operationType": {
			ImageId: &id, Attribute: aws.String("launchPermission"), UserIds: []string{"111122223333"},
		},
		"AuthFailure: Not authorized for images: [" + public + "]": {
			ImageId: &public, LaunchPermission: add(types.LaunchPermission{UserId: aws.String("111122223333")}),
		},
		"UnsupportedOperation:": {ImageId: &id, ProductCodes: []string{"x"}},
		dryRun: {
			ImageId: &id, Description: &types.AttributeValue{Value: aws.String("x")}, DryRun: aws.Bool(true),
		},
	} {
		wantRemoteError(r, r.ModifyImageAttribute, in, want)
	}
	wantRemoteError(r, r.ResetImageAttribute, &ec2.ResetImageAttributeInput{ImageId: &id, Attribute: "x"},
		"InvalidParameterValue: Value (x) for parameter attribute is invalid. Unknown attribute.")
}

func TestModifySnapshotAttributeSharesASnapshot(t *testing.T) {
	r := newRemote(t)
	image := r.image("web-1")
	row, _ := store.Images.Get(r.cloud.Store.View(), image)
	id := row.SnapshotID
	creators := func() []string {
		return list(doRemote(r, r.DescribeSnapshotAttribute, &ec2.DescribeSnapshotAttributeInput{
			SnapshotId: &id, Attribute: types.SnapshotAttributeNameCreateVolumePermission,
		}).CreateVolumePermissions, func(p types.CreateVolumePermission) string {
			return aws.ToString(p.UserId) + string(p.Group)
		})
	}
	share := func(p ...types.CreateVolumePermission) *ec2.ModifySnapshotAttributeInput {
		return &ec2.ModifySnapshotAttributeInput{
			SnapshotId: &id, CreateVolumePermission: &types.CreateVolumePermissionModifications{Add: p},
		}
	}
	user := types.CreateVolumePermission{UserId: aws.String("111122223333")}
	doRemote(r, r.ModifySnapshotAttribute, share(user, types.CreateVolumePermission{Group: types.PermissionGroupAll}))
	if diff := cmp.Diff([]string{"all", "111122223333"}, creators()); diff != "" {
		t.Error(diff)
	}
	doRemote(r, r.ModifySnapshotAttribute, &ec2.ModifySnapshotAttributeInput{
		SnapshotId: &id, Attribute: types.SnapshotAttributeNameCreateVolumePermission,
		OperationType: types.OperationTypeRemove, GroupNames: []string{"all"},
	})
	if diff := cmp.Diff([]string{"111122223333"}, creators()); diff != "" {
		t.Error(diff)
	}
	doRemote(r, r.ResetSnapshotAttribute, &ec2.ResetSnapshotAttributeInput{
		SnapshotId: &id, Attribute: types.SnapshotAttributeNameCreateVolumePermission,
	})
	if got := creators(); len(got) > 0 {
		t.Errorf("after a reset: %v", got)
	}
	r.edit(func(tx *store.Tx) {
		store.Snapshots.Edit(tx, id, func(row *store.Snapshot) { row.Encrypted = true })
	})
	wantRemoteError(r, r.ModifySnapshotAttribute, share(user),
		"OperationNotPermitted: Encrypted snapshots with EBS default key cannot be shared")
	wantRemoteError(r, r.ModifySnapshotAttribute, share(types.CreateVolumePermission{UserId: aws.String("me")}),
		`InvalidAMIAttributeItemValue: Invalid attribute item value "me" for userId item type.`)
	wantRemoteError(r, r.ModifySnapshotAttribute,
		&ec2.ModifySnapshotAttributeInput{SnapshotId: &id, Attribute: types.SnapshotAttributeNameProductCodes},
		"InvalidParameterValue: Value (productCodes) for parameter attribute is invalid. Unknown attribute.")
	wantRemoteError(r, r.ResetSnapshotAttribute, &ec2.ResetSnapshotAttributeInput{SnapshotId: &id},
		"MissingParameter: The request must contain the parameter attribute")
}
