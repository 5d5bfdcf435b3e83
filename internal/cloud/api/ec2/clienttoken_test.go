package ec2

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestAClientTokenMakesARequestIdempotent(t *testing.T) {
	c := newCloud(t)
	vpc, other := c.vpc("10.0.0.0/16"), c.vpc("10.1.0.0/16")
	request := func(vpc string) *ec2.CreateRouteTableInput {
		return &ec2.CreateRouteTableInput{VpcId: &vpc, ClientToken: aws.String("token")}
	}
	first, again := do(c, c.CreateRouteTable, request(vpc)), do(c, c.CreateRouteTable, request(vpc))
	if *first.RouteTable.RouteTableId != *again.RouteTable.RouteTableId {
		t.Error("one token created two route tables")
	}
	wantError(c, c.CreateRouteTable,
		request(other),
		"IdempotentParameterMismatch: Arguments on this idempotent request are inconsistent with arguments used in "+
			"previous request(s).")
	do(c, c.DeleteRouteTable, &ec2.DeleteRouteTableInput{RouteTableId: first.RouteTable.RouteTableId})
	if anew := do(c, c.CreateRouteTable, request(other)); *anew.RouteTable.VpcId != other {
		t.Errorf("after the deletion: %+v", anew.RouteTable)
	}
}

func TestOldClientTokensAreDeleted(t *testing.T) {
	c := newCloud(t)
	now := noon
	c.Now = func() time.Time { return now }
	create := func(token string) {
		do(c, c.CreateLaunchTemplate, &ec2.CreateLaunchTemplateInput{
			LaunchTemplateName: &token,
			LaunchTemplateData: ofType("t3.micro"),
			ClientToken:        &token,
		})
	}
	for _, days := range []int{0, 1, 2, 7} {
		now = noon.AddDate(0, 0, days)
		create(fmt.Sprintf("day-%d", days))
	}
	var left []string
	for _, row := range store.ClientTokens.List(c.Store.View()) {
		left = append(left, row.Token)
	}
	if diff := cmp.Diff([]string{"day-7"}, left); diff != "" {
		t.Error(diff)
	}
	now = noon.AddDate(0, 0, 7).Add(20 * time.Hour)
	create("day-7") // remembered: no second template, and no complaint about the name
}

func TestAClientTokenLaunchesOnce(t *testing.T) {
	r := newRemote(t)
	in := launchOne(r.cloud.availableImage())
	in.ClientToken = aws.String("token")
	in.TagSpecifications = specification(types.ResourceTypeInstance, "Name", "web")
	wantRemoteError(r, r.RunInstances, &ec2.RunInstancesInput{
		ImageId:      in.ImageId,
		MinCount:     aws.Int32(1),
		MaxCount:     aws.Int32(1),
		InstanceType: in.InstanceType,
		DryRun:       aws.Bool(true),
	}, dryRun)
	first, again := doRemote(r, r.RunInstances, in), doRemote(r, r.RunInstances, in)
	if *first.Instances[0].InstanceId != *again.Instances[0].InstanceId || *first.Instances[0].Tags[0].Value != "web" {
		t.Errorf("launched %+v, then %+v", first, again)
	}
	in.MaxCount = aws.Int32(2)
	wantRemoteError(r, r.RunInstances,
		in,
		"IdempotentParameterMismatch: Arguments on this idempotent request are inconsistent with arguments used in "+
			"previous request(s).")
	if n := len(instanceIDs(doRemote(r, r.DescribeInstances, &ec2.DescribeInstancesInput{}))); n != 1 {
		t.Errorf("%d instances", n)
	}
}
