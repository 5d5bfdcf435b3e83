package ec2

import (
	"context"
	"encoding/base64"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// GetConsoleOutput returns what an instance has written to its console.
func (a *API) GetConsoleOutput(
	ctx context.Context, in *ec2.GetConsoleOutputInput,
) (*ec2.GetConsoleOutputOutput, error) {
	if err := required(parameter{"instanceId", in.InstanceId}); err != nil {
		return nil, err
	}
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	row, err := instances.get(view, region, *in.InstanceId)
	if err != nil {
		return nil, err
	}
	out := &ec2.GetConsoleOutputOutput{InstanceId: aws.String(row.ID), Timestamp: aws.Time(a.Now())}
	latest, err := a.latestConsole(in, row)
	if err != nil {
		return nil, err
	}
	gone := row.State == store.Terminated // and its files with it
	if a.Console == nil || gone || !row.StartedBefore || !latest && a.Now().Before(row.ConsoleAt) {
		return out, nil
	}
	text, err := a.Console(ctx, row.ID)
	if err != nil {
		return nil, fmt.Errorf("read the console of %s: %w", row.ID, err)
	}
	out.Output = aws.String(base64.StdEncoding.EncodeToString(text))
	return out, nil
}

// latestConsole reports whether the request is for what the instance writes now. Other
// requests get what was posted some time after the start. On AWS only Nitro instances
// can be asked (Amazon EC2 API Reference, GetConsoleOutput).
func (a *API) latestConsole(in *ec2.GetConsoleOutputInput, row vm) (bool, error) {
	t, _ := instancetype.ByName(row.Type)
	if aws.ToBool(in.Latest) && t.Hypervisor != "nitro" && a.Manners.Has(manners.Times) {
		return false, wire.Errorf(
			"UnsupportedOperation", "This instance type does not support retrieving the latest console logs.",
		)
	}
	return aws.ToBool(in.Latest), nil
}
