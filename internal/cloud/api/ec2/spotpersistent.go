package ec2

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// spotType returns whether a request launches another instance when its own is terminated.
func spotType(row spot) types.SpotInstanceType {
	if row.Again != "" {
		return types.SpotInstanceTypePersistent
	}
	return types.SpotInstanceTypeOneTime
}

// isUncancelled reports whether a request in a state can be cancelled.
func isUncancelled(state types.SpotInstanceState) bool {
	return state == types.SpotInstanceStateActive || state == types.SpotInstanceStateOpen
}

// spotAgain returns the launch that a persistent request repeats, for one instance.
func spotAgain(in *ec2.RequestSpotInstancesInput, run *ec2.RunInstancesInput) (string, error) {
	if in.Type != types.SpotInstanceTypePersistent {
		return "", nil
	}
	again := *run
	again.MinCount, again.MaxCount = aws.Int32(1), aws.Int32(1)
	text, err := json.Marshal(again)
	if err != nil {
		return "", fmt.Errorf("encode the launch of a persistent Spot request: %w", err)
	}
	return string(text), nil
}

// RepeatSpotRequest launches an instance for a persistent request whose own is terminated, unless the
// request was cancelled. One whose time is over is cancelled then.
func (a *API) RepeatSpotRequest(ctx context.Context, row *store.SpotRequest) error {
	ctx = wire.WithCaller(ctx, wire.Caller{Region: row.Region})
	switch {
	case !repeats(a.Store.View(), row):
		return nil
	case a.isOver(row):
		return a.change(ctx, nil, func(tx *store.Tx, _ identity.Region) error {
			if present, ok := store.SpotRequests.Get(tx, row.ID); ok && repeats(tx, present) {
				store.SpotRequests.Edit(tx, row.ID, func(row *store.SpotRequest) { row.CancelledAt = row.ValidUntil })
			}
			return nil
		})
	}
	run := &ec2.RunInstancesInput{}
	if err := json.Unmarshal([]byte(row.Again), run); err != nil {
		return fmt.Errorf("decode the launch of the Spot request %s: %w", row.ID, err)
	}
	return a.change(ctx, nil, func(tx *store.Tx, region identity.Region) error {
		present, ok := store.SpotRequests.Get(tx, row.ID)
		if !ok || !repeats(tx, present) {
			return nil
		}
		ids, err := a.launchOnce(ctx, tx, region, launchRequest{in: run, identity: run})
		if err != nil {
			return err
		}
		instance, _ := store.Instances.Get(tx, ids[0])
		fresh, _ := store.SpotRequests.Get(tx, instance.SpotRequestID)
		store.SpotRequests.Edit(tx, row.ID, func(row *store.SpotRequest) {
			row.InstanceID, row.Zone, row.Launch = fresh.InstanceID, fresh.Zone, fresh.Launch
		})
		store.SpotRequests.Delete(tx, fresh.ID)
		store.Instances.Edit(tx, instance.ID, func(instance *store.Instance) { instance.SpotRequestID = row.ID })
		return nil
	})
}

// repeats reports whether a request launches another instance now, if its time is not over. EC2 waits
// until the instance is terminated.
func repeats(r store.Reader, row spot) bool {
	instance, ok := store.Instances.Get(r, row.InstanceID)
	return row.Again != "" && row.CancelledAt.IsZero() && (!ok || instance.State == store.Terminated)
}

// isOver reports whether the time of a request is over.
func (a *API) isOver(row spot) bool {
	return !row.ValidUntil.IsZero() && !row.ValidUntil.After(a.Now())
}

// cannotStop returns EC2's error for stopping a Spot Instance of a one-time request. Those of
// persistent requests can be stopped on AWS.
func cannotStop(r store.Reader, row vm) error {
	if request, ok := store.SpotRequests.Get(r, row.SpotRequestID); ok &&
		spotType(request) == types.SpotInstanceTypePersistent {
		return unsupported(map[string]bool{"Spot Instances that stop": true})
	}
	return wire.Errorf(
		"UnsupportedOperation", "You can't stop the Spot Instance '%s' because it is associated with a one-time "+
			"Spot Instance request. You can only stop Spot Instances associated with persistent Spot Instance "+
			"requests.",
		row.ID,
	)
}
