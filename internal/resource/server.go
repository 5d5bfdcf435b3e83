package resource

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

const (
	// startLimit is how long an instance may take to run, and to be terminated.
	startLimit = 10 * time.Minute
	// tagServed marks an instance that has been healthy behind the load balancer. If
	// it is unhealthy later, it is broken and not still starting.
	tagServed = "aloft:served"
	// tagProven marks a candidate on which the application was proven.
	tagProven = "aloft:proven"
)

var serverKind = kind{
	name:   stack.KindServer,
	find:   findServers,
	create: createServer,
	update: updated((*Provisioner).updateServer),
	remove: (*Provisioner).deleteServer,
}

func findServers(ctx context.Context, d *discovery) ([]plan.Found, error) {
	instances, err := d.findInstances(ctx)
	return instances.servers, err
}

// createServer launches an instance of the release's image, or of the base image
// if there is no such image.
func createServer(
	ctx context.Context,
	p *Provisioner,
	r stack.Resource,
	old []plan.Found,
) (plan.Found, error) {
	body := r.Body.(stack.Server)
	l := launch{resource: r, body: body, image: p.BaseImage.ID, release: tag{stack.TagBuilds, body.Release}}
	if image, ok := p.Known(stack.AddressImage); ok {
		l.image, l.release = image.ID, tag{stack.TagRelease, body.Release}
	}
	if err := p.waitImageAvailable(ctx, r.Address, l.image); err != nil {
		return plan.Found{}, err
	}
	id, err := p.launch(ctx, l, old)
	if err != nil {
		return plan.Found{}, err
	}
	f, err := p.waitRunning(ctx, r.Address, id)
	if err == nil && body.Proof {
		err = p.prove(ctx, f)
	}
	return f, err
}

// waitRunning waits until an instance runs and has a public IP address.
func (p *Provisioner) waitRunning(ctx context.Context, address, id string) (plan.Found, error) {
	var f plan.Found
	err := awsapi.Wait(ctx, startLimit, "instance "+id+" to run", func(ctx context.Context) (bool, error) {
		list, err := p.EC2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
		if awsapi.IsNotFound(err) || err == nil && len(list.Reservations) == 0 {
			return false, nil // just launched
		}
		if err != nil {
			return false, fmt.Errorf("read instance %s: %w", id, err)
		}
		i := list.Reservations[0].Instances[0]
		f = describeInstance(i)
		if i.State.Name == types.InstanceStateNameRunning {
			return f.Status.PublicIP != "", nil
		}
		if err := startFailure(address, i); err != nil {
			return false, err
		}
		p.progress(address, "instance %s is %s", id, i.State.Name)
		return false, nil
	})
	return f, err
}

// startFailure returns an error if the instance will not run: it was terminated, or
// AWS itself stopped it (Amazon EC2 API Reference, StateReason).
func startFailure(address string, i types.Instance) error {
	reason, code := "it gave no reason", ""
	if i.StateReason != nil {
		reason, code = aws.ToString(i.StateReason.Message), aws.ToString(i.StateReason.Code)
	}
	d := &diag.Diagnostic{
		Where:   address,
		Summary: fmt.Sprintf("instance %s was terminated instead of starting", aws.ToString(i.InstanceId)),
		Detail:  reason,
	}
	switch i.State.Name {
	case types.InstanceStateNameTerminated, types.InstanceStateNameShuttingDown:
		d.Hint = "run aloft up again: it launches another"
		return d
	case types.InstanceStateNameStopped:
		if strings.HasPrefix(code, "Server.") {
			d.Hint = "fix what the reason names, then run aloft up again: it starts the machine"
			return d
		}
	}
	return nil
}

// updateServer starts a stopped instance, sets its security groups, and marks it as
// built once the image made from it is available. It proves a candidate.
func (p *Provisioner) updateServer(
	ctx context.Context,
	r stack.Resource,
	body stack.Server,
	current plan.Found,
) error {
	if state := current.Value(stack.AttrState); state != stack.StateRunning {
		if err := p.start(ctx, current.ID, state); err != nil {
			return err
		}
		f, err := p.waitRunning(ctx, r.Address, current.ID)
		if err != nil {
			return err
		}
		p.SetKnown(r.Address, f)
		current = f
	}
	groups := &ec2.ModifyInstanceAttributeInput{InstanceId: &current.ID, Groups: p.ids(body.Groups)}
	if _, err := p.EC2.ModifyInstanceAttribute(ctx, groups); err != nil {
		return fmt.Errorf("set the security groups of instance %s: %w", current.ID, err)
	}
	if body.Proof && current.Value(stack.AttrProven) != stack.Yes {
		return p.prove(ctx, current)
	}
	image, ok := p.Known(stack.AddressImage)
	if current.Value(stack.AttrBuilt) == stack.Yes || !ok {
		return nil
	}
	if err := p.waitImageAvailable(ctx, r.Address, image.ID); err != nil {
		return err
	}
	return p.markBuilt(ctx, current.ID, body.Release)
}

func (p *Provisioner) start(ctx context.Context, id, state string) error {
	if state == string(types.InstanceStateNamePending) {
		return nil
	}
	// An instance that is stopping can be started only after it has stopped.
	what := "instance " + id + " to start"
	err := awsapi.Retry(ctx, startLimit, what, awsapi.IsInUse, func(ctx context.Context) error {
		_, err := p.EC2.StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: []string{id}})
		return err
	})
	return awsapi.Wrap("start instance "+id, err)
}

// markBuilt records that a release is installed on an instance.
func (p *Provisioner) markBuilt(ctx context.Context, id, release string) error {
	return awsapi.Wrap("mark instance "+id+" as built", p.tagInstance(ctx, id, tag{stack.TagRelease, release}))
}

func (p *Provisioner) deleteServer(ctx context.Context, f plan.Found) error {
	in := &ec2.TerminateInstancesInput{InstanceIds: []string{f.ID}}
	_, err := p.EC2.TerminateInstances(ctx, in)
	if awsapi.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("terminate %s (%s): %w", f.Address, f.ID, err)
	}
	what := "instance " + f.ID + " to be terminated"
	return awsapi.Wait(ctx, startLimit, what, func(ctx context.Context) (bool, error) {
		list, err := p.EC2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{f.ID}})
		if awsapi.IsNotFound(err) || err == nil && len(list.Reservations) == 0 {
			return true, nil
		}
		if err != nil {
			return false, fmt.Errorf("read instance %s: %w", f.ID, err)
		}
		state := list.Reservations[0].Instances[0].State.Name
		p.progress(f.Address, "instance %s is %s", f.ID, state)
		return state == types.InstanceStateNameTerminated, nil
	})
}
