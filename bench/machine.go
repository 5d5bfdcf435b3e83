package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"aloft.dev/aloft/internal/awsapi"
)

// launch gives the time from RunInstances to the greeting of the machine's sshd,
// in seconds, and the memory of the idle machine, in MB.
func launch(ctx context.Context, client *awsapi.Client) (seconds, megabytes float64, err error) {
	parameter, err := client.SSM.GetParameter(
		ctx,
		&ssm.GetParameterInput{Name: aws.String("/aws/service/debian/release/12/latest/amd64")},
	)
	if err != nil {
		return 0, 0, fmt.Errorf("find the image: %w", err)
	}
	group, err := client.EC2.CreateSecurityGroup(
		ctx,
		&ec2.CreateSecurityGroupInput{
			GroupName:   aws.String("aloft-bench"),
			Description: aws.String("measures a launch"),
		},
	)
	if err != nil {
		return 0, 0, fmt.Errorf("open port 22: %w", err)
	}
	defer func() {
		_, problem := client.EC2.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: group.GroupId})
		err = errors.Join(err, problem)
	}()
	if _, err := client.EC2.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: group.GroupId, IpPermissions: []types.IpPermission{{
		IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22), IpRanges: []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}},
	}}}); err != nil {
		return 0, 0, fmt.Errorf("open port 22: %w", err)
	}
	began := time.Now()
	run, err := client.EC2.RunInstances(ctx, &ec2.RunInstancesInput{
		ImageId: parameter.Parameter.Value, InstanceType: types.InstanceTypeT3Micro, MinCount: aws.Int32(1), MaxCount: aws.Int32(1), SecurityGroupIds: []string{*group.GroupId},
	})
	if err != nil {
		return 0, 0, fmt.Errorf("launch: %w", err)
	}
	id := *run.Instances[0].InstanceId
	defer func() {
		_, problem := client.EC2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}})
		err = errors.Join(
			err,
			problem,
			ec2.NewInstanceTerminatedWaiter(client.EC2, func(o *ec2.InstanceTerminatedWaiterOptions) { o.MinDelay = time.Second }).
				Wait(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}}, time.Minute),
		)
	}()
	described, err := client.EC2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		return 0, 0, fmt.Errorf("find the machine: %w", err)
	}
	address := aws.ToString(described.Reservations[0].Instances[0].PublicIpAddress)
	if err := greeted(ctx, net.JoinHostPort(address, "22")); err != nil {
		return 0, 0, err
	}
	seconds = time.Since(began).Seconds()
	megabytes, err = idleMemory(id)
	return seconds, megabytes, err
}

// greeted waits for the greeting of an SSH server.
func greeted(ctx context.Context, address string) error {
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
			return fmt.Errorf("no sshd answered at %s: %w", address, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// idleMemory asks for a machine's memory once its start is over.
func idleMemory(id string) (float64, error) {
	time.Sleep(3 * time.Second) // what is measured is a machine at rest
	out, err := exec.Command(filepath.Join("bin", "aloft"), "local", "status", "--json").Output()
	if err != nil {
		return 0, fmt.Errorf("ask for the machine's memory: %w", err)
	}
	var status struct {
		Machines []struct {
			ID          string `json:"id"`
			MemoryBytes int64  `json:"memory_bytes"`
		} `json:"machines"`
	}
	if err := json.Unmarshal(out, &status); err != nil {
		return 0, fmt.Errorf("read the machine's memory: %w", err)
	}
	for _, m := range status.Machines {
		if m.ID == id {
			return float64(m.MemoryBytes) / 1e6, nil
		}
	}
	return 0, fmt.Errorf("machine %s is not among those that run", id)
}

// daemonMemory is the resident memory of the daemon in MB (proc_pid_statm(5)).
func daemonMemory() (float64, error) {
	text, err := os.ReadFile("/run/aloft/daemon.json")
	if err != nil {
		return 0, fmt.Errorf("find the daemon: %w", err)
	}
	var daemon struct {
		PID int `json:"pid"`
	}
	if err := json.Unmarshal(text, &daemon); err != nil {
		return 0, fmt.Errorf("find the daemon: %w", err)
	}
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", daemon.PID))
	if err != nil {
		return 0, fmt.Errorf("read the daemon's memory: %w", err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(statm))[1])
	return float64(pages*os.Getpagesize()) / 1e6, err
}
