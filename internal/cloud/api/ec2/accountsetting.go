package ec2

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// changeSetting changes what the caller's account has set in the region.
func (a *API) changeSetting(ctx context.Context, dryRun *bool, edit func(row *store.AccountSetting)) error {
	return a.change(ctx, dryRun, func(tx *store.Tx, region identity.Region) error {
		row := store.SettingOf(tx, region)
		edit(&row)
		store.AccountSettings.Put(tx, &row)
		return nil
	})
}

// setting returns what the caller's account has set in the region.
func (a *API) setting(ctx context.Context, dryRun *bool) (store.AccountSetting, error) {
	view, region, err := a.read(ctx, dryRun)
	if err != nil {
		return store.AccountSetting{}, err
	}
	return store.SettingOf(view, region), nil
}

// EnableEbsEncryptionByDefault encrypts the volumes that are created from now on, which is
// recorded.
func (a *API) EnableEbsEncryptionByDefault(
	ctx context.Context, in *ec2.EnableEbsEncryptionByDefaultInput,
) (*ec2.EnableEbsEncryptionByDefaultOutput, error) {
	return &ec2.EnableEbsEncryptionByDefaultOutput{EbsEncryptionByDefault: aws.Bool(true)},
		a.changeSetting(ctx, in.DryRun, func(row *store.AccountSetting) { row.EncryptVolumes = true })
}

// DisableEbsEncryptionByDefault encrypts only those of the volumes created from now on that ask for
// it.
func (a *API) DisableEbsEncryptionByDefault(
	ctx context.Context, in *ec2.DisableEbsEncryptionByDefaultInput,
) (*ec2.DisableEbsEncryptionByDefaultOutput, error) {
	return &ec2.DisableEbsEncryptionByDefaultOutput{EbsEncryptionByDefault: aws.Bool(false)},
		a.changeSetting(ctx, in.DryRun, func(row *store.AccountSetting) { row.EncryptVolumes = false })
}

// GetEbsEncryptionByDefault reports whether new volumes are encrypted by default.
func (a *API) GetEbsEncryptionByDefault(
	ctx context.Context, in *ec2.GetEbsEncryptionByDefaultInput,
) (*ec2.GetEbsEncryptionByDefaultOutput, error) {
	row, err := a.setting(ctx, in.DryRun)
	out := &ec2.GetEbsEncryptionByDefaultOutput{
		EbsEncryptionByDefault: aws.Bool(row.EncryptVolumes), SseType: types.SSETypeNone,
	}
	if row.EncryptVolumes {
		out.SseType = types.SSETypeSseKms
	}
	return out, err
}

// GetEbsDefaultKmsKeyId returns the key of volumes that are encrypted and name none.
func (a *API) GetEbsDefaultKmsKeyId(
	ctx context.Context, in *ec2.GetEbsDefaultKmsKeyIdInput,
) (*ec2.GetEbsDefaultKmsKeyIdOutput, error) {
	row, err := a.setting(ctx, in.DryRun)
	return &ec2.GetEbsDefaultKmsKeyIdOutput{KmsKeyId: aws.String(cmp.Or(row.VolumeKeyARN, ebsAlias))}, err
}

// ebsAlias is the name of the key that AWS manages for EBS.
const ebsAlias = "alias/aws/ebs"

// ModifyEbsDefaultKmsKeyId changes the key of volumes that are encrypted and name none.
func (a *API) ModifyEbsDefaultKmsKeyId(
	ctx context.Context, in *ec2.ModifyEbsDefaultKmsKeyIdInput,
) (*ec2.ModifyEbsDefaultKmsKeyIdOutput, error) {
	if err := required(parameter{"kmsKeyId", in.KmsKeyId}); err != nil {
		return nil, err
	}
	out := &ec2.ModifyEbsDefaultKmsKeyIdOutput{}
	return out, a.changeSetting(ctx, in.DryRun, func(row *store.AccountSetting) {
		row.VolumeKeyARN = keyARN(row.Region, *in.KmsKeyId)
		out.KmsKeyId = aws.String(row.VolumeKeyARN)
	})
}

// ResetEbsDefaultKmsKeyId makes the key that AWS manages the key of volumes that are encrypted and
// name none.
func (a *API) ResetEbsDefaultKmsKeyId(
	ctx context.Context, in *ec2.ResetEbsDefaultKmsKeyIdInput,
) (*ec2.ResetEbsDefaultKmsKeyIdOutput, error) {
	return &ec2.ResetEbsDefaultKmsKeyIdOutput{KmsKeyId: aws.String(ebsAlias)},
		a.changeSetting(ctx, in.DryRun, func(row *store.AccountSetting) { row.VolumeKeyARN = "" })
}

// EnableSerialConsoleAccess records that users may open serial consoles. Machines have none.
func (a *API) EnableSerialConsoleAccess(
	ctx context.Context, in *ec2.EnableSerialConsoleAccessInput,
) (*ec2.EnableSerialConsoleAccessOutput, error) {
	return &ec2.EnableSerialConsoleAccessOutput{SerialConsoleAccessEnabled: aws.Bool(true)},
		a.changeSetting(ctx, in.DryRun, func(row *store.AccountSetting) { row.SerialConsole = true })
}

// DisableSerialConsoleAccess records that users may not open serial consoles.
func (a *API) DisableSerialConsoleAccess(
	ctx context.Context, in *ec2.DisableSerialConsoleAccessInput,
) (*ec2.DisableSerialConsoleAccessOutput, error) {
	return &ec2.DisableSerialConsoleAccessOutput{SerialConsoleAccessEnabled: aws.Bool(false)},
		a.changeSetting(ctx, in.DryRun, func(row *store.AccountSetting) { row.SerialConsole = false })
}

// GetSerialConsoleAccessStatus reports whether users may open serial consoles.
func (a *API) GetSerialConsoleAccessStatus(
	ctx context.Context, in *ec2.GetSerialConsoleAccessStatusInput,
) (*ec2.GetSerialConsoleAccessStatusOutput, error) {
	row, err := a.setting(ctx, in.DryRun)
	return &ec2.GetSerialConsoleAccessStatusOutput{
		SerialConsoleAccessEnabled: aws.Bool(row.SerialConsole), ManagedBy: types.ManagedByAccount,
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
