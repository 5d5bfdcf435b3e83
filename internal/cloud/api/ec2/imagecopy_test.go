package ec2

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestCopyImageCopiesTheContent(t *testing.T) {
	r := newRemote(t)
	id := r.image("web-1", "k", "v", "own", "yes")
	source, _ := store.Images.Get(r.cloud.Store.View(), id)
	region := aws.String(source.Region.Name())
	in := func(edit func(*ec2.CopyImageInput)) *ec2.CopyImageInput {
		in := &ec2.CopyImageInput{SourceImageId: &id, SourceRegion: region, Name: aws.String("web-2")}
		if edit != nil {
			edit(in)
		}
		return in
	}
	wantRemoteError(r, r.CopyImage, in(nil), "InvalidRequest: The image "+id+" is not available for copying.")
	err := r.cloud.Store.Update(func(tx *store.Tx) error {
		store.Images.Edit(tx, id, func(i *store.Image) { i.State = "available" })
		store.Snapshots.Edit(tx, source.SnapshotID, func(s *store.Snapshot) { s.Layers = []string{"base", "layer"} })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	const dependency = "InvalidParameterDependency: The parameter KmsKeyId requires the parameter Encrypted to be set."
	for want, edit := range map[string]func(*ec2.CopyImageInput){
		"MissingParameter: The request must contain the parameter sourceImageId": func(in *ec2.CopyImageInput) {
			in.SourceImageId = nil
		},
		"MissingParameter: The request must contain the parameter sourceRegion": func(in *ec2.CopyImageInput) {
			in.SourceRegion = nil
		},
		"MissingParameter: The request must contain the parameter name": func(in *ec2.CopyImageInput) { in.Name = nil },
		"InvalidAMIID.NotFound: The image id '[" + id + "]' does not exist": func(in *ec2.CopyImageInput) {
			in.SourceRegion = aws.String("eu-west-3")
		},
		"InvalidAMIName.Duplicate: AMI name web-1 is already in use by AMI " + id: func(in *ec2.CopyImageInput) {
			in.Name = aws.String("web-1")
		},
		dependency: func(in *ec2.CopyImageInput) { in.KmsKeyId = aws.String("key") },
		dryRun:     func(in *ec2.CopyImageInput) { in.DryRun = aws.Bool(true) },
	} {
		wantRemoteError(r, r.CopyImage, in(edit), want)
	}
	full := in(func(in *ec2.CopyImageInput) {
		in.ClientToken, in.CopyImageTags = aws.String("token"), aws.Bool(true)
		in.TagSpecifications = append(specification(types.ResourceTypeImage, "k", "w"),
			specification(types.ResourceTypeSnapshot, "s", "t")...)
	})
	copied := *doRemote(r, r.CopyImage, full).ImageId
	if again := *doRemote(r, r.CopyImage, full).ImageId; again != copied {
		t.Errorf("the same token made %s and %s", copied, again)
	}
	image, _ := store.Images.Get(r.cloud.Store.View(), copied)
	snapshot, _ := store.Snapshots.Get(r.cloud.Store.View(), image.SnapshotID)
	if image.State != "pending" || image.Name != "web-2" || image.Tags["k"] != "w" || image.Tags["own"] != "yes" ||
		image.Architecture != source.Architecture || image.SnapshotID == source.SnapshotID {
		t.Errorf("%+v", image)
	}
	if !slices.Equal(snapshot.Layers, []string{"base", "layer"}) || snapshot.State != "pending" ||
		snapshot.Tags["s"] != "t" {
		t.Errorf("%+v", snapshot)
	}
}

func TestPublicAndSharedImagesCanBeCopied(t *testing.T) {
	r := newRemote(t)
	available := r.cloud.availableImage()
	public, _ := store.Images.Get(r.cloud.Store.View(), available)
	region := aws.String(public.Region.Name())
	in := func(name string) *ec2.CopyImageInput {
		return &ec2.CopyImageInput{SourceImageId: &public.ID, SourceRegion: region, Name: &name}
	}
	id := *doRemote(r, r.CopyImage, in("mine")).ImageId
	built, _ := store.Images.Get(r.cloud.Store.View(), id)
	if built.Base != "" || built.OwnerAlias != "" || built.Owner != built.Region.Account() || built.Public ||
		built.SourceImageID != public.ID {
		t.Errorf("copy of a public image %+v", built)
	}
	r.edit(func(tx *store.Tx) {
		store.Snapshots.Edit(tx, public.SnapshotID, func(row *store.Snapshot) { row.Layers = nil })
	})
	id = *doRemote(r, r.CopyImage, in("awaiting")).ImageId
	awaiting, _ := store.Images.Get(r.cloud.Store.View(), id)
	if awaiting.Base != public.Base || awaiting.IsBase() || awaiting.State != "pending" {
		t.Errorf("copy of an image that is not built %+v", awaiting)
	}
	found := doRemote(r, r.DescribeImages, &ec2.DescribeImagesInput{Filters: []types.Filter{
		filter("source-image-id", public.ID), filter("source-image-region", *region),
	}}).Images
	if len(found) != 2 || *found[0].SourceImageId != public.ID {
		t.Errorf("found %+v", found)
	}
	for _, minutes := range []int64{0, 20, 3000} {
		timed := in("timed")
		timed.SnapshotCopyCompletionDurationMinutes = &minutes
		wantRemoteError(r, r.CopyImage, timed, "InvalidParameterValue:")
	}
}
