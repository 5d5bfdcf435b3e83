package resource

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/diag"
)

// publisher is a Parameter Store whose public parameters have their names as values. It
// has none for Ubuntu on arm64.
type publisher struct{ SSM }

func (publisher) GetParameter(
	_ context.Context, in *ssm.GetParameterInput, _ ...func(*ssm.Options),
) (*ssm.GetParameterOutput, error) {
	if strings.Contains(*in.Name, "canonical") && strings.Contains(*in.Name, "arm64") {
		return nil, &types.ParameterNotFound{}
	}
	return &ssm.GetParameterOutput{Parameter: &types.Parameter{Value: in.Name}}, nil
}

// ownImage is an image API with one image, of arm64.
type ownImage struct{ imageAPI }

func (ownImage) DescribeImages(
	context.Context, *ec2.DescribeImagesInput, ...func(*ec2.Options),
) (*ec2.DescribeImagesOutput, error) {
	return &ec2.DescribeImagesOutput{Images: []ec2types.Image{
		{Name: aws.String("debian-12-arm64-1"), Architecture: ec2types.ArchitectureValuesArm64},
	}}, nil
}

func TestBaseImageIsOfTheInstanceTypesArchitecture(t *testing.T) {
	c := Cloud{Region: "us-west-2", SSM: publisher{}, EC2: EC2{imageAPI: ownImage{}}}
	for _, test := range []struct {
		image string
		a     Architecture
		want  string // ID or part of the problem
	}{
		{"debian-12", x8664, "/aws/service/debian/release/12/latest/amd64"},
		{"debian-12", arm64, "/aws/service/debian/release/12/latest/arm64"},
		{"ubuntu-24.04", x8664, "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"},
		{"ubuntu-24.04", arm64, "image ubuntu-24.04 is not offered for arm64 in us-west-2"},
		{"amazon-linux-2023", x8664, "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"},
		{"amazon-linux-2023", arm64, "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"},
		{"ami-1", arm64, "ami-1"},
		{"ami-1", x8664, "image ami-1 is arm64, and machines.type is x86_64"},
	} {
		got, err := c.FindBaseImage(t.Context(), test.image, test.a)
		if err != nil {
			if list := diag.From(err); list[0].Summary != test.want || list[0].Hint == "" {
				t.Errorf("%s for %s: %v", test.image, test.a, list)
			}
		} else if got.ID != test.want || got.User == "" {
			t.Errorf("%s for %s: got %+v", test.image, test.a, got)
		} else if name, a := SplitBaseName(got.Name); name != test.image || a != test.a {
			t.Errorf("%s for %s: its name %s stands for %s, %s", test.image, test.a, got.Name, name, a)
		}
	}
}

func TestTagNamesTheLoginUserOfAnImportedImage(t *testing.T) {
	tagged := ec2types.Image{
		Name: aws.String("debian-of-mine"),
		Tags: []ec2types.Tag{{Key: aws.String("Name"), Value: aws.String("x")}, {
			Key: aws.String(TagUser), Value: aws.String("root"),
		}},
	}
	if got := loginUser(tagged); got != "root" {
		t.Errorf("login user %q, want root", got)
	}
	if got := loginUser(ec2types.Image{Name: aws.String("mine")}); got != "" {
		t.Errorf("login user %q of an unknown image", got)
	}
}
