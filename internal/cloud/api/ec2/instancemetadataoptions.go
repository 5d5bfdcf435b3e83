package ec2

import (
	"cmp"
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// maxHops is how many hops answers of the metadata service can travel at most (Amazon EC2 API
// Reference, InstanceMetadataOptionsRequest).
const maxHops = 64

// checkMetadata refuses metadata options that EC2 does not know.
func checkMetadata(m *types.InstanceMetadataOptionsRequest) error {
	if m == nil {
		return nil
	}
	if hops := m.HttpPutResponseHopLimit; hops != nil && (*hops < 1 || *hops > maxHops) {
		return invalidValue("httpPutResponseHopLimit", strconv.Itoa(int(*hops)), "It must be from 1 to 64.")
	}
	return cmp.Or(
		checkEnum("httpTokens", m.HttpTokens),
		checkEnum("httpEndpoint", m.HttpEndpoint),
		checkEnum("httpProtocolIpv6", m.HttpProtocolIpv6),
		checkEnum("instanceMetadataTags", m.InstanceMetadataTags),
	)
}

// setMetadataOptions sets an instance's metadata options to those that a request names.
func setMetadataOptions(row *store.Instance, m *types.InstanceMetadataOptionsRequest) {
	if m == nil {
		return
	}
	setIfGiven(&row.MetadataTokens, string(m.HttpTokens))
	setIfGiven(&row.MetadataEndpoint, string(m.HttpEndpoint))
	setIfGiven(&row.MetadataTags, string(m.InstanceMetadataTags))
	if m.HttpProtocolIpv6 != "" {
		row.MetadataIPv6 = m.HttpProtocolIpv6 == types.InstanceMetadataProtocolStateEnabled
	}
	if m.HttpPutResponseHopLimit != nil {
		row.MetadataHopLimit = *m.HttpPutResponseHopLimit
	}
}

// metadataIPv6 returns whether the metadata service answers an instance at its IPv6 address.
func metadataIPv6(row vm) types.InstanceMetadataProtocolState {
	if row.MetadataIPv6 {
		return types.InstanceMetadataProtocolStateEnabled
	}
	return types.InstanceMetadataProtocolStateDisabled
}

func metadataOptionsItem(
	row vm, state types.InstanceMetadataOptionsState,
) *types.InstanceMetadataOptionsResponse {
	return &types.InstanceMetadataOptionsResponse{
		State:                   state,
		HttpTokens:              types.HttpTokensState(row.MetadataTokens),
		HttpEndpoint:            types.InstanceMetadataEndpointState(row.MetadataEndpoint),
		HttpProtocolIpv6:        metadataIPv6(row),
		HttpPutResponseHopLimit: aws.Int32(row.MetadataHopLimit),
		InstanceMetadataTags:    types.InstanceMetadataTagsState(row.MetadataTags),
	}
}

// ModifyInstanceMetadataOptions changes how the metadata service answers an instance, from its
// next request on. As on AWS, the response has the new options as pending.
func (a *API) ModifyInstanceMetadataOptions(
	ctx context.Context, in *ec2.ModifyInstanceMetadataOptionsInput,
) (*ec2.ModifyInstanceMetadataOptionsOutput, error) {
	if err := required(parameter{"instanceId", in.InstanceId}); err != nil {
		return nil, err
	}
	if err := supportOnly(
		in, "DryRun", "InstanceId", "HttpTokens", "HttpEndpoint", "HttpPutResponseHopLimit", "InstanceMetadataTags",
		"HttpProtocolIpv6",
	); err != nil {
		return nil, err
	}
	options := &types.InstanceMetadataOptionsRequest{
		HttpTokens: in.HttpTokens, HttpEndpoint: in.HttpEndpoint,
		HttpPutResponseHopLimit: in.HttpPutResponseHopLimit, InstanceMetadataTags: in.InstanceMetadataTags,
		HttpProtocolIpv6: in.HttpProtocolIpv6,
	}
	if err := checkMetadata(options); err != nil {
		return nil, err
	}
	out := &ec2.ModifyInstanceMetadataOptionsOutput{InstanceId: in.InstanceId}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := instances.get(tx, region, *in.InstanceId)
		if err != nil {
			return err
		}
		if row.State != store.Pending && row.State != store.Running && row.State != store.Stopping &&
			row.State != store.Stopped {
			return incorrectState(row, "modified")
		}
		store.Instances.Edit(tx, row.ID, func(row *store.Instance) {
			setMetadataOptions(row, options)
			out.InstanceMetadataOptions = metadataOptionsItem(row, types.InstanceMetadataOptionsStatePending)
		})
		return nil
	})
}

// ModifyInstanceMetadataDefaults changes the metadata options of later launches that do not name
// them. "no-preference", and a hop limit of -1, take a default back.
func (a *API) ModifyInstanceMetadataDefaults(
	ctx context.Context, in *ec2.ModifyInstanceMetadataDefaultsInput,
) (*ec2.ModifyInstanceMetadataDefaultsOutput, error) {
	if err := supportOnly(
		in, "DryRun", "HttpTokens", "HttpEndpoint", "HttpPutResponseHopLimit", "InstanceMetadataTags",
	); err != nil {
		return nil, err
	}
	if err := cmp.Or(
		checkEnum("httpTokens", in.HttpTokens),
		checkEnum("httpEndpoint", in.HttpEndpoint),
		checkEnum("instanceMetadataTags", in.InstanceMetadataTags),
	); err != nil {
		return nil, err
	}
	hops := aws.ToInt32(in.HttpPutResponseHopLimit)
	if in.HttpPutResponseHopLimit != nil && hops != -1 && (hops < 1 || hops > maxHops) {
		return nil, invalidValue("httpPutResponseHopLimit", strconv.Itoa(int(hops)), "It must be -1, or from 1 to 64.")
	}
	out := &ec2.ModifyInstanceMetadataDefaultsOutput{Return: aws.Bool(true)}
	return out, a.changeSetting(ctx, in.DryRun, func(row *store.AccountSetting) {
		setPreference(&row.Metadata.Tokens, string(in.HttpTokens))
		setPreference(&row.Metadata.Endpoint, string(in.HttpEndpoint))
		setPreference(&row.Metadata.Tags, string(in.InstanceMetadataTags))
		if hops != 0 {
			row.Metadata.HopLimit = max(hops, 0)
		}
	})
}

// noPreference is the value of a default that leaves the choice to launches.
const noPreference = "no-preference"

// setPreference sets a default to a value of a request, which may take it back.
func setPreference(field *string, value string) {
	setIfGiven(field, value)
	if value == noPreference {
		*field = ""
	}
}

// metadataDefaults returns the account's defaults in the form of a launch's options.
func metadataDefaults(d store.MetadataDefaults) *types.InstanceMetadataOptionsRequest {
	m := &types.InstanceMetadataOptionsRequest{
		HttpTokens:           types.HttpTokensState(d.Tokens),
		HttpEndpoint:         types.InstanceMetadataEndpointState(d.Endpoint),
		InstanceMetadataTags: types.InstanceMetadataTagsState(d.Tags),
	}
	if d.HopLimit != 0 {
		m.HttpPutResponseHopLimit = aws.Int32(d.HopLimit)
	}
	return m
}

// GetInstanceMetadataDefaults returns the account's defaults for the metadata options of
// launches.
func (a *API) GetInstanceMetadataDefaults(
	ctx context.Context, in *ec2.GetInstanceMetadataDefaultsInput,
) (*ec2.GetInstanceMetadataDefaultsOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	defaults := metadataDefaults(store.SettingOf(view, region).Metadata)
	return &ec2.GetInstanceMetadataDefaultsOutput{AccountLevel: &types.InstanceMetadataDefaultsResponse{
		HttpTokens:              defaults.HttpTokens,
		HttpEndpoint:            defaults.HttpEndpoint,
		HttpPutResponseHopLimit: defaults.HttpPutResponseHopLimit,
		InstanceMetadataTags:    defaults.InstanceMetadataTags,
		ManagedBy:               types.ManagedByAccount,
	}}, nil
}
