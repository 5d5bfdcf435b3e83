package ec2

import (
	"net/netip"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestInstancesChangeStateOnlyFromAllowedStates(t *testing.T) {
	r := newRemote(t)
	items := r.launch(2)
	id, other := *items[0].InstanceId, *items[1].InstanceId
	ids := []string{id}
	missing := "MissingParameter: The request must contain the parameter InstanceId"
	wantRemoteError(r, r.StartInstances, &ec2.StartInstancesInput{}, missing)
	wantRemoteError(r, r.StopInstances, &ec2.StopInstancesInput{}, missing)
	wantRemoteError(r, r.RebootInstances, &ec2.RebootInstancesInput{}, missing)
	wantRemoteError(r, r.TerminateInstances, &ec2.TerminateInstancesInput{}, missing)
	unknown := "InvalidInstanceID.NotFound: The instance ID '" + noInstance + "' does not exist"
	wantRemoteError(r, r.StartInstances, &ec2.StartInstancesInput{InstanceIds: []string{noInstance}}, unknown)
	wantRemoteError(r, r.StopInstances, &ec2.StopInstancesInput{InstanceIds: []string{noInstance}}, unknown)
	wantRemoteError(r, r.RebootInstances, &ec2.RebootInstancesInput{InstanceIds: []string{noInstance}}, unknown)
	wantRemoteError(r, r.TerminateInstances, &ec2.TerminateInstancesInput{InstanceIds: []string{"web"}},
		`InvalidInstanceID.Malformed: Invalid id: "web" (expecting "i-...")`)
	// An unknown id fails the whole request.
	wantRemoteError(r, r.TerminateInstances, &ec2.TerminateInstancesInput{
		InstanceIds: []string{id, noInstance},
	}, unknown)
	wantRemoteError(r, r.StartInstances, &ec2.StartInstancesInput{InstanceIds: ids, DryRun: aws.Bool(true)}, dryRun)
	wantRemoteError(r, r.StopInstances, &ec2.StopInstancesInput{InstanceIds: ids, DryRun: aws.Bool(true)}, dryRun)
	wantRemoteError(r, r.RebootInstances, &ec2.RebootInstancesInput{InstanceIds: ids, DryRun: aws.Bool(true)}, dryRun)
	wantRemoteError(r, r.TerminateInstances, &ec2.TerminateInstancesInput{
		InstanceIds: ids, DryRun: aws.Bool(true),
	}, dryRun)
	wantRemoteError(r, r.StopInstances, &ec2.StopInstancesInput{InstanceIds: ids, Hibernate: aws.Bool(true)},
		"UnsupportedOperation: aloft's local cloud does not support the parameter hibernate")
	wantRemoteError(r, r.StartInstances, &ec2.StartInstancesInput{InstanceIds: ids, AdditionalInfo: aws.String("x")},
		"UnsupportedOperation: aloft's local cloud does not support the parameter additionalInfo")
	if row, _ := store.Instances.Get(r.cloud.Store.View(), id); row.Desired != store.Running || row.Reboots != 0 {
		t.Errorf("refused requests changed %+v", row)
	}

	for _, test := range []struct {
		state                         string
		start, stop, reboot, teardown string
	}{
		{store.Stopped, "", "", "IncorrectInstanceState:", ""},
		{store.Stopping, "IncorrectInstanceState:", "", "IncorrectInstanceState:", ""},
		{store.ShuttingDown, "IncorrectInstanceState:", "IncorrectInstanceState:", "IncorrectInstanceState:", ""},
		{store.Terminated, "IncorrectInstanceState:", "IncorrectInstanceState:", "IncorrectInstanceState:", ""},
		{store.Running, "", "", "", ""},
	} {
		check := func(call func() error, want string) {
			t.Helper()
			r.cloud.observe(other, test.state)
			if err := call(); err == nil != (want == "") {
				t.Errorf("%s: %v, want %s", test.state, err, want)
			}
		}
		check(func() error {
			_, err := r.StartInstances(t.Context(), &ec2.StartInstancesInput{InstanceIds: []string{other}})
			return err
		}, test.start)
		check(func() error {
			_, err := r.StopInstances(t.Context(), &ec2.StopInstancesInput{InstanceIds: []string{other}})
			return err
		}, test.stop)
		check(func() error {
			_, err := r.RebootInstances(t.Context(), &ec2.RebootInstancesInput{InstanceIds: []string{other}})
			return err
		}, test.reboot)
		check(func() error {
			_, err := r.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{other}})
			return err
		}, test.teardown)
	}
}

func TestProtectedInstancesAreNeitherStoppedNorTerminated(t *testing.T) {
	r := newRemote(t)
	in := launchOne(r.cloud.availableImage())
	in.DisableApiTermination, in.DisableApiStop = aws.Bool(true), aws.Bool(true)
	id := *doRemote(r, r.RunInstances, in).Instances[0].InstanceId
	r.cloud.observe(id, store.Running)
	wantRemoteError(r, r.StopInstances,
		&ec2.StopInstancesInput{InstanceIds: []string{id}},
		"OperationNotPermitted: The instance '"+id+"' may not be stopped. Modify its 'disableApiStop' instance "+
			"attribute and try again.")
	wantRemoteError(r, r.TerminateInstances,
		&ec2.TerminateInstancesInput{InstanceIds: []string{id}},
		"OperationNotPermitted: The instance '"+id+"' may not be terminated. Modify its 'disableApiTermination' "+
			"instance attribute and try again.")
	doRemote(r, r.ModifyInstanceAttribute, &ec2.ModifyInstanceAttributeInput{
		InstanceId:            &id,
		DisableApiTermination: &types.AttributeBooleanValue{Value: aws.Bool(false)},
	})
	doRemote(r, r.TerminateInstances, &ec2.TerminateInstancesInput{InstanceIds: []string{id}})
}

func TestInstanceStateChanges(t *testing.T) {
	c := newCloud(t)
	in := launchOne(c.availableImage())
	in.DisableApiTermination = aws.Bool(true)
	item := do(c, c.RunInstances, in).Instances[0]
	ids := []string{*item.InstanceId}
	move := func(from, to int32, changes []types.InstanceStateChange) {
		t.Helper()
		if len(changes) != 1 || *changes[0].PreviousState.Code != from || *changes[0].CurrentState.Code != to {
			t.Errorf("got %+v, want %d to %d", changes, from, to)
		}
	}
	row := func() *store.Instance { row, _ := store.Instances.Get(c.Store.View(), ids[0]); return row }
	wantError(c, c.TerminateInstances, &ec2.TerminateInstancesInput{InstanceIds: []string{"i-0123456789abcdef0"}},
		"InvalidInstanceID.NotFound: The instance ID 'i-0123456789abcdef0' does not exist")

	c.observe(ids[0], store.Running)
	do(c, c.RebootInstances, &ec2.RebootInstancesInput{InstanceIds: ids})
	move(
		16,
		64,
		do(c, c.StopInstances, &ec2.StopInstancesInput{InstanceIds: ids, Force: aws.Bool(true)}).StoppingInstances,
	)
	if row().Force {
		t.Error("a forced stop skips the shutdown")
	}
	move(64, 64, do(c, c.StopInstances, &ec2.StopInstancesInput{InstanceIds: ids}).StoppingInstances)
	if row().Force {
		t.Error("a repeated stop skips the shutdown")
	}
	do(c, c.StopInstances, &ec2.StopInstancesInput{InstanceIds: ids, Force: aws.Bool(true)})
	if r := row(); r.Reboots != 1 || !r.Force || r.Desired != store.Stopped ||
		r.StateReasonCode != "Client.UserInitiatedShutdown" ||
		r.TransitionReason != "User initiated (2026-11-23 12:00:00 GMT)" {
		t.Errorf("stopping: %+v", r)
	}
	_, err := c.StartInstances(c.ctx, &ec2.StartInstancesInput{InstanceIds: ids})
	if code(err) != "IncorrectInstanceState" {
		t.Errorf("start of a stopping instance: got %v", err)
	}
	c.observe(ids[0], store.Stopped)
	move(80, 0, do(c, c.StartInstances, &ec2.StartInstancesInput{InstanceIds: ids}).StartingInstances)
	if r := row(); r.Desired != store.Running || r.Force || r.StateReasonCode != "" || r.TransitionReason != "" {
		t.Errorf("starting: %+v", r)
	}
	_, err = c.TerminateInstances(c.ctx, &ec2.TerminateInstancesInput{InstanceIds: ids})
	if code(err) != "OperationNotPermitted" {
		t.Errorf("termination of a protected instance: got %v", err)
	}
	if err := c.Store.Update(func(tx *store.Tx) error {
		store.Instances.Edit(tx, ids[0], func(row *store.Instance) { row.DisableAPITermination = false })
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	move(0, 32, do(c, c.TerminateInstances, &ec2.TerminateInstancesInput{InstanceIds: ids}).TerminatingInstances)
	c.observe(ids[0], store.Terminated)
	move(48, 48, do(c, c.TerminateInstances, &ec2.TerminateInstancesInput{InstanceIds: ids}).TerminatingInstances)
}

func TestStartInstancesAssignsANewPublicAddress(t *testing.T) {
	c := newCloud(t)
	item := do(c, c.RunInstances, launchOne(c.availableImage())).Instances[0]
	eni := *item.NetworkInterfaces[0].NetworkInterfaceId
	c.observe(*item.InstanceId, store.Stopped)
	if err := c.Store.Update(func(tx *store.Tx) error {
		store.NetworkInterfaces.Edit(tx, eni, func(row *store.NetworkInterface) { row.PublicIP = netip.Addr{} })
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	do(c, c.StartInstances, &ec2.StartInstancesInput{InstanceIds: []string{*item.InstanceId}})
	if row, _ := store.NetworkInterfaces.Get(c.Store.View(), eni); !c.PublicRange.Contains(row.PublicIP) {
		t.Errorf("public address after the start: %v", row.PublicIP)
	}
}

func TestSkippedShutdown(t *testing.T) {
	c := newCloud(t)
	in := launchOne(c.availableImage())
	in.MinCount, in.MaxCount = aws.Int32(3), aws.Int32(3)
	launched := do(c, c.RunInstances, in).Instances
	for i, request := range []func(ids []string, again bool){
		func(ids []string, _ bool) {
			do(c, c.StopInstances, &ec2.StopInstancesInput{InstanceIds: ids, SkipOsShutdown: aws.Bool(true)})
		},
		func(ids []string, _ bool) {
			do(c, c.TerminateInstances, &ec2.TerminateInstancesInput{InstanceIds: ids, SkipOsShutdown: aws.Bool(true)})
		},
		func(ids []string, again bool) {
			do(c, c.TerminateInstances, &ec2.TerminateInstancesInput{InstanceIds: ids, Force: aws.Bool(true)})
			if row, _ := store.Instances.Get(c.Store.View(), ids[0]); row.Force != again {
				t.Errorf("a forced termination, repeated %t, skips the shutdown: %t", again, row.Force)
			}
		},
	} {
		id := *launched[i].InstanceId
		c.observe(id, store.Running)
		request([]string{id}, false)
		request([]string{id}, true)
		if row, _ := store.Instances.Get(c.Store.View(), id); !row.Force {
			t.Errorf("request %d does not skip the shutdown", i)
		}
	}
}
