package resource

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
)

// BaseImage is the image that builders are launched from.
type BaseImage struct {
	ID   string
	Name string // as the spec gives it: "debian-12", or the id
	User string // login user with sudo; "" if it is not known
}

// baseImages are the base images that have names: the public SSM parameters in
// which their publishers announce the newest image of a region, and their login
// users (Debian wiki, "Amazon EC2 Image: Bookworm"; Ubuntu on AWS documentation,
// "Find Ubuntu images on AWS"; Amazon Linux 2023 User Guide, "Get started").
var baseImages = map[string]struct{ parameter, user string }{
	"debian-12": {"/aws/service/debian/release/12/latest/amd64", "admin"},
	"debian-13": {"/aws/service/debian/release/13/latest/amd64", "admin"},
	"ubuntu-24.04": {
		"/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id",
		"ubuntu",
	},
	"amazon-linux-2023": {"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64", "ec2-user"},
}

// FindBaseImage returns the base image that a spec names, by one of the known names
// or by the id of an image.
func (c *Cloud) FindBaseImage(ctx context.Context, name string) (BaseImage, error) {
	if strings.HasPrefix(name, "ami-") {
		return c.baseImageByID(ctx, name)
	}
	base, ok := baseImages[name]
	if !ok {
		return BaseImage{}, fmt.Errorf("find base image %q: no such name", name)
	}
	value, err := c.SSM.GetParameter(ctx, &ssm.GetParameterInput{Name: &base.parameter})
	if awsapi.IsNotFound(err) {
		return BaseImage{}, &diag.Diagnostic{
			Where:   "machines.image",
			Summary: fmt.Sprintf("image %s is not offered in %s", name, c.Region),
			Detail:  "there is no public parameter " + base.parameter,
			Hint:    "choose another machines.image or another region",
			Cause:   err,
		}
	}
	if err != nil {
		return BaseImage{}, fmt.Errorf("find base image %s: %w", name, err)
	}
	return BaseImage{ID: aws.ToString(value.Parameter.Value), Name: name, User: base.user}, nil
}

// baseImageByID returns the image with the given id. Its login user follows from
// the publisher's naming (Amazon EC2 User Guide, "Default user names for AMIs"). An
// image that a user created from another keeps the other's user and may have any
// name.
func (c *Cloud) baseImageByID(ctx context.Context, id string) (BaseImage, error) {
	list, err := c.EC2.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{id}})
	if awsapi.IsNotFound(err) || err == nil && len(list.Images) == 0 {
		return BaseImage{}, &diag.Diagnostic{
			Where:   "machines.image",
			Summary: fmt.Sprintf("there is no image %s in %s", id, c.Region),
			Hint:    "images belong to a region: choose one of this region",
			Cause:   err,
		}
	}
	if err != nil {
		return BaseImage{}, fmt.Errorf("find base image %s: %w", id, err)
	}
	name, user := strings.ToLower(aws.ToString(list.Images[0].Name)), ""
	switch {
	case strings.Contains(name, "debian"):
		user = "admin"
	case strings.Contains(name, "ubuntu"):
		user = "ubuntu"
	case strings.HasPrefix(name, "al20"), strings.HasPrefix(name, "amzn"):
		user = "ec2-user"
	}
	return BaseImage{ID: id, Name: id, User: user}, nil
}

// ImageExists reports whether instances can be launched from an image. Publishers
// deregister their old images.
func (c *Cloud) ImageExists(ctx context.Context, id string) (bool, error) {
	list, err := c.EC2.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{id}})
	if awsapi.IsNotFound(err) || awsapi.Code(err) == "InvalidAMIID.Unavailable" {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read base image %s: %w", id, err)
	}
	return len(list.Images) > 0 && list.Images[0].State == types.ImageStateAvailable, nil
}
