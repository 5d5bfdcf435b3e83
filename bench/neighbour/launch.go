//go:build linux

package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"aloft.dev/aloft/internal/awsapi"
)

// imageParameter is the public parameter with the ID of the image to launch.
const imageParameter = "/aws/service/debian/release/12/latest/amd64"

// patience is how long anything may take that does not depend on the neighbour.
const patience = 2 * time.Minute

// listenerPort is the port of the victim's load balancer.
const listenerPort = 8098

// victim is the machine that is measured, and the way to it.
type victim struct {
	client *awsapi.Client
	image  string
	subnet string
	addr   string // private
	url    string // through a load balancer
}

// launch launches the victim and its load balancer.
func launch(ctx context.Context, client *awsapi.Client) (*victim, error) {
	parameter, err := client.SSM.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String(imageParameter)})
	if err != nil {
		return nil, fmt.Errorf("find the image: %w", err)
	}
	subnets, err := client.EC2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{})
	if err != nil || len(subnets.Subnets) < 2 {
		return nil, fmt.Errorf("find two subnets: %w", err)
	}
	groups, err := client.EC2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{})
	if err != nil || len(groups.SecurityGroups) == 0 {
		return nil, fmt.Errorf("find the security group: %w", err)
	}
	_, err = client.EC2.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: groups.SecurityGroups[0].GroupId, IpProtocol: aws.String("-1"), CidrIp: aws.String("0.0.0.0/0"),
	})
	if err != nil {
		return nil, fmt.Errorf("open all ports: %w", err)
	}
	v := &victim{client: client, image: *parameter.Parameter.Value, subnet: *subnets.Subnets[0].SubnetId}
	machine, err := v.start(ctx, victimServer)
	if err != nil {
		return nil, err
	}
	v.addr = *machine.PrivateIpAddress
	twoSubnets := []string{v.subnet, *subnets.Subnets[1].SubnetId}
	v.url, err = balance(ctx, client.ELB, machine, twoSubnets, *groups.SecurityGroups[0].GroupId)
	if err != nil {
		return nil, err
	}
	return v, ask(ctx, v.url)
}

// settling is how long an attack goes on before it is measured. Meanwhile the neighbour spends the
// processor time that it may use before others come first, and the balancer notices that it waits.
const settling = 3 * time.Second

// beside launches a neighbour in the victim's subnet, calls do while it attacks, and terminates it.
func (v *victim) beside(ctx context.Context, a attack, do func()) (err error) {
	neighbour, err := v.start(ctx, a.program(v.addr))
	if err != nil {
		return err
	}
	ids := []string{*neighbour.InstanceId}
	defer func() {
		ctx := context.WithoutCancel(ctx)
		_, endErr := v.client.EC2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: ids})
		in := &ec2.DescribeInstancesInput{InstanceIds: ids}
		everySecond := func(o *ec2.InstanceTerminatedWaiterOptions) { o.MinDelay = time.Second }
		endErr = errors.Join(endErr,
			ec2.NewInstanceTerminatedWaiter(v.client.EC2, everySecond).Wait(ctx, in, patience))
		err = errors.Join(err, endErr)
	}()
	if err := v.awaitConsole(ctx, ids[0], begun); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-time.After(settling):
	}
	do()
	return nil
}

// awaitConsole waits until a machine has written a text to its console.
func (v *victim) awaitConsole(ctx context.Context, id, text string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		out, err := v.client.EC2.GetConsoleOutput(ctx, &ec2.GetConsoleOutputInput{
			InstanceId: &id, Latest: aws.Bool(true),
		})
		if err == nil {
			console, decodeErr := base64.StdEncoding.DecodeString(aws.ToString(out.Output))
			if decodeErr == nil && strings.Contains(string(console), text) {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %q on the console of %s: %w", text, id, cmp.Or(err, ctx.Err()))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// start launches a small machine with a program as its user data, and returns it when it runs.
func (v *victim) start(ctx context.Context, program string) (ec2types.Instance, error) {
	run, err := v.client.EC2.RunInstances(ctx, &ec2.RunInstancesInput{
		ImageId: &v.image, InstanceType: ec2types.InstanceTypeT3Micro, SubnetId: &v.subnet,
		MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		UserData: aws.String(base64.StdEncoding.EncodeToString([]byte(program))),
	})
	if err != nil {
		return ec2types.Instance{}, fmt.Errorf("launch an instance: %w", err)
	}
	in := &ec2.DescribeInstancesInput{InstanceIds: []string{*run.Instances[0].InstanceId}}
	everySecond := func(o *ec2.InstanceRunningWaiterOptions) { o.MinDelay = time.Second }
	out, err := ec2.NewInstanceRunningWaiter(v.client.EC2, everySecond).WaitForOutput(ctx, in, patience)
	if err != nil {
		return ec2types.Instance{}, fmt.Errorf("wait until an instance runs: %w", err)
	}
	return out.Reservations[0].Instances[0], nil
}

// balance puts a load balancer before a machine and returns its URL.
func balance(
	ctx context.Context, client *elb.Client, machine ec2types.Instance, subnets []string, securityGroup string,
) (url string, err error) {
	group, err := client.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
		Name: aws.String("victim"), VpcId: machine.VpcId, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80),
		HealthCheckIntervalSeconds: aws.Int32(5), HealthCheckTimeoutSeconds: aws.Int32(2),
	})
	if err != nil {
		return "", fmt.Errorf("create a target group: %w", err)
	}
	target := group.TargetGroups[0].TargetGroupArn
	_, err = client.RegisterTargets(ctx, &elb.RegisterTargetsInput{
		TargetGroupArn: target, Targets: []types.TargetDescription{{Id: machine.InstanceId}},
	})
	if err != nil {
		return "", fmt.Errorf("register the victim: %w", err)
	}
	made, err := client.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
		Name: aws.String("victim"), Subnets: subnets, SecurityGroups: []string{securityGroup},
	})
	if err != nil {
		return "", fmt.Errorf("create a load balancer: %w", err)
	}
	_, err = client.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: made.LoadBalancers[0].LoadBalancerArn, Protocol: types.ProtocolEnumHttp,
		Port:           aws.Int32(listenerPort),
		DefaultActions: []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: target}},
	})
	if err != nil {
		return "", fmt.Errorf("create a listener: %w", err)
	}
	return fmt.Sprintf("http://%s:%d/", *made.LoadBalancers[0].DNSName, listenerPort), nil
}
