package drill

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/release"
)

// scripts are what is done on a machine, and what undoes it (systemctl(1)). A
// service that systemctl stopped is not started again by its Restart= setting.
func scripts(e Experiment, app string) (do, undo string) {
	unit := release.Unit(app)
	if e == Freeze {
		return "systemctl kill -s STOP " + unit, "systemctl kill -s CONT " + unit + " || systemctl start " + unit
	}
	return "systemctl stop " + unit, "systemctl start " + unit
}

// on runs a script on a server. ready is called when the machine is reached and
// the script is about to run.
func (d *Drill) on(ctx context.Context, server, script string, ready func()) (err error) {
	run, shut, err := d.cfg.Connect(ctx, server)
	if err != nil {
		return fmt.Errorf("reach %s: %w", server, err)
	}
	defer func() { err = errors.Join(err, shut()) }()
	ready()
	return wrap("run "+script+" on "+server, run(ctx, script))
}

// runs tells whether an instance runs.
func (d *Drill) runs(ctx context.Context, instanceID string) (bool, error) {
	found, err := d.cfg.Client.EC2.DescribeInstances(
		ctx,
		&ec2.DescribeInstancesInput{InstanceIds: []string{instanceID}},
	)
	if awsapi.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at %s: %w", instanceID, err)
	}
	for _, r := range found.Reservations {
		for _, i := range r.Instances {
			return i.State != nil && i.State.Name == types.InstanceStateNameRunning, nil
		}
	}
	return false, nil
}

func (d *Drill) terminate(ctx context.Context, instanceID string) error {
	_, err := d.cfg.Client.EC2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{instanceID}})
	return wrap("terminate "+instanceID, err)
}
