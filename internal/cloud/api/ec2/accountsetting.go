package ec2

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/instancetype"
)

// The account's settings are those of an account in which nobody has changed them, because no
// operation of the local cloud changes them.

// GetEbsEncryptionByDefault reports whether new volumes are encrypted by default.
func (a *API) GetEbsEncryptionByDefault(
	ctx context.Context, in *ec2.GetEbsEncryptionByDefaultInput,
) (*ec2.GetEbsEncryptionByDefaultOutput, error) {
	_, _, err := a.read(ctx, in.DryRun)
	return &ec2.GetEbsEncryptionByDefaultOutput{
		EbsEncryptionByDefault: aws.Bool(false), SseType: types.SSETypeNone,
	}, err
}

// GetSerialConsoleAccessStatus reports whether users may open serial consoles.
func (a *API) GetSerialConsoleAccessStatus(
	ctx context.Context, in *ec2.GetSerialConsoleAccessStatusInput,
) (*ec2.GetSerialConsoleAccessStatusOutput, error) {
	_, _, err := a.read(ctx, in.DryRun)
	return &ec2.GetSerialConsoleAccessStatusOutput{
		SerialConsoleAccessEnabled: aws.Bool(false), ManagedBy: types.ManagedByAccount,
	}, err
}

// GetSnapshotBlockPublicAccessState reports whether snapshots can be made public.
func (a *API) GetSnapshotBlockPublicAccessState(
	ctx context.Context, in *ec2.GetSnapshotBlockPublicAccessStateInput,
) (*ec2.GetSnapshotBlockPublicAccessStateOutput, error) {
	_, _, err := a.read(ctx, in.DryRun)
	return &ec2.GetSnapshotBlockPublicAccessStateOutput{
		State: types.SnapshotBlockPublicAccessStateUnblocked, ManagedBy: types.ManagedByAccount,
	}, err
}

// GetImageBlockPublicAccessState reports whether images can be made public.
func (a *API) GetImageBlockPublicAccessState(
	ctx context.Context, in *ec2.GetImageBlockPublicAccessStateInput,
) (*ec2.GetImageBlockPublicAccessStateOutput, error) {
	_, _, err := a.read(ctx, in.DryRun)
	return &ec2.GetImageBlockPublicAccessStateOutput{
		ImageBlockPublicAccessState: aws.String("unblocked"), ManagedBy: types.ManagedByAccount,
	}, err
}

// GetAllowedImagesSettings returns which images the account may use: all.
func (a *API) GetAllowedImagesSettings(
	ctx context.Context, in *ec2.GetAllowedImagesSettingsInput,
) (*ec2.GetAllowedImagesSettingsOutput, error) {
	_, _, err := a.read(ctx, in.DryRun)
	return &ec2.GetAllowedImagesSettingsOutput{
		State: aws.String("disabled"), ImageCriteria: []types.ImageCriterion{}, ManagedBy: types.ManagedByAccount,
	}, err
}

// GetInstanceMetadataDefaults returns the account's defaults for the metadata options of new
// instances. There are none.
func (a *API) GetInstanceMetadataDefaults(
	ctx context.Context, in *ec2.GetInstanceMetadataDefaultsInput,
) (*ec2.GetInstanceMetadataDefaultsOutput, error) {
	_, _, err := a.read(ctx, in.DryRun)
	return &ec2.GetInstanceMetadataDefaultsOutput{
		AccountLevel: &types.InstanceMetadataDefaultsResponse{ManagedBy: types.ManagedByAccount},
	}, err
}

// GetDefaultCreditSpecification returns the credit option of new instances of a burstable
// family.
func (a *API) GetDefaultCreditSpecification(
	ctx context.Context, in *ec2.GetDefaultCreditSpecificationInput,
) (*ec2.GetDefaultCreditSpecificationOutput, error) {
	family := string(in.InstanceFamily)
	if err := required(parameter{"instanceFamily", &family}); err != nil {
		return nil, err
	}
	if err := checkEnum("instanceFamily", in.InstanceFamily); err != nil {
		return nil, err
	}
	if _, _, err := a.read(ctx, in.DryRun); err != nil {
		return nil, err
	}
	credits := unlimitedCredits // of T3 and later; T2 launches as standard
	for _, t := range instancetype.All() {
		if t.Family() == family {
			credits = t.CPUCredits
			break
		}
	}
	if in.InstanceFamily == types.UnlimitedSupportedInstanceFamilyT2 {
		credits = standardCredits
	}
	return &ec2.GetDefaultCreditSpecificationOutput{
		InstanceFamilyCreditSpecification: &types.InstanceFamilyCreditSpecification{
			InstanceFamily: in.InstanceFamily, CpuCredits: aws.String(credits),
		},
	}, nil
}

// DescribeVpcBlockPublicAccessOptions reports that VPCs may reach the internet.
func (a *API) DescribeVpcBlockPublicAccessOptions(
	ctx context.Context, in *ec2.DescribeVpcBlockPublicAccessOptionsInput,
) (*ec2.DescribeVpcBlockPublicAccessOptionsOutput, error) {
	_, region, err := a.read(ctx, in.DryRun)
	return &ec2.DescribeVpcBlockPublicAccessOptionsOutput{
		VpcBlockPublicAccessOptions: &types.VpcBlockPublicAccessOptions{
			AwsAccountId: aws.String(region.Account()), AwsRegion: aws.String(region.Name()),
			ExclusionsAllowed:        types.VpcBlockPublicAccessExclusionsAllowedAllowed,
			InternetGatewayBlockMode: types.InternetGatewayBlockModeOff,
			ManagedBy:                types.ManagedByAccount,
			State:                    types.VpcBlockPublicAccessStateDefaultState,
		},
	}, err
}

// longIDs are the types of resources whose ids have been long for every account since 2018
// (Amazon EC2 API Reference, DescribeIdFormat).
var longIDs = []string{
	"bundle", "conversion-task", "customer-gateway", "dhcp-options", "elastic-ip-allocation",
	"elastic-ip-association", "export-task", "flow-log", "image", "import-task", "instance", "internet-gateway",
	"network-acl", "network-acl-association", "network-interface", "network-interface-attachment", "prefix-list",
	"reservation", "route-table", "route-table-association", "security-group", "snapshot", "subnet",
	"subnet-cidr-block-association", "volume", "vpc", "vpc-cidr-block-association", "vpc-endpoint",
	"vpc-peering-connection", "vpn-connection", "vpn-gateway",
}

// DescribeIdFormat reports which types of resources have long ids: all.
func (a *API) DescribeIdFormat(
	ctx context.Context, in *ec2.DescribeIdFormatInput,
) (*ec2.DescribeIdFormatOutput, error) {
	if _, _, err := a.read(ctx, nil); err != nil {
		return nil, err
	}
	names := longIDs
	if name := aws.ToString(in.Resource); name != "" {
		if !slices.Contains(longIDs, name) {
			return nil, invalidValue("resource", name, "It is not a type of resource with a setting for long ids.")
		}
		names = []string{name}
	}
	return &ec2.DescribeIdFormatOutput{Statuses: list(names, longIDItem)}, nil
}

// DescribeAggregateIdFormat reports that all regions use long ids.
func (a *API) DescribeAggregateIdFormat(
	ctx context.Context, in *ec2.DescribeAggregateIdFormatInput,
) (*ec2.DescribeAggregateIdFormatOutput, error) {
	_, _, err := a.read(ctx, in.DryRun)
	return &ec2.DescribeAggregateIdFormatOutput{
		Statuses: list(longIDs, longIDItem), UseLongIdsAggregated: aws.Bool(true),
	}, err
}

func longIDItem(name string) types.IdFormat {
	return types.IdFormat{Resource: aws.String(name), UseLongIds: aws.Bool(true)}
}
