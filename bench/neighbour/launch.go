//go:build linux

package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
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

// places are the URLs of the two machines.
type places struct {
	victim    string // through a load balancer
	neighbour string // at its public address
}

// launch launches the victim, its load balancer and the neighbour, all in one subnet.
func launch(ctx context.Context, client *awsapi.Client) (p places, err error) {
	parameter, err := client.SSM.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String(imageParameter)})
	if err != nil {
		return p, fmt.Errorf("find the image: %w", err)
	}
	subnets, err := client.EC2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{})
	if err != nil || len(subnets.Subnets) < 2 {
		return p, fmt.Errorf("find two subnets: %w", err)
	}
	groups, err := client.EC2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{})
	if err != nil || len(groups.SecurityGroups) == 0 {
		return p, fmt.Errorf("find the security group: %w", err)
	}
	_, err = client.EC2.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: groups.SecurityGroups[0].GroupId, IpProtocol: aws.String("-1"), CidrIp: aws.String("0.0.0.0/0"),
	})
	if err != nil {
		return p, fmt.Errorf("open all ports: %w", err)
	}
	image, subnet := *parameter.Parameter.Value, *subnets.Subnets[0].SubnetId
	victim, err := start(ctx, client.EC2, image, subnet, victimServer)
	if err != nil {
		return p, err
	}
	neighbour, err := start(ctx, client.EC2, image, subnet, neighbourProgram(*victim.PrivateIpAddress))
	if err != nil {
		return p, err
	}
	p.neighbour = "http://" + aws.ToString(neighbour.PublicIpAddress)
	twoSubnets := []string{subnet, *subnets.Subnets[1].SubnetId}
	p.victim, err = balance(ctx, client.ELB, victim, twoSubnets, *groups.SecurityGroups[0].GroupId)
	if err != nil {
		return p, err
	}
	return p, errors.Join(ask(ctx, p.victim), ask(ctx, p.neighbour+"/stop"))
}

// start launches a small machine with a program as its user data, and returns it when it runs.
func start(ctx context.Context, client *ec2.Client, image, subnet, program string) (ec2types.Instance, error) {
	run, err := client.RunInstances(ctx, &ec2.RunInstancesInput{
		ImageId: &image, InstanceType: ec2types.InstanceTypeT3Micro, SubnetId: &subnet,
		MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		UserData: aws.String(base64.StdEncoding.EncodeToString([]byte(program))),
	})
	if err != nil {
		return ec2types.Instance{}, fmt.Errorf("launch an instance: %w", err)
	}
	in := &ec2.DescribeInstancesInput{InstanceIds: []string{*run.Instances[0].InstanceId}}
	everySecond := func(o *ec2.InstanceRunningWaiterOptions) { o.MinDelay = time.Second }
	out, err := ec2.NewInstanceRunningWaiter(client, everySecond).WaitForOutput(ctx, in, patience)
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
