//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"aloft.dev/aloft/internal/awsapi"
)

// imageParameter is the public parameter with the ID of the image to launch.
const imageParameter = "/aws/service/debian/release/12/latest/amd64"

// measureLaunch launches an instance. It returns the time from RunInstances to the
// greeting of the machine's sshd, in seconds, and the memory of the idle machine, in MB.
func measureLaunch(ctx context.Context, client *awsapi.Client) (seconds, megabytes float64, err error) {
	parameter, err := client.SSM.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String(imageParameter)})
	if err != nil {
		return 0, 0, fmt.Errorf("find the image: %w", err)
	}
	securityGroup, err := createSecurityGroup(ctx, client.EC2)
	if err != nil {
		return 0, 0, err
	}
	defer func() {
		_, deleteErr := client.EC2.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: &securityGroup})
		err = errors.Join(err, deleteErr)
	}()
	began := time.Now()
	run, err := client.EC2.RunInstances(ctx, &ec2.RunInstancesInput{
		ImageId: parameter.Parameter.Value, InstanceType: types.InstanceTypeT3Micro,
		MinCount: aws.Int32(1), MaxCount: aws.Int32(1), SecurityGroupIds: []string{securityGroup},
	})
	if err != nil {
		return 0, 0, fmt.Errorf("launch an instance: %w", err)
	}
	instance := *run.Instances[0].InstanceId
	defer func() { err = errors.Join(err, terminate(ctx, client.EC2, instance)) }()
	described, err := client.EC2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{instance}})
	if err != nil {
		return 0, 0, fmt.Errorf("describe the instance: %w", err)
	}
	address := aws.ToString(described.Reservations[0].Instances[0].PublicIpAddress)
	if err := waitForGreeting(ctx, net.JoinHostPort(address, "22")); err != nil {
		return 0, 0, err
	}
	seconds = time.Since(began).Seconds()
	megabytes, err = idleMemory(instance)
	return seconds, megabytes, err
}

// createSecurityGroup creates a security group that allows SSH, and returns its ID.
func createSecurityGroup(ctx context.Context, client *ec2.Client) (string, error) {
	created, err := client.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{
		GroupName: aws.String("aloft-bench"), Description: aws.String("measures a launch"),
	})
	if err != nil {
		return "", fmt.Errorf("create a security group: %w", err)
	}
	ssh := types.IpPermission{
		IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22),
		IpRanges: []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}},
	}
	_, err = client.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: created.GroupId, IpPermissions: []types.IpPermission{ssh},
	})
	if err != nil {
		_, deleteErr := client.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: created.GroupId})
		return "", errors.Join(fmt.Errorf("open port 22: %w", err), deleteErr)
	}
	return *created.GroupId, nil
}

// terminate terminates an instance and waits until it is terminated.
func terminate(ctx context.Context, client *ec2.Client, instance string) error {
	_, err := client.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{instance}})
	everySecond := func(o *ec2.InstanceTerminatedWaiterOptions) { o.MinDelay = time.Second }
	waiter := ec2.NewInstanceTerminatedWaiter(client, everySecond)
	waitErr := waiter.Wait(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{instance}}, time.Minute)
	return errors.Join(err, waitErr)
}

// waitForGreeting waits for the greeting of an SSH server.
func waitForGreeting(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		conn, err := (&net.Dialer{Timeout: 100 * time.Millisecond}).DialContext(ctx, "tcp", address)
		if err == nil {
			line, err := bufio.NewReader(conn).ReadString('\n')
			_ = conn.Close()
			if err == nil && strings.HasPrefix(line, "SSH-") {
				return nil
			}
		}
		if ctx.Err() != nil {
			return fmt.Errorf("wait for sshd at %s: %w", address, errors.Join(ctx.Err(), err))
		}
		time.Sleep(5 * time.Millisecond)
	}
}
