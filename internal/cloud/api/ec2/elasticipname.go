package ec2

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/hostedzone"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// addressAttribute describes the reverse name of an Elastic IP address.
func addressAttribute(row *store.ElasticIP) types.AddressAttribute {
	return types.AddressAttribute{
		AllocationId: aws.String(row.ID), PublicIp: aws.String(row.PublicIP.String()),
		PtrRecord: optionalString(row.ReverseName),
	}
}

// DescribeAddressesAttribute lists Elastic IP addresses with their reverse names. A request that asks
// for the names gets the addresses that have one: Terraform's provider takes an address that is still
// listed for one whose name is not yet removed.
func (a *API) DescribeAddressesAttribute(
	ctx context.Context, in *ec2.DescribeAddressesAttributeInput,
) (*ec2.DescribeAddressesAttributeOutput, error) {
	if err := checkEnum("attribute", in.Attribute); err != nil {
		return nil, err
	}
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	rows, next, err := elasticIPs.describe(view, region, describeQuery{
		ids: in.AllocationIds, idParameter: "allocationIds", page: pageRequest{in.MaxResults, in.NextToken},
	})
	if err != nil {
		return nil, err
	}
	if in.Attribute == types.AddressAttributeNameDomainName {
		rows = slices.DeleteFunc(rows, func(row *store.ElasticIP) bool { return row.ReverseName == "" })
	}
	return &ec2.DescribeAddressesAttributeOutput{Addresses: list(rows, addressAttribute), NextToken: next}, nil
}

// ModifyAddressAttribute sets the reverse name of an Elastic IP address, with which the resolvers of
// VPCs answer at once. A hosted zone has to lead from the name to the address (Amazon EC2 User Guide,
// "Create a reverse DNS record for email").
func (a *API) ModifyAddressAttribute(
	ctx context.Context, in *ec2.ModifyAddressAttributeInput,
) (*ec2.ModifyAddressAttributeOutput, error) {
	if err := required(
		parameter{"allocationId", in.AllocationId}, parameter{"domainName", in.DomainName},
	); err != nil {
		return nil, err
	}
	name, err := hostedzone.ParseName(*in.DomainName)
	if err != nil {
		return nil, invalidValue("domainName", *in.DomainName, "It is not a domain name.")
	}
	out := &ec2.ModifyAddressAttributeOutput{}
	return out, a.setReverseName(ctx, in.DryRun, *in.AllocationId, func(
		tx *store.Tx, row *store.ElasticIP,
	) (string, error) {
		if !leadsTo(tx, name, row.PublicIP.String()) {
			return "", invalidValue(
				"domainName", *in.DomainName, "No record of type A leads from the name to "+row.PublicIP.String()+".",
			)
		}
		out.Address = changingAttribute(row, name)
		return name, nil
	})
}

// leadsTo reports whether a hosted zone that everybody can ask has a record of a name with an IPv4
// address.
func leadsTo(r store.Reader, name, address string) bool {
	answer, _ := hostedzone.Lookup(r, "", name, "A")
	return slices.ContainsFunc(answer.Records, func(set *store.RecordSet) bool {
		return set.Type == "A" && slices.Contains(set.Values, address)
	})
}

// ResetAddressAttribute removes the reverse name of an Elastic IP address.
func (a *API) ResetAddressAttribute(
	ctx context.Context, in *ec2.ResetAddressAttributeInput,
) (*ec2.ResetAddressAttributeOutput, error) {
	if err := required(
		parameter{"allocationId", in.AllocationId}, parameter{"attribute", aws.String(string(in.Attribute))},
	); err != nil {
		return nil, err
	}
	if err := checkEnum("attribute", in.Attribute); err != nil {
		return nil, err
	}
	out := &ec2.ResetAddressAttributeOutput{}
	return out, a.setReverseName(ctx, in.DryRun, *in.AllocationId, func(
		_ *store.Tx, row *store.ElasticIP,
	) (string, error) {
		out.Address = changingAttribute(row, "")
		return "", nil
	})
}

// changingAttribute describes the change of a reverse name, which EC2 begins.
func changingAttribute(row *store.ElasticIP, name string) *types.AddressAttribute {
	item := addressAttribute(row)
	item.PtrRecordUpdate = &types.PtrUpdateStatus{Status: aws.String("PENDING"), Value: optionalString(name)}
	return &item
}

// setReverseName gives an Elastic IP address the reverse name that choose returns.
func (a *API) setReverseName(
	ctx context.Context, dryRun *bool, id string, choose func(*store.Tx, *store.ElasticIP) (string, error),
) error {
	return a.change(ctx, dryRun, func(tx *store.Tx, region identity.Region) error {
		row, err := elasticIPs.get(tx, region, id)
		if err != nil {
			return err
		}
		name, err := choose(tx, row)
		if err != nil {
			return err
		}
		store.ElasticIPs.Edit(tx, row.ID, func(row *store.ElasticIP) { row.ReverseName = name })
		return nil
	})
}

// checkUnlocked refuses to release an Elastic IP address that has a reverse name (Amazon EC2 API
// Reference, "Error codes for the Amazon EC2 API").
func checkUnlocked(row *store.ElasticIP) error {
	if row.ReverseName == "" {
		return nil
	}
	return wire.Errorf(
		"InvalidAddress.Locked",
		"The address with allocation id [%s] cannot be released because it is locked to your account.", row.ID,
	)
}
