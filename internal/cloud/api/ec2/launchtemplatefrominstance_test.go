package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

func TestGetLaunchTemplateDataDescribesAnInstance(t *testing.T) {
	c := newCloud(t)
	image := c.availableImage()
	in := launchOne(image)
	in.UserData, in.TagSpecifications = encoded(3), specification("instance", "a", "1")
	item := do(c, c.RunInstances, in).Instances[0]
	data := do(c, c.GetLaunchTemplateData,
		&ec2.GetLaunchTemplateDataInput{InstanceId: item.InstanceId}).LaunchTemplateData
	if *data.ImageId != image || data.InstanceType != "t3.micro" || *data.UserData != *encoded(3) ||
		len(data.NetworkInterfaces) != 1 ||
		*data.NetworkInterfaces[0].SubnetId != *item.SubnetId ||
		len(data.TagSpecifications) != 1 ||
		*data.BlockDeviceMappings[0].DeviceName != "/dev/xvda" {
		t.Errorf("got %+v", data)
	}
	wantError(c, c.GetLaunchTemplateData,
		&ec2.GetLaunchTemplateDataInput{InstanceId: aws.String("i-0123456789abcdef0")},
		"InvalidInstanceID.NotFound: The instance ID 'i-0123456789abcdef0' does not exist")
}
