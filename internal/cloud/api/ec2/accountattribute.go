package ec2

import (
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/quota"
)

// maxInstances is an attribute that no longer limits anything: quotas of vCPUs do (Amazon EC2
// API Reference, DescribeAccountAttributes).
const maxInstances = 20

// accountAttribute is an attribute with its one value.
type accountAttribute struct {
	name  types.AccountAttributeName
	value string
}

// DescribeAccountAttributes returns attributes of the account in the region.
func (a *API) DescribeAccountAttributes(
	ctx context.Context, in *ec2.DescribeAccountAttributesInput,
) (*ec2.DescribeAccountAttributesOutput, error) {
	view, region, err := a.read(ctx, in.DryRun)
	if err != nil {
		return nil, err
	}
	limits := a.Manners.Has(manners.Limits)
	addresses := strconv.Itoa(quota.ElasticIPs.Applied(limits))
	out := &ec2.DescribeAccountAttributesOutput{AccountAttributes: []types.AccountAttribute{}}
	attributes := []accountAttribute{
		{types.AccountAttributeNameSupportedPlatforms, "VPC"},
		{"vpc-max-security-groups-per-interface", strconv.Itoa(quota.InterfaceGroups.Applied(limits))},
		{"max-elastic-ips", addresses},
		{"max-instances", strconv.Itoa(maxInstances)},
		{"vpc-max-elastic-ips", addresses},
		{types.AccountAttributeNameDefaultVpc, "none"},
	}
	if vpc, ok := defaultVPC(view, region); ok {
		attributes[len(attributes)-1].value = vpc.ID
	}
	for _, name := range in.AttributeNames {
		if !slices.ContainsFunc(attributes, func(a accountAttribute) bool { return a.name == name }) {
			return nil, invalidValue("attributeName", string(name), "It is not one of the account's attributes.")
		}
	}
	for _, attribute := range attributes {
		if len(in.AttributeNames) > 0 && !slices.Contains(in.AttributeNames, attribute.name) {
			continue
		}
		out.AccountAttributes = append(out.AccountAttributes, types.AccountAttribute{
			AttributeName:   aws.String(string(attribute.name)),
			AttributeValues: []types.AccountAttributeValue{{AttributeValue: aws.String(attribute.value)}},
		})
	}
	return out, nil
}
