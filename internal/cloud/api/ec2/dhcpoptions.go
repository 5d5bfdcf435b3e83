package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

var dhcpOptions = resourceType[store.DHCPOptions]{
	table: store.DHCPOptionSets, kind: types.ResourceTypeDhcpOptions, prefix: "dopt-",
	notFoundCode: "InvalidDhcpOptionID.NotFound", notFoundText: "The dhcpOption ID",
	key:  func(row *store.DHCPOptions) (identity.Region, string) { return row.Region, row.ID },
	tags: func(row *store.DHCPOptions) *store.Tags { return &row.Tags },
	filters: withTagFilters(func(row *store.DHCPOptions) store.Tags { return row.Tags }, filters[*store.DHCPOptions]{
		"dhcp-options-id": field(func(row *store.DHCPOptions) string { return row.ID }),
		"owner-id":        field(func(row *store.DHCPOptions) string { return row.Region.Account() }),
		"key": func(_ store.Reader, row *store.DHCPOptions) []string {
			return list(configurations(row), func(c types.DhcpConfiguration) string { return *c.Key })
		},
		"value": func(_ store.Reader, row *store.DHCPOptions) []string {
			var values []string
			for _, c := range configurations(row) {
				for _, v := range c.Values {
					values = append(values, *v.Value)
				}
			}
			return values
		},
	}),
}

// configurations returns the options that are set, in EC2's order.
func configurations(row *store.DHCPOptions) []types.DhcpConfiguration {
	var out []types.DhcpConfiguration
	add := func(key string, values ...string) {
		out = append(out, types.DhcpConfiguration{
			Key: aws.String(key),
			Values: list(
				values,
				func(v string) types.AttributeValue { return types.AttributeValue{Value: aws.String(v)} },
			),
		})
	}
	if row.DomainName != "" {
		add(domainName, row.DomainName)
	}
	for _, option := range []struct {
		key    string
		values []string
	}{
		{domainNameServers, row.DomainNameServers}, {ipv6LeaseTime, nonEmpty(row.IPv6LeaseTime)},
		{netBIOSNameServers, row.NetBIOSNameServers},
		{netBIOSNodeType, nonEmpty(row.NetBIOSNodeType)}, {ntpServers, row.NTPServers},
	} {
		if len(option.values) > 0 {
			add(option.key, option.values...)
		}
	}
	return out
}

func nonEmpty(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

// DescribeDhcpOptions lists DHCP options sets. Every region has one, which EnsureRegion
// creates.
func (a *API) DescribeDhcpOptions(
	ctx context.Context, in *ec2.DescribeDhcpOptionsInput,
) (*ec2.DescribeDhcpOptionsOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	rows, next, err := dhcpOptions.describe(view, region, describeQuery{
		ids:         in.DhcpOptionsIds,
		idParameter: "dhcpOptionsIds",
		filters:     in.Filters,
		page:        pageRequest{in.MaxResults, in.NextToken},
	})
	if err != nil {
		return nil, err
	}
	return &ec2.DescribeDhcpOptionsOutput{
		NextToken:   next,
		DhcpOptions: list(rows, dhcpOptionsItem),
	}, nil
}

func dhcpOptionsItem(row *store.DHCPOptions) types.DhcpOptions {
	return types.DhcpOptions{
		DhcpOptionsId:      aws.String(row.ID),
		OwnerId:            aws.String(row.Region.Account()),
		DhcpConfigurations: configurations(row),
		Tags:               tagSet(row.Tags),
	}
}
