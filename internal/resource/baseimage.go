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
	Name string // as the spec gives it, with the architecture: "debian-12", "debian-12-arm64", or by id
	User string // login user with sudo; "" if it is not known
}

// baseImages are the base images that have names: the public SSM parameters in
// which their publishers announce the newest image of a region for an architecture, and
// their login users (Debian wiki, "Amazon EC2 Image: Bookworm"; Ubuntu on AWS documentation,
// "Find Ubuntu images on AWS"; Amazon Linux 2023 User Guide, "Get started").
var baseImages = map[string]struct {
	parameter func(Architecture) string
	user      string
}{
	"debian-12": {
		func(a Architecture) string { return "/aws/service/debian/release/12/latest/" + a.debian() },
		"admin",
	},
	"debian-13": {
		func(a Architecture) string { return "/aws/service/debian/release/13/latest/" + a.debian() },
		"admin",
	},
	"ubuntu-24.04": {
		func(a Architecture) string {
			return "/aws/service/canonical/ubuntu/server/24.04/stable/current/" + a.debian() + "/hvm/ebs-gp3/ami-id"
		},
		"ubuntu",
	},
	"amazon-linux-2023": {
		func(a Architecture) string {
			return "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-" + string(a)
		},
		"ec2-user",
	},
}

// FindBaseImage returns the base image that a spec names, by one of the known names
// or by the id of an image. Instance types of an architecture can be launched from it.
func (c *Cloud) FindBaseImage(ctx context.Context, name string, a Architecture) (BaseImage, error) {
	if strings.HasPrefix(name, "ami-") {
		return c.baseImageByID(ctx, name, a)
	}
	base, ok := baseImages[name]
	if !ok {
		return BaseImage{}, fmt.Errorf("find base image %q: no such name", name)
	}
	parameter := base.parameter(a)
	value, err := c.SSM.GetParameter(ctx, &ssm.GetParameterInput{Name: &parameter})
	if awsapi.IsNotFound(err) {
		return BaseImage{}, &diag.Diagnostic{
			Where:   "machines.image",
			Summary: fmt.Sprintf("image %s is not offered for %s in %s", name, a, c.Region),
			Detail:  "there is no public parameter " + parameter,
			Hint: "choose another machines.image, another region, or a machines.type of another architecture, " +
				"such as " + a.other(),
			Cause: err,
		}
	}
	if err != nil {
		return BaseImage{}, fmt.Errorf("find base image %s: %w", name, err)
	}
	return BaseImage{ID: aws.ToString(value.Parameter.Value), Name: a.mark(name), User: base.user}, nil
}

// LoginUser returns the user for SSH on machines of the base image that a spec names, or
// "" if it is not known.
func (c *Cloud) LoginUser(ctx context.Context, name string) (string, error) {
	if base, ok := baseImages[name]; ok {
		return base.user, nil
	}
	image, err := c.describeImage(ctx, name)
	if err != nil {
		return "", err
	}
	return loginUser(image), nil
}

// baseImageByID returns the image with the given id.
func (c *Cloud) baseImageByID(ctx context.Context, id string, a Architecture) (BaseImage, error) {
	image, err := c.describeImage(ctx, id)
	if err != nil {
		return BaseImage{}, err
	}
	if is := string(image.Architecture); is != string(a) && is != "" {
		return BaseImage{}, &diag.Diagnostic{
			Where:   "machines.image",
			Summary: fmt.Sprintf("image %s is %s, and machines.type is %s", id, is, a),
			Hint:    "choose an image and a type of one architecture, for example: type: " + a.other(),
		}
	}
	return BaseImage{ID: id, Name: a.mark(id), User: loginUser(image)}, nil
}

func (c *Cloud) describeImage(ctx context.Context, id string) (types.Image, error) {
	list, err := c.EC2.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{id}})
	if awsapi.IsNotFound(err) || err == nil && len(list.Images) == 0 {
		return types.Image{}, &diag.Diagnostic{
			Where:   "machines.image",
			Summary: fmt.Sprintf("there is no image %s in %s", id, c.Region),
			Hint:    "images belong to a region: choose one of this region",
			Cause:   err,
		}
	}
	if err != nil {
		return types.Image{}, fmt.Errorf("find base image %s: %w", id, err)
	}
	return list.Images[0], nil
}

// TagUser is the tag that names the login user of an image that was imported into the local
// cloud.
const TagUser = "aloft:user"

// loginUser returns the login user of an image, or "". A tag names it, or it follows from the
// publisher's naming (Amazon EC2 User Guide, "Default user names for AMIs"). An image that a
// user created from another keeps the other's user and may have any name.
func loginUser(image types.Image) string {
	for _, tag := range image.Tags {
		if aws.ToString(tag.Key) == TagUser {
			return aws.ToString(tag.Value)
		}
	}
	switch name := strings.ToLower(aws.ToString(image.Name)); {
	case strings.Contains(name, "debian"):
		return "admin"
	case strings.Contains(name, "ubuntu"):
		return "ubuntu"
	case strings.HasPrefix(name, "al20"), strings.HasPrefix(name, "amzn"):
		return "ec2-user"
	}
	return ""
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
