package ec2

import (
	"context"
	"encoding/base64"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// GetConsoleOutput returns what an instance has written to its console until now.
func (a *API) GetConsoleOutput(ctx context.Context, in *ec2.GetConsoleOutputInput) (*ec2.GetConsoleOutputOutput, error) {
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
	if a.Console == nil || !row.StartedBefore {
		return out, nil
	}
	text, err := a.Console(ctx, row.ID)
	if err != nil {
		return nil, fmt.Errorf("read the console of %s: %w", row.ID, err)
	}
	out.Output = aws.String(base64.StdEncoding.EncodeToString(text))
	return out, nil
}
