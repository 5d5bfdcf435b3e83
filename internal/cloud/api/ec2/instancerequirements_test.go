package ec2

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// requirements returns requirements of a number of vCPUs, and of memory from 4 to 8 GiB.
func requirements(vcpus int32) *types.InstanceRequirementsRequest {
	return &types.InstanceRequirementsRequest{
		VCpuCount: &types.VCpuCountRangeRequest{Min: aws.Int32(vcpus), Max: aws.Int32(vcpus)},
		MemoryMiB: &types.MemoryMiBRequest{Min: aws.Int32(4096), Max: aws.Int32(8192)},
	}
}

func TestInstanceTypesAreFoundByRequirements(t *testing.T) {
	r := newRemote(t)
	request := func() *ec2.GetInstanceTypesFromInstanceRequirementsInput {
		return &ec2.GetInstanceTypesFromInstanceRequirementsInput{
			ArchitectureTypes:    []types.ArchitectureType{"x86_64", "arm64"},
			VirtualizationTypes:  []types.VirtualizationType{"hvm"},
			InstanceRequirements: requirements(2),
		}
	}
	var all []string
	for in := request(); ; {
		in.MaxResults = five()
		out := doRemote(r, r.GetInstanceTypesFromInstanceRequirements, in)
		for _, found := range out.InstanceTypes {
			all = append(all, *found.InstanceType)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if !slices.IsSorted(all) || !slices.Contains(all, "m5.large") || !slices.Contains(all, "m6g.large") ||
		slices.Contains(all, "t3.medium") || slices.Contains(all, "m5.xlarge") {
		t.Errorf("found %v", all)
	}
	in := request()
	in.VirtualizationTypes = []types.VirtualizationType{"paravirtual"}
	if out := doRemote(r, r.GetInstanceTypesFromInstanceRequirements, in); len(out.InstanceTypes) != 0 {
		t.Errorf("%d types are paravirtual", len(out.InstanceTypes))
	}
	in = request()
	in.DryRun = aws.Bool(true)
	wantRemoteError(r, r.GetInstanceTypesFromInstanceRequirements, in, dryRun)
	in = request()
	in.InstanceRequirements.MemoryMiB = nil
	wantRemoteError(r, r.GetInstanceTypesFromInstanceRequirements, in,
		"InvalidParameterValue: The instance requirements must contain MemoryMiB.Min.")
	in.InstanceRequirements = requirements(2)
	in.InstanceRequirements.OnDemandMaxPricePercentageOverLowestPrice = aws.Int32(50)
	wantRemoteError(r, r.GetInstanceTypesFromInstanceRequirements, in,
		"UnsupportedOperation: aloft's local cloud does not support the parameter "+
			"onDemandMaxPricePercentageOverLowestPrice")
	in.InstanceRequirements.OnDemandMaxPricePercentageOverLowestPrice = aws.Int32(noPriceProtection)
	if out := doRemote(r, r.GetInstanceTypesFromInstanceRequirements, in); len(out.InstanceTypes) != len(all) {
		t.Errorf("without price protection: %d types", len(out.InstanceTypes))
	}
}

func TestAFleetChoosesTypesByRequirements(t *testing.T) {
	r := newRemote(t)
	in := r.fleetOf(2,
		types.FleetLaunchTemplateOverridesRequest{InstanceRequirements: requirements(2), Priority: aws.Float64(2)},
		types.FleetLaunchTemplateOverridesRequest{InstanceRequirements: requirements(99), Priority: aws.Float64(1)},
	)
	out := doRemote(r, r.CreateFleet, in)
	if len(out.Instances) != 1 || out.Instances[0].InstanceType != types.InstanceTypeC5Large ||
		len(out.Instances[0].InstanceIds) != 2 || *out.Instances[0].LaunchTemplateAndOverrides.Overrides.
		InstanceRequirements.VCpuCount.Min != 2 {
		t.Errorf("instances %+v", out.Instances)
	}
	if len(out.Errors) != 1 || *out.Errors[0].ErrorMessage !=
		"No instance type meets the specified instance requirements." {
		t.Errorf("errors %+v", out.Errors)
	}
}

func TestALaunchTemplateKeepsRequirements(t *testing.T) {
	r := newRemote(t)
	create := &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("chosen"), LaunchTemplateData: &types.RequestLaunchTemplateData{
			ImageId: aws.String(r.cloud.availableImage()), InstanceType: types.InstanceTypeT3Micro,
			InstanceRequirements: requirements(2),
		},
	}
	wantRemoteError(r, r.CreateLaunchTemplate, create, "InvalidParameterCombination:")
	create.LaunchTemplateData.InstanceType = ""
	doRemote(r, r.CreateLaunchTemplate, create)
	versions := doRemote(r, r.DescribeLaunchTemplateVersions, &ec2.DescribeLaunchTemplateVersionsInput{
		LaunchTemplateName: aws.String("chosen"),
	}).LaunchTemplateVersions
	if q := versions[0].LaunchTemplateData.InstanceRequirements; q == nil || *q.MemoryMiB.Max != 8192 {
		t.Errorf("requirements %+v", q)
	}
	run := &ec2.RunInstancesInput{
		MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateName: aws.String("chosen")},
	}
	wantRemoteError(r, r.RunInstances, run, "InvalidParameterCombination:")
	run.InstanceType = types.InstanceTypeT3Micro
	if i := doRemote(r, r.RunInstances, run).Instances[0]; i.InstanceType != types.InstanceTypeT3Micro {
		t.Errorf("launched a %s", i.InstanceType)
	}
	fleet := r.fleetOf(1)
	fleet.LaunchTemplateConfigs[0].LaunchTemplateSpecification = &types.FleetLaunchTemplateSpecificationRequest{
		LaunchTemplateName: aws.String("chosen"), Version: aws.String("$Latest"),
	}
	i := doRemote(r, r.CreateFleet, fleet).Instances
	if len(i) != 1 || !strings.HasPrefix(string(i[0].InstanceType), "c5.") {
		t.Errorf("instances %+v", i)
	}
}
