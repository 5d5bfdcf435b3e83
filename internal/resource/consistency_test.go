package resource

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"

	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// laggingCloud knows and shows what was done only after a while, as AWS may.
type laggingCloud struct {
	EC2
	ELB
	since time.Time
	lag   time.Duration
}

func (c *laggingCloud) knows() bool { return time.Since(c.since) >= c.lag }

func (c *laggingCloud) CreateTargetGroup(
	_ context.Context, in *elb.CreateTargetGroupInput, _ ...func(*elb.Options),
) (*elb.CreateTargetGroupOutput, error) {
	if !c.knows() {
		return nil, &smithy.GenericAPIError{
			Code: "ValidationError", Message: "The VPC ID '" + *in.VpcId + "' is not found",
		}
	}
	return &elb.CreateTargetGroupOutput{
		TargetGroups: []elbtypes.TargetGroup{{TargetGroupArn: aws.String("arn"), TargetGroupName: in.Name}},
	}, nil
}

func (c *laggingCloud) ModifyTargetGroupAttributes(
	context.Context, *elb.ModifyTargetGroupAttributesInput, ...func(*elb.Options),
) (*elb.ModifyTargetGroupAttributesOutput, error) {
	if time.Since(c.since) < 2*c.lag {
		return nil, &elbtypes.TargetGroupNotFoundException{}
	}
	return &elb.ModifyTargetGroupAttributesOutput{}, nil
}

func (c *laggingCloud) ModifySubnetAttribute(
	context.Context, *ec2.ModifySubnetAttributeInput, ...func(*ec2.Options),
) (*ec2.ModifySubnetAttributeOutput, error) {
	return &ec2.ModifySubnetAttributeOutput{}, nil
}

func (c *laggingCloud) DescribeSubnets(
	context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options),
) (*ec2.DescribeSubnetsOutput, error) {
	return &ec2.DescribeSubnetsOutput{Subnets: []types.Subnet{{MapPublicIpOnLaunch: aws.Bool(c.knows())}}}, nil
}

func (c *laggingCloud) TerminateInstances(
	context.Context, *ec2.TerminateInstancesInput, ...func(*ec2.Options),
) (*ec2.TerminateInstancesOutput, error) {
	if !c.knows() {
		return nil, &smithy.GenericAPIError{Code: "InvalidInstanceID.NotFound"}
	}
	return &ec2.TerminateInstancesOutput{}, nil
}

func (c *laggingCloud) DescribeInstances(
	context.Context, *ec2.DescribeInstancesInput, ...func(*ec2.Options),
) (*ec2.DescribeInstancesOutput, error) {
	gone := types.Instance{State: &types.InstanceState{Name: types.InstanceStateNameTerminated}}
	return &ec2.DescribeInstancesOutput{Reservations: []types.Reservation{{Instances: []types.Instance{gone}}}}, nil
}

// lagging returns a provisioner for a cloud that lags from now on.
func lagging(lag time.Duration) (*Provisioner, *laggingCloud) {
	c := &laggingCloud{since: time.Now(), lag: lag}
	p := &Provisioner{
		Cloud: Cloud{
			App: "shop",
			EC2: EC2{subnetAPI: c, instanceAPI: c},
			ELB: ELB{targetGroupAPI: c},
		},
		Events: func(event.Event) {},
	}
	p.SetKnown(stack.AddressVPC, plan.Found{ID: "vpc-1"})
	return p, c
}

func TestATargetGroupWaitsUntilItsVPCIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := lagging(10 * time.Second)
		r := stack.Resource{Address: stack.AddressTargetGroup, Body: stack.TargetGroup{
			GroupName: "shop-1", VPC: stack.Ref{Address: stack.AddressVPC, Property: "id"},
		}}
		if _, err := p.Create(t.Context(), r, nil); err != nil {
			t.Error(err)
		}
		if took := time.Since(c.since); took < 20*time.Second {
			t.Errorf("took %s, but the group itself is known only after 20s", took)
		}
	})
}

func TestASubnetIsReadyWhenItShowsThatItGivesPublicAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := lagging(10 * time.Second)
		if err := p.setPublicAddresses(t.Context(), "subnet-1", true); err != nil {
			t.Error(err)
		}
		if took := time.Since(c.since); took < 10*time.Second {
			t.Errorf("took %s, but EC2 shows the change only after 10s", took)
		}
	})
}

// A run that was killed after a launch is followed by one that deletes the instance.
func TestAYoungInstanceThatIsNotKnownYetIsTerminated(t *testing.T) {
	for _, test := range []struct {
		age  time.Duration
		took time.Duration // at least
	}{{0, 10 * time.Second}, {time.Hour, 0}} {
		synctest.Test(t, func(t *testing.T) {
			p, c := lagging(10 * time.Second)
			created := c.since.Add(-test.age).UTC().Format(time.RFC3339)
			if err := p.deleteServer(t.Context(), plan.Found{ID: "i-1", Created: created}); err != nil {
				t.Error(err)
			}
			if took := time.Since(c.since); took < test.took || test.took == 0 && took > 0 {
				t.Errorf("age %s: took %s", test.age, took)
			}
		})
	}
}

// silentCloud has instances that print nothing on their consoles.
type silentCloud struct {
	EC2
	terminated []types.Reservation
}

// DescribeInstances is asked for terminated instances alone.
func (c silentCloud) DescribeInstances(
	context.Context, *ec2.DescribeInstancesInput, ...func(*ec2.Options),
) (*ec2.DescribeInstancesOutput, error) {
	return &ec2.DescribeInstancesOutput{Reservations: c.terminated}, nil
}

func (silentCloud) GetConsoleOutput(
	context.Context, *ec2.GetConsoleOutputInput, ...func(*ec2.Options),
) (*ec2.GetConsoleOutputOutput, error) {
	return &ec2.GetConsoleOutputOutput{}, nil
}

func TestAMachineThatDoesNotExistIsGivenUpEarly(t *testing.T) {
	for _, test := range []struct {
		dial error
		says string
		want time.Duration
		text string
	}{
		{errors.New("no route to host"), "", silentLimit, "port 22 of 203.0.113.1 cannot be reached"},
		{nil, "", silentLimit, "port 22 of 203.0.113.1 cannot be reached"},
		{nil, "HTTP/1.1 400", silentLimit, "port 22 of 203.0.113.1 cannot be reached"},
		{nil, "SSH-2.0-OpenSSH", consoleLimit, "shows its SSH host keys"},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := &Provisioner{
				Cloud: Cloud{EC2: EC2{instanceAPI: silentCloud{}}}, Events: func(event.Event) {},
				Dial: func(context.Context, string, string) (net.Conn, error) {
					if test.dial != nil {
						return nil, test.dial
					}
					ours, theirs := net.Pipe()
					go func() {
						_, _ = theirs.Write([]byte(test.says))
						_ = theirs.Close()
					}()
					return ours, nil
				},
			}
			began := time.Now()
			_, err := p.hostKeys(t.Context(), "server-1", plan.Found{ID: "i-1"}, func() error {
				return p.unreachable(t.Context(), "i-1", "server-1", netip.MustParseAddr("203.0.113.1"))
			})
			if took := time.Since(began); took.Round(time.Minute) != test.want || err == nil ||
				!strings.Contains(err.Error(), test.text) {
				t.Errorf("dial %v: after %s: %v", test.dial, took, err)
			}
		})
	}
}

func TestATerminatedMachineIsGivenUpAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &Provisioner{
			Cloud:  Cloud{EC2: EC2{instanceAPI: silentCloud{terminated: make([]types.Reservation, 1)}}},
			Events: func(event.Event) {},
		}
		began := time.Now()
		_, err := p.hostKeys(t.Context(), "server-1", plan.Found{ID: "i-1"}, nil)
		if took := time.Since(began); took > 0 || err == nil || !strings.Contains(err.Error(), "i-1 was terminated") {
			t.Errorf("after %s: %v", took, err)
		}
	})
}

// An endpoint may list an instance's security groups with its network interface alone.
func TestSecurityGroupsOfAnInstance(t *testing.T) {
	group := []types.GroupIdentifier{{GroupId: aws.String("sg-1")}}
	for name, i := range map[string]types.Instance{
		"both":      {SecurityGroups: group, NetworkInterfaces: []types.InstanceNetworkInterface{{Groups: group}}},
		"interface": {NetworkInterfaces: []types.InstanceNetworkInterface{{Groups: group}}},
		"instance":  {SecurityGroups: group},
	} {
		f := describeInstance(i)
		if got := f.Values(stack.AttrSecurityGroups); len(got) != 1 || got[0] != "sg-1" {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestARunningServerWithoutAnAddressIsBroken(t *testing.T) {
	now := time.Now()
	for _, test := range []struct {
		state, address string
		age            time.Duration
		broken         bool
	}{
		{"running", "", time.Hour, true},
		{"running", "", time.Second, false},
		{"running", "203.0.113.1", time.Hour, false},
		{"stopped", "", time.Hour, false},
		{"pending", "", time.Hour, false},
	} {
		f := plan.Found{Created: now.Add(-test.age).UTC().Format(time.RFC3339)}
		f.Set(stack.AttrState, test.state)
		f.Status.PublicIP = test.address
		markUnreachable(&f, now)
		if (f.Broken != "") != test.broken {
			t.Errorf("%+v: got %q", test, f.Broken)
		}
	}
}
