package ec2

import (
	"context"
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

func networkACLEntryItem(e store.NetworkACLEntry) types.NetworkAclEntry {
	item := types.NetworkAclEntry{
		RuleNumber:    aws.Int32(int32(e.Number)),
		Egress:        aws.Bool(e.Egress),
		RuleAction:    aclAction(e),
		Protocol:      aws.String(e.Protocol),
		CidrBlock:     optionalString(ipv4(e.CIDR)),
		Ipv6CidrBlock: optionalString(ipv6(e.CIDR)),
	}
	switch e.Protocol {
	case "6", "17":
		item.PortRange = &types.PortRange{From: aws.Int32(int32(e.FromPort)), To: aws.Int32(int32(e.ToPort))}
	case "1", "58":
		item.IcmpTypeCode = &types.IcmpTypeCode{Type: aws.Int32(int32(e.ICMPType)), Code: aws.Int32(int32(e.ICMPCode))}
	}
	return item
}

// parseACLEntry validates the parameters of CreateNetworkAclEntry, which are those of
// ReplaceNetworkAclEntry too, and returns the entry.
func parseACLEntry(in *ec2.CreateNetworkAclEntryInput) (store.NetworkACLEntry, error) {
	action := string(in.RuleAction)
	var e store.NetworkACLEntry
	if err := required(
		parameter{"networkAclId", in.NetworkAclId},
		parameter{"protocol", in.Protocol},
		parameter{"ruleAction", &action},
	); err != nil {
		return e, err
	}
	switch {
	case in.RuleNumber == nil:
		return e, missingParameter("ruleNumber")
	case in.Egress == nil:
		return e, missingParameter("egress")
	case !strings.EqualFold(action, string(types.RuleActionAllow)) &&
		!strings.EqualFold(action, string(types.RuleActionDeny)):
		return e, invalidValue("ruleAction", action, "Valid values are allow and deny.")
	}
	if err := checkRuleNumber(*in.RuleNumber); err != nil {
		return e, err
	}
	block, err := aclBlock(in.CidrBlock, in.Ipv6CidrBlock)
	if err != nil {
		return e, err
	}
	e = store.NetworkACLEntry{
		Number: int(*in.RuleNumber),
		Egress: *in.Egress,
		Allow:  strings.EqualFold(action, string(types.RuleActionAllow)), // in any case, as on AWS
		CIDR:   block,
	}
	if e.Protocol, err = aclProtocol(*in.Protocol); err != nil {
		return e, err
	}
	return e, parseProtocolFields(in, &e)
}

// aclBlock returns the addresses of an entry, which are of one family.
func aclBlock(v4, v6 *string) (netip.Prefix, error) {
	switch {
	case v4 != nil && v6 != nil:
		return netip.Prefix{}, wire.Errorf("InvalidParameterCombination",
			"The parameter 'cidrBlock' may not be used in combination with 'ipv6CidrBlock'")
	case v6 != nil:
		return parseIPv6CIDR("ipv6CidrBlock", *v6)
	case v4 == nil:
		return netip.Prefix{}, wire.Errorf(
			"MissingParameter", "Either 'cidrBlock' or 'ipv6CidrBlock' should be provided.")
	}
	return parseCIDR("cidrBlock", *v4)
}

// parseProtocolFields sets the fields of e that depend on its protocol.
func parseProtocolFields(in *ec2.CreateNetworkAclEntryInput, e *store.NetworkACLEntry) error {
	switch e.Protocol {
	case "6", "17":
		if in.PortRange == nil || in.PortRange.From == nil || in.PortRange.To == nil {
			return missingParameter("portRange")
		}
		from, to := int(*in.PortRange.From), int(*in.PortRange.To)
		if from < 0 || to > maxPort || from > to {
			return wire.Errorf("InvalidParameterValue", "Invalid TCP/UDP port range (%d:%d)", from, to)
		}
		e.FromPort, e.ToPort = from, to
	case "1", "58":
		if in.IcmpTypeCode == nil || in.IcmpTypeCode.Type == nil || in.IcmpTypeCode.Code == nil {
			return missingParameter("icmpTypeCode.code")
		}
		e.ICMPType, e.ICMPCode = int(*in.IcmpTypeCode.Type), int(*in.IcmpTypeCode.Code)
	}
	return nil
}

// checkRuleNumber refuses numbers that users cannot give (Amazon VPC User Guide,
// Network ACL rules: 1 to 32766).
func checkRuleNumber(number int32) error {
	if number < 1 || number >= defaultRuleNumber {
		return invalidValue("ruleNumber", strconv.Itoa(int(number)), "Rule numbers are between 1 and 32766.")
	}
	return nil
}

// aclProtocol returns the number of a protocol, as network ACLs show it.
func aclProtocol(name string) (string, error) {
	switch strings.ToLower(name) {
	case "all", anyProtocol:
		return anyProtocol, nil
	case "tcp":
		return "6", nil
	case "udp":
		return "17", nil
	case "icmp":
		return "1", nil
	case "icmpv6", "ipv6-icmp":
		return "58", nil
	}
	if n, err := strconv.Atoi(name); err != nil || n < 0 || n > 255 {
		return "", wire.Errorf("InvalidParameterValue", "Invalid value '%s' for IP protocol. Unknown protocol.", name)
	}
	return name, nil
}

func entryIndex(acl *store.NetworkACL, number int, egress bool) int {
	return slices.IndexFunc(
		acl.Entries,
		func(e store.NetworkACLEntry) bool { return e.Number == number && e.Egress == egress },
	)
}

func entryNotFound(aclID string, number int32, egress bool) error {
	direction := "ingress"
	if egress {
		direction = "egress"
	}
	return wire.Errorf(
		"InvalidNetworkAclEntry.NotFound",
		"The %s network acl entry with rule number %d does not exist in network acl %s.", direction, number, aclID,
	)
}

// CreateNetworkAclEntry adds an entry to a network ACL.
func (a *API) CreateNetworkAclEntry(
	ctx context.Context, in *ec2.CreateNetworkAclEntryInput,
) (*ec2.CreateNetworkAclEntryOutput, error) {
	entry, err := parseACLEntry(in)
	if err != nil {
		return nil, err
	}
	out := &ec2.CreateNetworkAclEntryOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		acl, err := networkACLs.get(tx, region, *in.NetworkAclId)
		if err != nil {
			return err
		}
		if entryIndex(acl, entry.Number, entry.Egress) >= 0 {
			return wire.Errorf(
				"NetworkAclEntryAlreadyExists", "The network acl entry identified by %d already exists.", entry.Number,
			)
		}
		setEntries(tx, acl, append(slices.Clone(acl.Entries), entry))
		return nil
	})
}

// setEntries stores the entries of a network ACL: outbound entries first, those of one
// direction in the order of evaluation.
func setEntries(tx *store.Tx, acl *store.NetworkACL, entries []store.NetworkACLEntry) {
	slices.SortStableFunc(entries, func(a, b store.NetworkACLEntry) int {
		switch {
		case a.Egress == b.Egress:
			return a.Number - b.Number
		case a.Egress:
			return -1
		}
		return 1
	})
	store.NetworkACLs.Edit(tx, acl.ID, func(row *store.NetworkACL) { row.Entries = entries })
}

// ReplaceNetworkAclEntry replaces the entry of a network ACL with the same number and
// direction.
func (a *API) ReplaceNetworkAclEntry(
	ctx context.Context, in *ec2.ReplaceNetworkAclEntryInput,
) (*ec2.ReplaceNetworkAclEntryOutput, error) {
	entry, err := parseACLEntry((*ec2.CreateNetworkAclEntryInput)(in))
	if err != nil {
		return nil, err
	}
	out := &ec2.ReplaceNetworkAclEntryOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		acl, err := networkACLs.get(tx, region, *in.NetworkAclId)
		if err != nil {
			return err
		}
		i := entryIndex(acl, entry.Number, entry.Egress)
		if i < 0 {
			return entryNotFound(acl.ID, *in.RuleNumber, entry.Egress)
		}
		entries := slices.Clone(acl.Entries)
		entries[i] = entry
		setEntries(tx, acl, entries)
		return nil
	})
}

// DeleteNetworkAclEntry deletes an entry of a network ACL.
func (a *API) DeleteNetworkAclEntry(
	ctx context.Context, in *ec2.DeleteNetworkAclEntryInput,
) (*ec2.DeleteNetworkAclEntryOutput, error) {
	if err := required(parameter{"networkAclId", in.NetworkAclId}); err != nil {
		return nil, err
	}
	if in.RuleNumber == nil {
		return nil, missingParameter("ruleNumber")
	}
	if in.Egress == nil {
		return nil, missingParameter("egress")
	}
	if err := checkRuleNumber(*in.RuleNumber); err != nil {
		return nil, err
	}
	out := &ec2.DeleteNetworkAclEntryOutput{}
	return out, a.change(ctx, in.DryRun, func(tx *store.Tx, region identity.Region) error {
		acl, err := networkACLs.get(tx, region, *in.NetworkAclId)
		if err != nil {
			return err
		}
		i := entryIndex(acl, int(*in.RuleNumber), *in.Egress)
		if i < 0 {
			return entryNotFound(acl.ID, *in.RuleNumber, *in.Egress)
		}
		setEntries(tx, acl, slices.Delete(slices.Clone(acl.Entries), i, i+1))
		return nil
	})
}
