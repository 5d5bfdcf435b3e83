//go:build linux

package program

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/resource"
)

// LocalCloud is a running local cloud that belongs to one test.
type LocalCloud struct {
	Program
	API    *awsapi.Client
	Before string // its KernelObjects before the local cloud started
}

// Start starts a local cloud. When the test ends, Start resets the local cloud
// and fails the test if anything remains in the kernel.
func Start(t *testing.T) *LocalCloud {
	t.Helper()
	c := newLocalCloud(t)
	c.start(t)
	return c
}

func newLocalCloud(t *testing.T) *LocalCloud {
	t.Helper()
	p := New(t)
	return &LocalCloud{Program: p, Before: p.KernelObjects(t)}
}

func (c *LocalCloud) start(t *testing.T) {
	t.Helper()
	LendImages(t, c.State, "debian-12")
	t.Cleanup(func() {
		c.Must(t, "local", "reset", "--yes")
		if left := Added(c.Before, c.KernelObjects(t)); left != "" {
			t.Errorf("left behind:\n%s", left)
		}
	})
	c.Must(t, "local", "start", "--address", LocalAddress)
	c.API = c.Client(t)
}

// StartAfter runs check before it starts a local cloud as Start does. check sees
// a host on which nothing has started yet.
func StartAfter(t *testing.T, name string, check func(*testing.T, *LocalCloud)) *LocalCloud {
	t.Helper()
	c := newLocalCloud(t)
	t.Run(name, func(t *testing.T) { check(t, c) })
	c.start(t)
	return c
}

// TemporaryRules counts the security group rules that let a deployer in over SSH.
func (c *LocalCloud) TemporaryRules(t *testing.T) (n int) {
	t.Helper()
	found, err := c.API.EC2.DescribeSecurityGroupRules(t.Context(), &ec2.DescribeSecurityGroupRulesInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range found.SecurityGroupRules {
		if aws.ToString(rule.Description) == resource.TemporaryRule {
			n++
		}
	}
	return n
}

// tagged filters by the tag that all resources of an application carry.
func tagged(app string) []types.Filter {
	return []types.Filter{{Name: aws.String("tag:aloft:app"), Values: []string{app}}}
}

// NothingTagged checks that EC2 has no resource of the application any longer.
// EC2 lists terminated instances, their interfaces and deleted NAT gateways for a while.
func (c *LocalCloud) NothingTagged(t *testing.T, app string) {
	t.Helper()
	found, err := c.API.EC2.DescribeTags(t.Context(), &ec2.DescribeTagsInput{Filters: tagged(app)})
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range found.Tags {
		switch tag.ResourceType {
		case types.ResourceTypeInstance, types.ResourceTypeNetworkInterface, types.ResourceTypeNatgateway:
		default:
			t.Errorf("left: %s %s", tag.ResourceType, aws.ToString(tag.ResourceId))
		}
	}
}

// NoImage checks that EC2 has no image of the application.
func (c *LocalCloud) NoImage(t *testing.T, app string) {
	t.Helper()
	found, err := c.API.EC2.DescribeImages(t.Context(), &ec2.DescribeImagesInput{
		Owners: []string{"self"}, Filters: tagged(app),
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Images) != 0 {
		t.Errorf("image %s exists", aws.ToString(found.Images[0].ImageId))
	}
}
