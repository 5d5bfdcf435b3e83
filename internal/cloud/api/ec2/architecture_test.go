package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestInstancesHaveTheArchitectureOfTheirImage(t *testing.T) {
	for _, test := range []struct{ image, fits, other, otherArchitecture string }{
		{"x86_64", "t3.micro", "t4g.micro", "arm64"},
		{"arm64", "m6g.large", "m5.large", "x86_64"},
	} {
		c := newCloud(t)
		in := launchOne(c.availableImage())
		if err := c.Store.Update(func(tx *store.Tx) error {
			row, _ := store.Images.Get(tx, *in.ImageId)
			changed := *row
			changed.Architecture = test.image
			store.Images.Put(tx, &changed)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		in.InstanceType = types.InstanceType(test.other)
		refusal := "InvalidParameterValue: The architecture '" + test.otherArchitecture +
			"' of the specified instance type does not match the architecture '" + test.image +
			"' of the specified AMI. Specify an instance type and an AMI that have matching architectures, and try " +
			"again. You can use 'describe-instance-types' or 'describe-images' to discover the architecture of the " +
			"instance type or AMI."
		wantError(c, c.RunInstances, in, refusal)

		in.InstanceType = types.InstanceType(test.fits)
		id := do(c, c.RunInstances, in).Instances[0].InstanceId
		found := do(c, c.DescribeInstances, &ec2.DescribeInstancesInput{
			Filters: []types.Filter{filter("architecture", test.image)},
		})
		if len(found.Reservations) != 1 || string(found.Reservations[0].Instances[0].Architecture) != test.image {
			t.Errorf("%s: the instance is %+v", test.image, found.Reservations)
		}
		if err := c.Store.Update(func(tx *store.Tx) error {
			row, _ := store.Instances.Get(tx, *id)
			stopped := *row
			stopped.State = store.Stopped
			store.Instances.Put(tx, &stopped)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		image := do(c, c.CreateImage, &ec2.CreateImageInput{
			InstanceId: id, Name: aws.String("mine"), NoReboot: aws.Bool(true),
		}).ImageId
		images := do(c, c.DescribeImages, &ec2.DescribeImagesInput{ImageIds: []string{*image}}).Images
		if string(images[0].Architecture) != test.image {
			t.Errorf("the image of an instance of %s is of %s", test.image, images[0].Architecture)
		}
		wantError(c, c.ModifyInstanceAttribute, &ec2.ModifyInstanceAttributeInput{
			InstanceId: id, InstanceType: &types.AttributeValue{Value: &test.other},
		}, refusal)
	}
}
