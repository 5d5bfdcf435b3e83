package drill

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
)

// isRunning reports whether an instance exists and runs.
func (d *Drill) isRunning(ctx context.Context, instanceID string) (bool, error) {
	in := &ec2.DescribeInstancesInput{InstanceIds: []string{instanceID}}
	found, err := d.cfg.Client.EC2.DescribeInstances(ctx, in)
	if awsapi.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the state of %s: %w", instanceID, err)
	}
	for _, r := range found.Reservations {
		for _, i := range r.Instances {
			return i.State != nil && i.State.Name == types.InstanceStateNameRunning, nil
		}
	}
	return false, nil
}

// terminate terminates an instance. Without a shutdown in order its connections fall silent,
// as those of a machine whose host fails.
func (d *Drill) terminate(ctx context.Context, instanceID string, inOrder bool) error {
	in := &ec2.TerminateInstancesInput{InstanceIds: []string{instanceID}}
	if !inOrder {
		in.SkipOsShutdown = aws.Bool(true)
	}
	_, err := d.cfg.Client.EC2.TerminateInstances(ctx, in)
	return awsapi.Wrap("terminate "+instanceID, err)
}
