package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func (c *cloud) prefixListOf(blocks ...string) string {
	c.t.Helper()
	in := &ec2.CreateManagedPrefixListInput{
		PrefixListName: aws.String("office"), AddressFamily: aws.String("IPv4"), MaxEntries: aws.Int32(3),
	}
	for _, block := range blocks {
		in.Entries = append(in.Entries, types.AddPrefixListEntry{Cidr: aws.String(block)})
	}
	return *do(c, c.CreateManagedPrefixList, in).PrefixList.PrefixListId
}

func (c *cloud) entries(id string) (blocks []string) {
	c.t.Helper()
	out := do(c, c.GetManagedPrefixListEntries, &ec2.GetManagedPrefixListEntriesInput{PrefixListId: &id})
	for _, e := range out.Entries {
		blocks = append(blocks, *e.Cidr)
	}
	return blocks
}

func TestPrefixListsHaveVersions(t *testing.T) {
	c := newCloud(t)
	id := c.prefixListOf("192.0.2.7/24")
	if got := c.entries(id); len(got) != 1 || got[0] != "192.0.2.0/24" {
		t.Fatalf("entries %v", got)
	}
	change := &ec2.ModifyManagedPrefixListInput{
		PrefixListId: &id, CurrentVersion: aws.Int64(1),
		AddEntries:    []types.AddPrefixListEntry{{Cidr: aws.String("198.51.100.0/24")}},
		RemoveEntries: []types.RemovePrefixListEntry{{Cidr: aws.String("192.0.2.0/24")}},
	}
	if out := do(c, c.ModifyManagedPrefixList, change); *out.PrefixList.Version != 2 {
		t.Errorf("version %d", *out.PrefixList.Version)
	}
	if got := c.entries(id); len(got) != 1 || got[0] != "198.51.100.0/24" {
		t.Errorf("entries %v", got)
	}
	wantError(c, c.ModifyManagedPrefixList, change,
		"PrefixListVersionMismatch: The prefix list has the incorrect version number.")
	do(c, c.RestoreManagedPrefixListVersion, &ec2.RestoreManagedPrefixListVersionInput{
		PrefixListId: &id, CurrentVersion: aws.Int64(2), PreviousVersion: aws.Int64(1),
	})
	if got := c.entries(id); len(got) != 1 || got[0] != "192.0.2.0/24" {
		t.Errorf("entries %v after the restore", got)
	}
	change.CurrentVersion, change.AddEntries[0].Cidr = aws.Int64(3), change.RemoveEntries[0].Cidr
	wantError(c, c.ModifyManagedPrefixList, change, "InvalidParameterValue: Request cannot contain Cidr "+
		"192.0.2.0/24 in both AddPrefixListEntries and RemovePrefixListEntries")
	change.MaxEntries = aws.Int32(5)
	wantError(c, c.ModifyManagedPrefixList, change, "InvalidParameterCombination: You cannot modify the entries "+
		"and the maximum entries for the prefix list in the same request.")
	many := &ec2.ModifyManagedPrefixListInput{PrefixListId: &id, CurrentVersion: aws.Int64(3)}
	for _, block := range []string{"10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"} {
		many.AddEntries = append(many.AddEntries, types.AddPrefixListEntry{Cidr: aws.String(block)})
	}
	_, err := c.ModifyManagedPrefixList(c.ctx, many)
	wantCode(t, err, "PrefixListMaxEntriesExceeded")
	all := do(c, c.DescribeManagedPrefixLists, &ec2.DescribeManagedPrefixListsInput{
		Filters: []types.Filter{filter("prefix-list-name", "off*")},
	})
	if len(all.PrefixLists) != 1 || all.PrefixLists[0].State != types.PrefixListStateRestoreComplete {
		t.Errorf("lists %+v", all.PrefixLists)
	}
}

func TestRulesReferToPrefixLists(t *testing.T) {
	c := newCloud(t)
	group, list := c.group(c.vpc("10.0.0.0/16"), "web"), c.prefixListOf("192.0.2.0/24")
	allow := &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &group, IpPermissions: []types.IpPermission{{
		IpProtocol: aws.String("tcp"), FromPort: aws.Int32(80), ToPort: aws.Int32(80),
		PrefixListIds: []types.PrefixListId{{PrefixListId: &list, Description: aws.String("office")}},
	}}}
	if out := do(c, c.AuthorizeSecurityGroupIngress, allow); *out.SecurityGroupRules[0].PrefixListId != list {
		t.Errorf("rules %+v", out.SecurityGroupRules)
	}
	_, err := c.AuthorizeSecurityGroupIngress(c.ctx, allow)
	wantCode(t, err, "InvalidPermission.Duplicate")
	found := do(c, c.DescribeSecurityGroups, &ec2.DescribeSecurityGroupsInput{
		Filters: []types.Filter{filter("ip-permission.prefix-list-id", list)},
	}).SecurityGroups
	if len(found) != 1 || *found[0].IpPermissions[0].PrefixListIds[0].Description != "office" {
		t.Fatalf("groups %+v", found)
	}
	used := do(c, c.GetManagedPrefixListAssociations, &ec2.GetManagedPrefixListAssociationsInput{PrefixListId: &list})
	if len(used.PrefixListAssociations) != 1 || *used.PrefixListAssociations[0].ResourceId != group {
		t.Errorf("associations %+v", used.PrefixListAssociations)
	}
	wantError(c, c.DeleteManagedPrefixList, &ec2.DeleteManagedPrefixListInput{PrefixListId: &list},
		"DependencyViolation: The prefixList '"+list+"' has dependencies and cannot be deleted.")
	do(c, c.RevokeSecurityGroupIngress, &ec2.RevokeSecurityGroupIngressInput{
		GroupId: &group, IpPermissions: allow.IpPermissions,
	})
	do(c, c.DeleteManagedPrefixList, &ec2.DeleteManagedPrefixListInput{PrefixListId: &list})
	_, err = c.AuthorizeSecurityGroupIngress(c.ctx, allow)
	wantCode(t, err, "InvalidPrefixListID.NotFound")
}

func TestARuleCountsAsManyTimesAsItsPrefixListMayHaveEntries(t *testing.T) {
	c := newCloud(t)
	group := c.group(c.vpc("10.0.0.0/16"), "web")
	list := do(c, c.CreateManagedPrefixList, &ec2.CreateManagedPrefixListInput{
		PrefixListName: aws.String("big"), AddressFamily: aws.String("IPv4"), MaxEntries: aws.Int32(61),
	}).PrefixList.PrefixListId
	_, err := c.AuthorizeSecurityGroupIngress(c.ctx, &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: &group, IpPermissions: []types.IpPermission{{
			IpProtocol: aws.String("-1"), PrefixListIds: []types.PrefixListId{{PrefixListId: list}},
		}},
	})
	wantCode(t, err, "RulesPerSecurityGroupLimitExceeded")
}

func TestDHCPOptionsOfAVPC(t *testing.T) {
	c := newCloud(t)
	vpc := c.vpc("10.0.0.0/16")
	associated := func() string {
		return *do(c, c.DescribeVpcs, &ec2.DescribeVpcsInput{VpcIds: []string{vpc}}).Vpcs[0].DhcpOptionsId
	}
	first := associated()
	created := do(c, c.CreateDhcpOptions, &ec2.CreateDhcpOptionsInput{
		DhcpConfigurations: []types.NewDhcpConfiguration{
			{Key: aws.String("netbios-node-type"), Values: []string{"2"}},
			{Key: aws.String("domain-name"), Values: []string{"corp.test"}},
			{Key: aws.String("ipv6-address-preferred-lease-time"), Values: []string{"1440"}},
			{Key: aws.String("domain-name-servers"), Values: []string{"10.0.0.7", "AmazonProvidedDNS"}},
		},
		TagSpecifications: specification(types.ResourceTypeDhcpOptions, "Name", "corp"),
	}).DhcpOptions
	var keys []string
	for _, configuration := range created.DhcpConfigurations {
		keys = append(keys, *configuration.Key)
	}
	if len(keys) != 4 || keys[0] != "domain-name" || keys[2] != "ipv6-address-preferred-lease-time" ||
		keys[3] != "netbios-node-type" || len(created.Tags) != 1 {
		t.Errorf("options %+v", created)
	}
	id := created.DhcpOptionsId
	do(c, c.AssociateDhcpOptions, &ec2.AssociateDhcpOptionsInput{DhcpOptionsId: id, VpcId: &vpc})
	if associated() != *id {
		t.Errorf("the VPC has %s", associated())
	}
	wantError(c, c.DeleteDhcpOptions, &ec2.DeleteDhcpOptionsInput{DhcpOptionsId: id},
		"DependencyViolation: The dhcpOptions '"+*id+"' has dependencies and cannot be deleted.")
	if other := c.vpc("10.1.0.0/16"); other != "" && associated() == first {
		t.Error("a new VPC changed another's options")
	}
	do(c, c.AssociateDhcpOptions, &ec2.AssociateDhcpOptionsInput{DhcpOptionsId: aws.String("default"), VpcId: &vpc})
	do(c, c.DeleteDhcpOptions, &ec2.DeleteDhcpOptionsInput{DhcpOptionsId: id})
	if associated() != "default" {
		t.Errorf("the VPC has %s", associated())
	}
	for _, bad := range []types.NewDhcpConfiguration{
		{Key: aws.String("shoe-size"), Values: []string{"42"}},
		{Key: aws.String("ntp-servers"), Values: []string{"pool.test"}},
		{Key: aws.String("domain-name-servers"), Values: []string{"10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4,10.0.0.5"}},
		{Key: aws.String("netbios-node-type"), Values: []string{"3"}},
		{Key: aws.String("ipv6-address-preferred-lease-time"), Values: []string{"139"}},
		{Key: aws.String("domain-name")},
	} {
		_, err := c.CreateDhcpOptions(c.ctx, &ec2.CreateDhcpOptionsInput{
			DhcpConfigurations: []types.NewDhcpConfiguration{bad},
		})
		wantCode(t, err, "InvalidParameterValue")
	}
}
