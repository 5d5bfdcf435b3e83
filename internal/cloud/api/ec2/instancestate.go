package ec2

import (
	"cmp"
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

var stateCodes = map[string]int32{
	store.Pending:      0,
	store.Running:      16,
	store.ShuttingDown: 32,
	store.Terminated:   48,
	store.Stopping:     64,
	store.Stopped:      80,
}

func instanceState(state string) *types.InstanceState {
	return &types.InstanceState{Name: types.InstanceStateName(state), Code: aws.Int32(stateCodes[state])}
}

// changeStates changes the state of the instances with the ids. change returns the
// changed row of an instance or an error. On an error no instance changes.
func (a *API) changeStates(
	ctx context.Context,
	ids []string,
	dryRun *bool,
	change func(tx *store.Tx, row vm) (vm, error),
) ([]types.InstanceStateChange, error) {
	if len(ids) == 0 {
		return nil, missingParameter("InstanceId")
	}
	var changes []types.InstanceStateChange
	err := a.change(ctx, dryRun, func(tx *store.Tx, region identity.Region) error {
		changes = []types.InstanceStateChange{}
		for _, id := range ids {
			row, err := instances.get(tx, region, id)
			if err != nil {
				return err
			}
			after, err := change(tx, row)
			if err != nil {
				return err
			}
			store.Instances.Put(tx, after)
			changes = append(changes, types.InstanceStateChange{
				InstanceId:    aws.String(id),
				PreviousState: instanceState(row.State),
				CurrentState:  instanceState(after.State),
			})
		}
		return nil
	})
	return changes, err
}

// settles returns when a change of an instance's state that begins now ends. Every
// change takes a time of its own.
func (a *API) settles(id string, change manners.Delay) time.Time {
	return a.Manners.Until(a.Now(), change, id+a.Now().String())
}

// incorrectState returns the error for a change that an instance's state does not allow.
// participle completes the message: "started".
func incorrectState(row vm, participle string) error {
	return wire.Errorf(
		"IncorrectInstanceState", "The instance '%s' is not in a state from which it can be %s.", row.ID, participle,
	)
}

// recordUserRequest records that a user requested the change of state.
func (a *API) recordUserRequest(row *store.Instance) {
	row.StateReasonCode = "Client.UserInitiatedShutdown"
	row.StateReason = "Client.UserInitiatedShutdown: User initiated shutdown"
	row.TransitionReason = "User initiated (" + a.Now().UTC().Format(time.DateTime) + " GMT)"
}

// StartInstances starts stopped instances. An instance gets a new public IP address if
// its subnet assigns them.
func (a *API) StartInstances(ctx context.Context, in *ec2.StartInstancesInput) (*ec2.StartInstancesOutput, error) {
	if err := supportOnly(in, "DryRun", "InstanceIds"); err != nil {
		return nil, err
	}
	changes, err := a.changeStates(ctx, in.InstanceIds, in.DryRun, func(tx *store.Tx, row vm) (vm, error) {
		after := *row
		switch row.State {
		case store.Running, store.Pending:
			return &after, nil
		case store.Stopped:
		default:
			return nil, incorrectState(row, "started")
		}
		if err := a.limitVCPUs(tx, row.Region, row.Type, 1); err != nil {
			return nil, err
		}
		if err := a.checkCapacity(row.Region, row.Zone, row.Type); err != nil {
			return nil, err
		}
		if err := cmp.Or(checkInterfacesOf(tx, row), a.restorePublicAddress(tx, row)); err != nil {
			return nil, err
		}
		after.Desired, after.State, after.Force, after.LaunchTime = store.Running, store.Pending, false, a.Now()
		after.SettledAt = a.settles(row.ID, manners.StartInstance)
		after.StateReasonCode, after.StateReason, after.TransitionReason = "", "", ""
		return &after, nil
	})
	return &ec2.StartInstancesOutput{StartingInstances: changes}, err
}

// checkInterfacesOf refuses to start an instance whose type allows fewer network interfaces
// or addresses than it has.
func checkInterfacesOf(r store.Reader, row vm) error {
	for _, id := range row.InterfaceIDs {
		if eni, ok := store.NetworkInterfaces.Get(r, id); ok {
			if err := checkInterfaceCounts(row.Type, len(row.InterfaceIDs), id, len(eni.Addresses())); err != nil {
				return err
			}
		}
	}
	return nil
}

// restorePublicAddress assigns a public address to an instance that starts, if it was
// launched with one. An instance with several network interfaces gets none (Amazon EC2
// User Guide, Public IPv4 addresses).
func (a *API) restorePublicAddress(tx *store.Tx, row vm) error {
	if len(row.InterfaceIDs) != 1 {
		return nil
	}
	eni, ok := store.NetworkInterfaces.Get(tx, row.InterfaceIDs[0])
	if !ok || !eni.PublicOnStart || eni.PublicIP.IsValid() {
		return nil
	}
	return a.assignPublicAddress(tx, eni.ID)
}

// assignPublicAddress assigns a public address to a network interface.
func (a *API) assignPublicAddress(tx *store.Tx, interfaceID string) error {
	address, err := addressing.FreePublic(tx, a.ids, a.PublicRange)
	if err != nil {
		return wire.Errorf("InsufficientFreeAddresses", "There are no free public addresses.")
	}
	store.NetworkInterfaces.Edit(tx, interfaceID, func(row *store.NetworkInterface) { row.PublicIP = address })
	return nil
}

// unmapPublicAddresses takes the public addresses from a network interface whose instance
// terminates. An interface that outlives its instance keeps its Elastic IP addresses.
func unmapPublicAddresses(tx *store.Tx, interfaceID string) {
	if eni, ok := store.NetworkInterfaces.Get(tx, interfaceID); ok && eni.DeleteOnTermination {
		addressing.DisassociateAll(tx, interfaceID)
	}
	addressing.ReleaseAutomatic(tx, interfaceID)
}

// StopInstances stops instances. Their volumes keep their data. A machine that does not shut
// down in time is killed, as Force asks for; it is killed at once with SkipOsShutdown, or if
// Force follows an earlier request.
func (a *API) StopInstances(ctx context.Context, in *ec2.StopInstancesInput) (*ec2.StopInstancesOutput, error) {
	if err := supportOnly(in, "DryRun", "InstanceIds", "Force", "SkipOsShutdown"); err != nil {
		return nil, err
	}
	changes, err := a.changeStates(ctx, in.InstanceIds, in.DryRun, func(tx *store.Tx, row vm) (vm, error) {
		return a.stopped(tx, row, aws.ToBool(in.Force), aws.ToBool(in.SkipOsShutdown))
	})
	return &ec2.StopInstancesOutput{StoppingInstances: changes}, err
}

// stopped returns the row of an instance that stops from now on: without waiting for its operating
// system if skip is set, or if force follows an earlier request.
func (a *API) stopped(r store.Reader, row vm, force, skip bool) (vm, error) {
	after := *row
	switch {
	case row.State == store.Terminated || row.State == store.ShuttingDown:
		return nil, incorrectState(row, "stopped")
	case row.SpotRequestID != "":
		return nil, cannotStop(r, row)
	case row.DisableAPIStop:
		return nil, wire.Errorf(
			"OperationNotPermitted",
			"The instance '%s' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.",
			row.ID,
		)
	case row.State == store.Stopped:
		return &after, nil
	}
	again := row.State == store.Stopping
	if !again {
		after.SettledAt = a.settles(row.ID, manners.StopInstance)
	}
	after.Desired, after.State = store.Stopped, store.Stopping
	after.Force = after.Force || skip || again && force
	a.recordUserRequest(&after)
	return &after, nil
}

// RebootInstances reboots running instances.
func (a *API) RebootInstances(ctx context.Context, in *ec2.RebootInstancesInput) (*ec2.RebootInstancesOutput, error) {
	_, err := a.changeStates(ctx, in.InstanceIds, in.DryRun, func(_ *store.Tx, row vm) (vm, error) {
		return rebooted(row)
	})
	return &ec2.RebootInstancesOutput{}, err
}

// rebooted returns the row of an instance that reboots.
func rebooted(row vm) (vm, error) {
	after := *row
	if row.State != store.Running && row.State != store.Pending {
		return nil, incorrectState(row, "rebooted")
	}
	after.Reboots++
	return &after, nil
}

// TerminateInstances terminates instances. A machine that does not shut down in time is
// killed, as Force asks for; it is killed at once with SkipOsShutdown, or if Force follows an
// earlier request.
func (a *API) TerminateInstances(
	ctx context.Context, in *ec2.TerminateInstancesInput,
) (*ec2.TerminateInstancesOutput, error) {
	if err := supportOnly(in, "DryRun", "InstanceIds", "Force", "SkipOsShutdown"); err != nil {
		return nil, err
	}
	changes, err := a.changeStates(ctx, in.InstanceIds, in.DryRun, func(tx *store.Tx, row vm) (vm, error) {
		if err := checkTermination(row); err != nil {
			return nil, err
		}
		after := a.terminated(tx, row, aws.ToBool(in.SkipOsShutdown))
		if row.State == store.ShuttingDown {
			after.Force = after.Force || aws.ToBool(in.Force)
		}
		return after, nil
	})
	return &ec2.TerminateInstancesOutput{TerminatingInstances: changes}, err
}

// checkTermination refuses to terminate an instance that is protected.
func checkTermination(row vm) error {
	if !row.DisableAPITermination {
		return nil
	}
	return wire.Errorf(
		"OperationNotPermitted",
		"The instance '%s' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.",
		row.ID,
	)
}

// terminated returns the row of an instance that terminates from now on, without waiting for its
// operating system if force is set.
func (a *API) terminated(tx *store.Tx, row vm, force bool) vm {
	after := *row
	switch row.State {
	case store.Terminated:
		return &after
	case store.ShuttingDown:
		after.Force = after.Force || force
		return &after
	}
	after.Desired, after.State = store.Terminated, store.ShuttingDown
	after.Force = after.Force || force
	after.SettledAt = a.settles(row.ID, manners.TerminateInstance)
	if after.SettledAt.IsZero() {
		// A gateway can be detached at once. While an instance takes its time to
		// terminate, its public address stays mapped: real deployments took 45 s to
		// detach a gateway meanwhile.
		for _, id := range row.InterfaceIDs {
			unmapPublicAddresses(tx, id)
		}
	}
	a.recordUserRequest(&after)
	return &after
}
