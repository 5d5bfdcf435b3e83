package ec2

import (
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// checkCPUs refuses numbers of cores, or of threads of each, that a type cannot have. A request has
// both or neither (Amazon EC2 User Guide, "CPU options for Amazon EC2 instances").
func checkCPUs(t instancetype.Type, cores, threads *int32) error {
	switch {
	case cores == nil && threads == nil:
		return nil
	case cores == nil:
		return missingParameter("CpuOptions.CoreCount")
	case threads == nil:
		return missingParameter("CpuOptions.ThreadsPerCore")
	case t.ValidCores == nil:
		return wire.Errorf("InvalidParameterCombination",
			"The instance type %s does not support specifying CpuOptions.", t.Name)
	case !slices.Contains(t.ValidCores, int(*cores)):
		return invalidValue("coreCount", strconv.Itoa(int(*cores)), "The type "+t.Name+" cannot have as many cores.")
	case !slices.Contains(t.ValidThreads, int(*threads)):
		return invalidValue(
			"threadsPerCore", strconv.Itoa(int(*threads)), "Cores of the type "+t.Name+" cannot have as many threads.",
		)
	}
	return nil
}

// cpuOptionsItem describes the processors of an instance.
func cpuOptionsItem(row vm) *types.CpuOptions {
	t, ok := instancetype.ByName(row.Type)
	if !ok {
		return nil
	}
	if row.CPUCores > 0 {
		return &types.CpuOptions{CoreCount: aws.Int32(row.CPUCores), ThreadsPerCore: aws.Int32(row.CPUThreads)}
	}
	return &types.CpuOptions{
		CoreCount: aws.Int32(int32(t.Cores)), ThreadsPerCore: aws.Int32(int32(t.VCPUs / t.Cores)),
	}
}

// ModifyInstanceCpuOptions changes the processors of a stopped instance, from its next start on.
func (a *API) ModifyInstanceCpuOptions(
	ctx context.Context, in *ec2.ModifyInstanceCpuOptionsInput,
) (*ec2.ModifyInstanceCpuOptionsOutput, error) {
	if err := required(parameter{"instanceId", in.InstanceId}); err != nil {
		return nil, err
	}
	if err := supportOnly(in, "DryRun", "InstanceId", "CoreCount", "ThreadsPerCore"); err != nil {
		return nil, err
	}
	switch {
	case in.CoreCount == nil:
		return nil, missingParameter("CoreCount")
	case in.ThreadsPerCore == nil:
		return nil, missingParameter("ThreadsPerCore")
	}
	out := &ec2.ModifyInstanceCpuOptionsOutput{
		InstanceId: in.InstanceId, CoreCount: in.CoreCount, ThreadsPerCore: in.ThreadsPerCore,
	}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := instances.get(tx, region, *in.InstanceId)
		if err != nil {
			return err
		}
		if row.State != store.Stopped {
			return notStopped(row)
		}
		t, _ := instancetype.ByName(row.Type)
		if err := checkCPUs(t, in.CoreCount, in.ThreadsPerCore); err != nil {
			return err
		}
		store.Instances.Edit(tx, row.ID, func(row *store.Instance) {
			row.CPUCores, row.CPUThreads = *in.CoreCount, *in.ThreadsPerCore
		})
		return nil
	})
}
