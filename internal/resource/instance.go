package resource

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// usableStates are the states of instances that run or can be started.
var usableStates = []string{"pending", "running", "stopping", "stopped"}

type instanceAPI interface {
	DescribeInstances(
		context.Context, *ec2.DescribeInstancesInput, ...func(*ec2.Options),
	) (*ec2.DescribeInstancesOutput, error)
	RunInstances(context.Context, *ec2.RunInstancesInput, ...func(*ec2.Options)) (*ec2.RunInstancesOutput, error)
	StartInstances(context.Context, *ec2.StartInstancesInput, ...func(*ec2.Options)) (*ec2.StartInstancesOutput, error)
	ModifyInstanceAttribute(
		context.Context, *ec2.ModifyInstanceAttributeInput, ...func(*ec2.Options),
	) (*ec2.ModifyInstanceAttributeOutput, error)
	TerminateInstances(
		context.Context, *ec2.TerminateInstancesInput, ...func(*ec2.Options),
	) (*ec2.TerminateInstancesOutput, error)
	GetConsoleOutput(
		context.Context, *ec2.GetConsoleOutputInput, ...func(*ec2.Options),
	) (*ec2.GetConsoleOutputOutput, error)
}

// instances are the application's instances and their registrations with the
// target group.
type instances struct {
	servers, members, targets []plan.Found
}

// groupsOf returns the ids of an instance's security groups: those of its network
// interfaces, which EC2 lists with the instance as well.
func groupsOf(i types.Instance) []string {
	all := i.SecurityGroups
	for _, n := range i.NetworkInterfaces {
		all = append(all, n.Groups...)
	}
	ids := make([]string, len(all))
	for n, g := range all {
		ids[n] = aws.ToString(g.GroupId)
	}
	return ids
}

// findInstances returns the application's instances: those that Aloft launched and
// the members of Auto Scaling groups. An instance that its group has detached is a
// server that no stack describes.
func (d *discovery) findInstances(ctx context.Context) (instances, error) {
	return d.instances.get(func() (found instances, err error) {
		// One after the other: the finds of other kinds have started the queries that
		// follow the first one.
		all, err := d.listInstances(ctx)
		if err != nil {
			return found, err
		}
		groups, err := d.findScalingGroups(ctx)
		if err != nil {
			return found, err
		}
		health, err := d.findTargetHealth(ctx)
		if err != nil {
			return found, err
		}
		found.servers, found.members = splitMembers(all, groups, health)
		for i := range found.servers {
			markUnreachable(&found.servers[i], d.now)
		}
		for arn, list := range health {
			found.targets = append(found.targets, registeredTargets(arn, list, found.servers, d.now)...)
		}
		return found, nil
	})
}

// markUnreachable marks a running server without a public address as broken, unless it is
// private. EC2 gives an instance its address when it starts, and never later.
func markUnreachable(f *plan.Found, now time.Time) {
	if f.Value(stack.AttrState) == stack.StateRunning && f.Status.PublicIP == "" && !f.Status.Private &&
		olderThan(f.Created, addressLimit, now) {
		f.Broken = "it has no public address"
	}
}

func (c *Cloud) listInstances(ctx context.Context) ([]plan.Found, error) {
	list, err := collect(
		ctx,
		ec2.NewDescribeInstancesPaginator(c.EC2, &ec2.DescribeInstancesInput{
			Filters: append(c.tagged(), awsapi.Filter("instance-state-name", usableStates...)),
		}),
		func(page *ec2.DescribeInstancesOutput) []types.Instance {
			var instances []types.Instance
			for _, r := range page.Reservations {
				instances = append(instances, r.Instances...)
			}
			return instances
		},
	)
	if err != nil {
		return nil, fmt.Errorf("list instances: %w", err)
	}
	return describe(list, describeInstance), nil
}

// taggedWith returns the ids of an instance and of what was created with it.
func taggedWith(i types.Instance) []string {
	ids := []string{aws.ToString(i.InstanceId)}
	for _, d := range i.BlockDeviceMappings {
		if d.Ebs != nil && aws.ToBool(d.Ebs.DeleteOnTermination) {
			ids = append(ids, aws.ToString(d.Ebs.VolumeId))
		}
	}
	for _, n := range i.NetworkInterfaces {
		if n.Attachment != nil && aws.ToBool(n.Attachment.DeleteOnTermination) {
			ids = append(ids, aws.ToString(n.NetworkInterfaceId))
		}
	}
	return ids
}

func describeInstance(i types.Instance) plan.Found {
	f := foundByTags(stack.KindServer, i.InstanceId, i.Tags)
	f.Name = f.Address
	f.Status.TagIDs = taggedWith(i)
	f.Created = aws.ToTime(i.LaunchTime).UTC().Format(time.RFC3339)
	f.Set(stack.AttrSubnet, aws.ToString(i.SubnetId))
	f.Set(stack.AttrType, string(i.InstanceType))
	f.Set(stack.AttrKeyPair, cmp.Or(aws.ToString(i.KeyName), stack.NoKeyPair))
	f.Set(stack.AttrSecurityGroups, groupsOf(i)...)
	if i.IamInstanceProfile != nil {
		f.Set(stack.AttrProfile, profileName(aws.ToString(i.IamInstanceProfile.Arn)))
	}
	if env := tagValue(i.Tags, stack.TagEnvironment); env != "" {
		f.Set(stack.AttrEnvironment, env)
	}
	release := tagValue(i.Tags, stack.TagRelease)
	f.Set(stack.AttrRelease, cmp.Or(release, tagValue(i.Tags, stack.TagBuilds)))
	f.Set(stack.AttrBuilt, yesNo(release != ""))
	f.Set(stack.AttrProven, cmp.Or(tagValue(i.Tags, tagProven), stack.No))
	if f.Status.BaseName = tagValue(i.Tags, stack.TagBaseName); f.Status.BaseName != "" {
		f.Status.Base = aws.ToString(i.ImageId)
	}
	state := ""
	if i.State != nil {
		state = string(i.State.Name)
	}
	f.Set(stack.AttrState, state)
	f.Status.InstanceStatus = plan.InstanceStatus{
		PrivateIP:    aws.ToString(i.PrivateIpAddress),
		PublicIP:     aws.ToString(i.PublicIpAddress),
		Private:      tagValue(i.Tags, stack.TagPrivate) != "",
		Served:       tagValue(i.Tags, tagServed) != "",
		ScalingGroup: tagValue(i.Tags, tagScalingGroup),
		HostKey:      tagValue(i.Tags, stack.TagHostKey),
	}
	if i.Placement != nil {
		f.Status.Zone = aws.ToString(i.Placement.AvailabilityZone)
	}
	return f
}
