package ec2

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// ownImage returns an available image of the account.
func (r *remote) ownImage(name string) string {
	r.t.Helper()
	id := r.image(name)
	r.edit(func(tx *store.Tx) {
		store.Images.Edit(tx, id, func(row *store.Image) { row.State = "available" })
		row, _ := store.Images.Get(tx, id)
		store.Snapshots.Edit(tx, row.SnapshotID, func(row *store.Snapshot) { row.State = "completed" })
	})
	return id
}

func (r *remote) describedImage(id string) types.Image {
	r.t.Helper()
	return doRemote(r, r.DescribeImages, &ec2.DescribeImagesInput{ImageIds: []string{id}}).Images[0]
}

func TestImagesAreDeprecated(t *testing.T) {
	r := newRemote(t)
	base := r.cloud.availableImage()
	id := r.ownImage("web")
	for want, at := range map[string]time.Time{
		"InvalidParameterValue: Value (2026-11-23T11:00:00.000Z) for parameter deprecateAt is invalid. " +
			"The time is in the past.": noon.Add(-time.Hour),
		"InvalidParameterValue: Value (2036-11-24T12:00:00.000Z) for parameter deprecateAt is invalid. The time is " +
			"after 2036-11-23T12:00:00.000Z.": noon.AddDate(10, 0, 1),
	} {
		in := &ec2.EnableImageDeprecationInput{ImageId: &id, DeprecateAt: &at}
		wantRemoteError(r, r.EnableImageDeprecation, in, want)
	}
	at := noon.Add(90*time.Minute + 20*time.Second)
	doRemote(r, r.EnableImageDeprecation, &ec2.EnableImageDeprecationInput{ImageId: &id, DeprecateAt: &at})
	if got := aws.ToString(r.describedImage(id).DeprecationTime); got != "2026-11-23T13:30:00.000Z" {
		t.Errorf("the image is deprecated at %q", got)
	}
	row, _ := store.Images.Get(r.cloud.Store.View(), id)
	all := &ec2.DescribeImagesInput{}
	for _, test := range []struct {
		at      time.Time
		account string
		in      *ec2.DescribeImagesInput
		want    bool
	}{
		{at, identity.Account, all, true}, // it is the account's own
		{at.Add(-time.Minute), "111122223333", all, true},
		{at, "111122223333", all, false},
		{at, "111122223333", &ec2.DescribeImagesInput{IncludeDeprecated: aws.Bool(true)}, true},
		{at, "111122223333", &ec2.DescribeImagesInput{ImageIds: []string{id}}, true},
	} {
		if got := listed(row, identity.RegionOf(test.account, home), test.in, test.at); got != test.want {
			t.Errorf("listed at %v to %s: %t, want %t", test.at, test.account, got, test.want)
		}
	}
	copied := doRemote(r, r.CopyImage, &ec2.CopyImageInput{
		SourceImageId: &id, SourceRegion: aws.String(home), Name: aws.String("copy"),
	})
	if got := r.describedImage(*copied.ImageId).DeprecationTime; got != nil {
		t.Errorf("the copy is deprecated at %s", *got)
	}
	doRemote(r, r.DisableImageDeprecation, &ec2.DisableImageDeprecationInput{ImageId: &id})
	if r.describedImage(id).DeprecationTime != nil {
		t.Error("the deprecation is not cancelled")
	}
	wantRemoteError(r, r.EnableImageDeprecation, &ec2.EnableImageDeprecationInput{ImageId: &base, DeprecateAt: &at},
		"AuthFailure: Not authorized for images: ["+base+"]")
}

func TestProtectedImagesAreNotDeregistered(t *testing.T) {
	r := newRemote(t)
	id := r.ownImage("web")
	deregister := &ec2.DeregisterImageInput{ImageId: &id}
	protection := func() string {
		out := doRemote(r, r.DescribeImageAttribute, &ec2.DescribeImageAttributeInput{
			ImageId: &id, Attribute: types.ImageAttributeNameDeregistrationProtection,
		})
		return *out.DeregistrationProtection.Value
	}
	if got := protection(); got != "disabled" {
		t.Errorf("a new image has the protection %s", got)
	}
	out := doRemote(r, r.EnableImageDeregistrationProtection, &ec2.EnableImageDeregistrationProtectionInput{
		ImageId: &id, WithCooldown: aws.Bool(true),
	})
	if *out.Return != "enabled-with-cooldown" || protection() != *out.Return {
		t.Errorf("got %s, then %s", *out.Return, protection())
	}
	wantRemoteError(r, r.DeregisterImage, deregister, "OperationNotPermitted:")
	disable := &ec2.DisableImageDeregistrationProtectionInput{ImageId: &id}
	if got := *doRemote(r, r.DisableImageDeregistrationProtection, disable).Return; got !=
		"disabled-until-2026-11-24T12:00:00Z" {
		t.Errorf("got %s", got)
	}
	wantRemoteError(r, r.DeregisterImage, deregister, "OperationNotPermitted:")
	r.cloud.Now = func() time.Time { return noon.Add(24 * time.Hour) }
	doRemote(r, r.DeregisterImage, deregister)
}

func TestDisabledImagesLaunchNothing(t *testing.T) {
	r := newRemote(t)
	id := r.ownImage("web")
	doRemote(r, r.ModifyImageAttribute, &ec2.ModifyImageAttributeInput{
		ImageId: &id, LaunchPermission: &types.LaunchPermissionModifications{
			Add: []types.LaunchPermission{{UserId: aws.String("111122223333")}},
		},
	})
	doRemote(r, r.DisableImage, &ec2.DisableImageInput{ImageId: &id})
	wantRemoteError(r, r.RunInstances, launchOne(id), "InvalidAMIID.Unavailable:")
	own := &ec2.DescribeImagesInput{Owners: []string{"self"}}
	if found := doRemote(r, r.DescribeImages, own).Images; len(found) != 0 {
		t.Errorf("found %d images", len(found))
	}
	own.IncludeDisabled = aws.Bool(true)
	if found := doRemote(r, r.DescribeImages, own).Images; len(found) != 1 || found[0].State != "disabled" {
		t.Errorf("found %+v", found)
	}
	doRemote(r, r.EnableImage, &ec2.EnableImageInput{ImageId: &id})
	doRemote(r, r.RunInstances, launchOne(id))
	if row, _ := store.Images.Get(r.cloud.Store.View(), id); row.Public || len(row.Users) > 0 {
		t.Errorf("the image is still shared: %+v", row)
	}
}

func TestADeregisteredImageIsMissedAfterAWhile(t *testing.T) {
	c := newCloud(t)
	kept := c.availableImage()
	id := do(c, c.CreateImage, &ec2.CreateImageInput{
		Name: aws.String("own"), InstanceId: aws.String(c.runningInstance()),
	}).ImageId
	do(c, c.DeregisterImage, &ec2.DeregisterImageInput{ImageId: id})
	named := func(ids ...string) []types.Image {
		return do(c, c.DescribeImages, &ec2.DescribeImagesInput{ImageIds: ids}).Images
	}
	if left := named(*id); len(left) != 0 {
		t.Errorf("the image itself: %+v", left)
	}
	if left := named(*id, kept); len(left) != 1 || *left[0].ImageId != kept {
		t.Errorf("with another image: %+v", left)
	}
	wantError(c, c.RunInstances, &ec2.RunInstancesInput{
		ImageId: id, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
	}, "InvalidAMIID.NotFound: The image id '["+*id+"]' does not exist")
	c.Now = func() time.Time { return noon.Add(2 * time.Hour) }
	wantError(c, c.DescribeImages, &ec2.DescribeImagesInput{ImageIds: []string{*id}},
		"InvalidAMIID.NotFound: The image id '["+*id+"]' does not exist")
}
