package ec2

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// The options of a set (Amazon VPC User Guide, DHCP option sets).
const (
	domainName         = "domain-name"
	domainNameServers  = "domain-name-servers"
	ntpServers         = "ntp-servers"
	netBIOSNameServers = "netbios-name-servers"
	netBIOSNodeType    = "netbios-node-type"
	ipv6LeaseTime      = "ipv6-address-preferred-lease-time"

	// amazonDNS stands for the VPC's own resolver.
	amazonDNS = "AmazonProvidedDNS"
	// maxServers limits the addresses of one option.
	maxServers = 4
	// An IPv6 address is leased for at least and at most so many seconds.
	minLeaseTime, maxLeaseTime = 140, 1<<31 - 1
	// noDHCPOptions is the id that stands for no set.
	noDHCPOptions = "default"
)

// regionDomain returns the domain of a region's default set.
func regionDomain(region string) string {
	if region == "us-east-1" {
		return "ec2.internal"
	}
	return region + ".compute.internal"
}

// defaultDHCPOptions returns the id of the set that new VPCs get: the region's default, unless
// it was deleted.
func defaultDHCPOptions(r store.Reader, region identity.Region) string {
	for _, row := range store.DHCPOptionSets.InRegion(r, region) {
		if row.DomainName == regionDomain(region.Name()) && slices.Equal(row.DomainNameServers, []string{amazonDNS}) {
			return row.ID
		}
	}
	return noDHCPOptions
}

// CreateDhcpOptions creates a DHCP options set.
func (a *API) CreateDhcpOptions(
	ctx context.Context, in *ec2.CreateDhcpOptionsInput,
) (*ec2.CreateDhcpOptionsOutput, error) {
	if len(in.DhcpConfigurations) == 0 {
		return nil, missingParameter("dhcpConfiguration")
	}
	tags, err := tagsOfSpecifications(in.TagSpecifications, types.ResourceTypeDhcpOptions)
	if err != nil {
		return nil, err
	}
	row := &store.DHCPOptions{ID: a.ids.ID("dopt-"), Tags: tags[types.ResourceTypeDhcpOptions]}
	for _, c := range in.DhcpConfigurations {
		if err := setDHCPOption(row, aws.ToString(c.Key), splitValues(c.Values)); err != nil {
			return nil, err
		}
	}
	if err := a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row.Region = region
		store.DHCPOptionSets.Put(tx, row)
		return nil
	}); err != nil {
		return nil, err
	}
	item := dhcpOptionsItem(row)
	return &ec2.CreateDhcpOptionsOutput{DhcpOptions: &item}, nil
}

// splitValues returns the values of an option. Some clients write several in one text, with
// commas.
func splitValues(values []string) []string {
	var out []string
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, part)
			}
		}
	}
	return out
}

// setDHCPOption sets an option of a set.
func setDHCPOption(row *store.DHCPOptions, key string, values []string) error {
	if len(values) == 0 {
		return wire.Errorf("InvalidParameterValue", "No value supplied for option %s", key)
	}
	switch key {
	case domainName:
		row.DomainName = strings.Join(values, " ")
	case domainNameServers:
		row.DomainNameServers = values
		return checkServers(key, values, amazonDNS)
	case ntpServers:
		row.NTPServers = values
		return checkServers(key, values)
	case netBIOSNameServers:
		row.NetBIOSNameServers = values
		return checkServers(key, values)
	case netBIOSNodeType:
		row.NetBIOSNodeType = values[0]
		if len(values) > 1 || !slices.Contains([]string{"1", "2", "4", "8"}, values[0]) {
			return invalidValue(key, strings.Join(values, ","), "Valid values are 1, 2, 4 and 8.")
		}
	case ipv6LeaseTime:
		row.IPv6LeaseTime = values[0]
		return checkLeaseTime(values)
	default:
		return invalidValue("name", key, "Unknown DHCP option")
	}
	return nil
}

// checkServers refuses what is neither an IP address nor one of the names.
func checkServers(key string, values []string, names ...string) error {
	for _, value := range values {
		if _, err := netip.ParseAddr(value); err != nil && !slices.Contains(names, value) {
			return invalidValue(key, value, "It is not a valid IP address.")
		}
	}
	if len(values) > maxServers {
		return invalidValue(key, strings.Join(values, ","), "It has more than four addresses.")
	}
	return nil
}

// checkLeaseTime refuses what is not one number of seconds that IPv6 addresses can be leased for.
func checkLeaseTime(values []string) error {
	seconds, err := strconv.Atoi(values[0])
	if err != nil || len(values) > 1 || seconds < minLeaseTime || seconds > maxLeaseTime {
		return invalidValue(ipv6LeaseTime, strings.Join(values, ","), fmt.Sprintf(
			"Valid values are numbers of seconds between %d and %d.", minLeaseTime, maxLeaseTime,
		))
	}
	return nil
}

// DeleteDhcpOptions deletes a DHCP options set that no VPC has.
func (a *API) DeleteDhcpOptions(
	ctx context.Context, in *ec2.DeleteDhcpOptionsInput,
) (*ec2.DeleteDhcpOptionsOutput, error) {
	if err := required(parameter{"dhcpOptionsId", in.DhcpOptionsId}); err != nil {
		return nil, err
	}
	return &ec2.DeleteDhcpOptionsOutput{}, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := dhcpOptions.get(tx, region, *in.DhcpOptionsId)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(store.VPCs.InRegion(tx, region), func(vpc *store.VPC) bool {
			return vpc.DHCPOptionsID == row.ID
		}) {
			return wire.Errorf("DependencyViolation",
				"The dhcpOptions '%s' has dependencies and cannot be deleted.", row.ID)
		}
		store.DHCPOptionSets.Delete(tx, row.ID)
		return nil
	})
}

// AssociateDhcpOptions gives a VPC a DHCP options set, or none. Machines get the options when
// they next start.
func (a *API) AssociateDhcpOptions(
	ctx context.Context, in *ec2.AssociateDhcpOptionsInput,
) (*ec2.AssociateDhcpOptionsOutput, error) {
	if err := required(
		parameter{"dhcpOptionsId", in.DhcpOptionsId}, parameter{"vpcId", in.VpcId},
	); err != nil {
		return nil, err
	}
	out := &ec2.AssociateDhcpOptionsOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		vpc, err := vpcs.get(tx, region, *in.VpcId)
		if err != nil {
			return err
		}
		if *in.DhcpOptionsId != noDHCPOptions {
			if _, err := dhcpOptions.get(tx, region, *in.DhcpOptionsId); err != nil {
				return err
			}
		}
		store.VPCs.Edit(tx, vpc.ID, func(row *store.VPC) { row.DHCPOptionsID = *in.DhcpOptionsId })
		return nil
	})
}
