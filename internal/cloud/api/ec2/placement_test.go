package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestAStoppedInstanceMovesAmongPlacementGroups(t *testing.T) {
	c := newCloud(t)
	group := func(name string, strategy types.PlacementStrategy) *string {
		in := &ec2.CreatePlacementGroupInput{GroupName: &name, Strategy: strategy}
		return do(c, c.CreatePlacementGroup, in).PlacementGroup.GroupId
	}
	cluster, spread := group("cluster", types.PlacementStrategyCluster), group("spread", types.PlacementStrategySpread)
	group("partition", types.PlacementStrategyPartition)
	id := c.launch(nil).InstanceId
	move := func(change func(*ec2.ModifyInstancePlacementInput)) *ec2.ModifyInstancePlacementInput {
		in := &ec2.ModifyInstancePlacementInput{InstanceId: id}
		change(in)
		return in
	}
	toName := func(name string, partition *int32) *ec2.ModifyInstancePlacementInput {
		return move(func(in *ec2.ModifyInstancePlacementInput) { in.GroupName, in.PartitionNumber = &name, partition })
	}
	where := func() types.Placement {
		in := &ec2.DescribeInstancesInput{InstanceIds: []string{*id}}
		return *do(c, c.DescribeInstances, in).Reservations[0].Instances[0].Placement
	}
	wantError(c, c.ModifyInstancePlacement, toName("spread", nil),
		"IncorrectInstanceState: The instance '"+*id+"' is not in the 'stopped' state.")
	c.observe(*id, store.Stopped)
	wantError(c, c.ModifyInstancePlacement, move(func(in *ec2.ModifyInstancePlacementInput) {}),
		"InvalidRequest: The request has no attribute to modify.")
	wantError(c, c.ModifyInstancePlacement, toName("absent", nil),
		"InvalidPlacementGroup.Unknown: The Placement Group 'absent' is unknown.")
	if _, err := c.ModifyInstancePlacement(c.ctx, move(func(in *ec2.ModifyInstancePlacementInput) {
		in.GroupId = cluster
	})); code(err) != "InvalidParameterCombination" {
		t.Errorf("a t3.micro in a cluster: got %v", err)
	}
	do(c, c.ModifyInstancePlacement, move(func(in *ec2.ModifyInstancePlacementInput) { in.GroupId = spread }))
	if got := where(); *got.GroupName != "spread" || *got.GroupId != *spread || got.PartitionNumber != nil {
		t.Errorf("the instance is in %+v", got)
	}
	if _, err := c.ModifyInstancePlacement(c.ctx, toName("spread", aws.Int32(1))); err == nil {
		t.Error("a spread group has a partition")
	}
	do(c, c.ModifyInstancePlacement, toName("partition", aws.Int32(2)))
	do(c, c.ModifyInstancePlacement, move(func(in *ec2.ModifyInstancePlacementInput) {
		in.PartitionNumber = aws.Int32(1)
	}))
	if got := where(); *got.GroupName != "partition" || *got.PartitionNumber != 1 {
		t.Errorf("the instance is in %+v", got)
	}
	do(c, c.ModifyInstancePlacement, toName("", nil))
	if got := where(); *got.GroupName != "" || got.GroupId != nil || got.PartitionNumber != nil {
		t.Errorf("the instance is in %+v", got)
	}
	if _, err := c.ModifyInstancePlacement(c.ctx, move(func(in *ec2.ModifyInstancePlacementInput) {
		in.Tenancy = types.HostTenancyHost
	})); code(err) != "UnsupportedOperation" && code(err) != "InvalidParameterCombination" {
		t.Errorf("a dedicated host: got %v", err)
	}
}
