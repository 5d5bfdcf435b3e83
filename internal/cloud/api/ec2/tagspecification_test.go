package ec2

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func TestTagSpecificationsAreValidated(t *testing.T) {
	c := newCloud(t)
	var many []string
	for i := range 51 {
		many = append(many, fmt.Sprint("k", i), "v")
	}
	for want, tags := range map[string][]types.TagSpecification{
		"InvalidParameterValue: 'subnet' is not a valid taggable resource type for this operation.": specification(
			"subnet", "k", "v",
		),
		"InvalidParameterValue: Tag specification resource type must have a value": specification("", "k", "v"),
		"InvalidParameterValue: Tag keys starting with 'aws:' are reserved for internal use": specification(
			"vpc", "aws:k", "v",
		),
		"InvalidParameterValue: Duplicate tag key 'k' specified.": specification("vpc", "k", "v", "k", "w"),
		"InvalidParameterValue: Tag key exceeds the maximum length of 128 characters": specification(
			"vpc", strings.Repeat("k", 129), "v",
		),
		"InvalidParameterValue: Tag value exceeds the maximum length of 256 characters": specification(
			"vpc", "k", strings.Repeat("v", 257),
		),
		"TagLimitExceeded: The maximum number of Tags for a resource has been reached.": specification("vpc", many...),
	} {
		wantError(c, c.CreateVpc,
			&ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16"), TagSpecifications: tags}, want)
	}
}
