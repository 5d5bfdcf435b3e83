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
	// startLimit is how long an instance may take to run, and to be terminated. The
	// local cloud may build its base image first.
	startLimit = 20 * time.Minute
	// addressLimit is the age at which a running instance without a public address
	// counts as one that will not get any.
	addressLimit = 2 * time.Minute
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
	l.tags = []tag{l.release, {stack.TagBaseName, p.BaseImage.Name}}
	if image, ok := p.Known(stack.AddressImage); ok {
		l.image, l.release = image.ID, tag{stack.TagRelease, body.Release}
		l.tags = []tag{l.release}
	}
	if body.Private {
		l.tags = append(l.tags, tag{stack.TagPrivate, stack.Yes})
	}
	if env := p.environment(body.Identity); env != "" {
		l.tags = append(l.tags, tag{stack.TagEnvironment, env})
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

// waitRunning waits until an instance runs and has a public IP address, unless it is
// private.
func (p *Provisioner) waitRunning(ctx context.Context, address, id string) (plan.Found, error) {
	var f plan.Found
	began := time.Now()
	err := awsapi.Wait(ctx, startLimit, "instance "+id+" to run", func(ctx context.Context) (bool, error) {
		list, err := p.EC2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
		if err != nil {
			return false, ignoreNotFound("read instance "+id, err)
		}
		i, ok := onlyInstance(list)
		if !ok {
			return false, nil // just launched
		}
		f = describeInstance(i)
		if i.State.Name == types.InstanceStateNameRunning {
			addressed := f.Status.PublicIP != "" || f.Status.Private
			if !addressed && time.Since(began) > addressLimit {
				return false, &diag.Diagnostic{
					Where:   address,
					Summary: fmt.Sprintf("instance %s runs, but EC2 gave it no public address", id),
					Hint:    "run aloft up again: it launches another in its place",
				}
			}
			return addressed, nil
		}
		if err := startFailure(address, i); err != nil {
			return false, err
		}
		p.progress(address, "instance %s is %s", id, stateOf(i))
		return false, nil
	})
	return f, err
}

// onlyInstance returns the instance in the answer to a query for one. ok is false if
// there is none, or it has no state.
func onlyInstance(list *ec2.DescribeInstancesOutput) (instance types.Instance, ok bool) {
	for _, r := range list.Reservations {
		for _, i := range r.Instances {
			return i, i.State != nil
		}
	}
	return types.Instance{}, false
}

// stateOf returns an instance's state, with the reason if there is one that says more.
func stateOf(i types.Instance) string {
	state := string(i.State.Name)
	if i.StateReason == nil {
		return state
	}
	if reason := aws.ToString(i.StateReason.Message); reason != "" && reason != state {
		return state + ": " + reason
	}
	return state
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
	if err := p.setSecurityGroups(ctx, current.ID, p.ids(body.Groups)); err != nil {
		return err
	}
	if err := p.setIdentity(ctx, r.Address, body.Identity, current); err != nil {
		return err
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

func (p *Provisioner) setSecurityGroups(ctx context.Context, id string, groups []string) error {
	return retryEventual(ctx, "set the security groups of instance "+id, func(ctx context.Context) error {
		_, err := p.EC2.ModifyInstanceAttribute(ctx, &ec2.ModifyInstanceAttributeInput{InstanceId: &id, Groups: groups})
		return err
	})
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
	// An instance that is young may be unknown at some of EC2's places, and listed at others.
	young := func(err error) bool {
		return awsapi.IsNotFound(err) && !olderThan(f.Created, eventualLimit, time.Now())
	}
	terminate := fmt.Sprintf("terminate %s (%s)", f.Address, f.ID)
	err := awsapi.Retry(ctx, invisibleLimit, terminate, young, func(ctx context.Context) error {
		_, err := p.EC2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{f.ID}})
		return err
	})
	switch {
	case awsapi.IsNotFound(err):
		return nil
	case awsapi.Code(err) == "OperationNotPermitted":
		return &diag.Diagnostic{
			Where:   f.Address,
			Summary: "instance " + f.ID + " is protected against termination",
			Detail:  awsapi.Message(err),
			Hint: "if it may go: aws ec2 modify-instance-attribute --no-disable-api-termination --instance-id " + f.ID +
				"; then run the same command again",
			Cause: err,
		}
	case err != nil:
		return fmt.Errorf("%s: %w", terminate, err)
	}
	what := "instance " + f.ID + " to be terminated"
	return awsapi.Wait(ctx, startLimit, what, func(ctx context.Context) (bool, error) {
		list, err := p.EC2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{f.ID}})
		if awsapi.IsNotFound(err) {
			return true, nil
		}
		if err != nil {
			return false, fmt.Errorf("read instance %s: %w", f.ID, err)
		}
		i, ok := onlyInstance(list)
		if !ok {
			return true, nil
		}
		state := i.State.Name
		p.progress(f.Address, "instance %s is %s", f.ID, state)
		return state == types.InstanceStateNameTerminated, nil
	})
}
