//go:build linux

package torture

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/test/simulation"
)

// things returns what a client changes: one of each kind.
func things(client int) (all []*thing) {
	for i, k := range []kind{
		network{}, securityGroup{}, fleet{}, volume{}, parameter{}, tags{},
		targetGroup{}, loadBalancer{}, scalingGroup{},
	} {
		t := &thing{kind: k, name: fmt.Sprintf("t%d-%d", client, i)}
		t.want = []string{absent}
		all = append(all, t)
	}
	return all
}

// network is a VPC with a tag.
type network struct{}

func (network) observe(view store.Reader, t *thing) string {
	for _, row := range store.VPCs.List(view) {
		if row.Tags["Name"] == t.name {
			t.id = row.ID
			return "there"
		}
	}
	return absent
}

func (network) steps(state string) []step {
	if state == absent {
		return []step{{"there", func(ctx context.Context, a *api, t *thing) error {
			made, err := a.ec2.CreateVpc(ctx, &ec2.CreateVpcInput{
				CidrBlock: aws.String("10.7.0.0/16"),
				TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeVpc, Tags: []types.Tag{
					{Key: aws.String("Name"), Value: &t.name},
				}}},
			})
			if err == nil {
				t.id = *made.Vpc.VpcId
			}
			return err
		}}}
	}
	return []step{{absent, func(ctx context.Context, a *api, t *thing) error {
		_, err := a.ec2.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: &t.id})
		return err
	}}}
}

// securityGroup is a group whose rules come and go together.
type securityGroup struct{}

func (securityGroup) observe(view store.Reader, t *thing) string {
	for _, row := range store.SecurityGroups.List(view) {
		if row.Name == t.name {
			t.id = row.ID
			return fmt.Sprintf("%d rules", len(row.Rules)-1) // one lets everything out
		}
	}
	return absent
}

// permissions are three rules.
var permissions = []types.IpPermission{
	permission(22), permission(80), permission(443),
}

func permission(port int32) types.IpPermission {
	return types.IpPermission{
		IpProtocol: aws.String("tcp"), FromPort: &port, ToPort: &port,
		IpRanges: []types.IpRange{{CidrIp: aws.String("192.0.2.0/24")}},
	}
}

func (securityGroup) steps(state string) []step {
	switch state {
	case absent:
		return []step{{"0 rules", func(ctx context.Context, a *api, t *thing) error {
			made, err := a.ec2.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{
				GroupName: &t.name, Description: aws.String("torture"), VpcId: &a.vpc,
			})
			if err == nil {
				t.id = *made.GroupId
			}
			return err
		}}}
	case "0 rules":
		return []step{{"3 rules", func(ctx context.Context, a *api, t *thing) error {
			_, err := a.ec2.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{
				GroupId: &t.id, IpPermissions: permissions,
			})
			return err
		}}, {absent, func(ctx context.Context, a *api, t *thing) error {
			_, err := a.ec2.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: &t.id})
			return err
		}}}
	}
	return []step{{"0 rules", func(ctx context.Context, a *api, t *thing) error {
		_, err := a.ec2.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{
			GroupId: &t.id, IpPermissions: permissions,
		})
		return err
	}}}
}

// fleet is three instances of one call with a client token. Its name is the token, and a
// new one begins when they are terminated.
type fleet struct{}

const allRunning = "3 instances, 0 terminated"

// allTerminated are instances that are to be terminated; they are listed for a while.
const allTerminated = "3 instances, 3 terminated"

func (fleet) observe(view store.Reader, t *thing) string {
	all, ended := 0, 0
	for _, row := range store.Instances.List(view) {
		if row.ClientToken != t.name {
			continue
		}
		all++
		if row.Desired == store.Terminated {
			ended++
		}
	}
	if all == 0 {
		return absent
	}
	return fmt.Sprintf("%d instances, %d terminated", all, ended)
}

func (fleet) run(ctx context.Context, a *api, t *thing) (ids []string, err error) {
	run, err := a.ec2.RunInstances(ctx, &ec2.RunInstancesInput{
		ImageId: &a.image, InstanceType: types.InstanceTypeT3Nano, MinCount: aws.Int32(3), MaxCount: aws.Int32(3),
		ClientToken: &t.name, SubnetId: &a.subnets[0],
	})
	if err != nil {
		return nil, err
	}
	for _, i := range run.Instances {
		ids = append(ids, *i.InstanceId)
	}
	return ids, nil
}

func (f fleet) steps(state string) []step {
	again := step{allRunning, func(ctx context.Context, a *api, t *thing) error {
		ids, err := f.run(ctx, a, t)
		if err == nil && len(ids) != 3 {
			return fmt.Errorf("a call with a client token answered %d instances", len(ids))
		}
		return err
	}}
	switch state {
	case absent:
		return []step{again}
	case allRunning:
		return []step{again, {allTerminated, func(ctx context.Context, a *api, t *thing) error {
			ids, err := f.run(ctx, a, t) // answers the ids again
			if err != nil {
				return err
			}
			_, err = a.ec2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: ids})
			return err
		}}}
	}
	return []step{{absent, func(_ context.Context, _ *api, t *thing) error {
		base, number, _ := strings.Cut(t.name, "/")
		n, _ := strconv.Atoi(number) // the first has none
		t.name = fmt.Sprintf("%s/%d", base, n+1)
		return nil
	}}}
}

// volume is an EBS volume, whose content is a file on real planes.
type volume struct{}

func (volume) observe(view store.Reader, t *thing) string {
	for _, row := range store.Volumes.List(view) {
		if row.Tags["Name"] == t.name {
			t.id = row.ID
			return "there"
		}
	}
	return absent
}

func (volume) steps(state string) []step {
	if state == absent {
		return []step{{"there", func(ctx context.Context, a *api, t *thing) error {
			made, err := a.ec2.CreateVolume(ctx, &ec2.CreateVolumeInput{
				AvailabilityZone: aws.String(simulation.Region + "a"), Size: aws.Int32(1),
				TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeVolume, Tags: []types.Tag{
					{Key: aws.String("Name"), Value: &t.name},
				}}},
			})
			if err == nil {
				t.id = *made.VolumeId
			}
			return err
		}}}
	}
	return []step{{absent, func(ctx context.Context, a *api, t *thing) error {
		_, err := a.ec2.DeleteVolume(ctx, &ec2.DeleteVolumeInput{VolumeId: &t.id})
		return err
	}}}
}

// parameter is a value that only grows.
type parameter struct{}

func (parameter) observe(view store.Reader, t *thing) string {
	row, ok := store.Parameters.Get(view, simulation.Region+"/"+t.name)
	if !ok {
		return absent
	}
	return row.Value
}

func (parameter) steps(state string) []step {
	n, _ := strconv.Atoi(state) // 0 while it is absent
	next := strconv.Itoa(n + 1)
	return []step{{next, func(ctx context.Context, a *api, t *thing) error {
		_, err := a.ssm.PutParameter(ctx, &ssm.PutParameterInput{
			Name: aws.String("/" + t.name), Value: &next, Type: ssmtypes.ParameterTypeString, Overwrite: aws.Bool(true),
		})
		return err
	}}}
}

// tags are a tag of three subnets, which one call sets.
type tags struct{}

func (tags) observe(view store.Reader, t *thing) string {
	var values []string
	for _, row := range store.Subnets.List(view) {
		if value, ok := row.Tags[t.name]; ok {
			values = append(values, value)
		}
	}
	if len(values) == 0 {
		return absent
	}
	return strings.Join(values, ",")
}

func (tags) steps(state string) []step {
	first, _, _ := strings.Cut(state, ",")
	n, _ := strconv.Atoi(first)
	next := strconv.Itoa(n + 1)
	set := step{next + "," + next + "," + next, func(ctx context.Context, a *api, t *thing) error {
		_, err := a.ec2.CreateTags(ctx, &ec2.CreateTagsInput{
			Resources: a.subnets[:3], Tags: []types.Tag{{Key: &t.name, Value: &next}},
		})
		return err
	}}
	if state == absent {
		return []step{set}
	}
	return []step{set, {absent, func(ctx context.Context, a *api, t *thing) error {
		_, err := a.ec2.DeleteTags(ctx, &ec2.DeleteTagsInput{
			Resources: a.subnets[:3], Tags: []types.Tag{{Key: &t.name}},
		})
		return err
	}}}
}
