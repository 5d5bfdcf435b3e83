package preflight

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/stack"
)

// region checks that the region is enabled in the account.
func (c Config) region(ctx context.Context) Check {
	const name = "region"
	region := c.Client.Region
	list, err := c.Client.EC2.DescribeRegions(ctx, &ec2.DescribeRegionsInput{
		RegionNames: []string{region}, AllRegions: aws.Bool(true),
	})
	if err != nil {
		return notChecked(name, err)
	}
	for _, r := range list.Regions {
		if status := aws.ToString(r.OptInStatus); aws.ToString(r.RegionName) == region && status == "not-opted-in" {
			return failed(name, &diag.Diagnostic{
				Where:   "region",
				Summary: region + " is not enabled in this account",
				Hint:    "enable it under AWS Account, AWS Regions, or choose a region that is enabled",
			})
		}
	}
	return Check{Name: name, State: OK, Detail: region + " is enabled"}
}

// instanceType checks that the zones of the servers offer one of their instance types.
// They were chosen for that, unless the spec or subnets that exist name them.
func (c Config) instanceType(context.Context) Check {
	const name = "instance type"
	types, zones := strings.Join(c.InstanceTypes, " or "), make([]string, len(c.Zones))
	var lacking []string
	for i, z := range c.Zones {
		zones[i] = z.Name
		if !z.OffersAny(c.InstanceTypes) {
			lacking = append(lacking, z.Name)
		}
	}
	if len(lacking) > 0 {
		return failed(name, &diag.Diagnostic{
			Where:   "machines.type",
			Summary: fmt.Sprintf("%s does not offer %s", strings.Join(lacking, ", "), types),
			Hint:    "add a type that these zones offer to machines.type, or choose other zones in network.subnets",
		})
	}
	if problem := c.builderType(zones); problem != nil {
		return failed(name, problem)
	}
	return Check{Name: name, State: OK, Detail: fmt.Sprintf("%s is offered in %s", types, strings.Join(zones, ", "))}
}

// builderType returns a problem if the plan launches a builder and none of the zones, by
// name, offers one of its types. It may be in any of them.
func (c Config) builderType(zones []string) *diag.Diagnostic {
	for _, change := range c.created(stack.KindServer) {
		body, _ := change.Desired.Body.(stack.Server)
		offers := func(z stack.Zone) bool { return z.OffersAny(body.Types) }
		if change.Address == stack.AddressBuilder && !slices.ContainsFunc(c.Zones, offers) {
			return &diag.Diagnostic{
				Where: "machines.builder",
				Summary: fmt.Sprintf("%s is offered in none of %s",
					strings.Join(body.Types, " or "), strings.Join(zones, ", ")),
				Hint: "add a type that one of these zones offers to machines.builder",
			}
		}
	}
	return nil
}

// failed returns a check that failed.
func failed(name string, problems ...*diag.Diagnostic) Check {
	return Check{Name: name, State: Failed, Detail: problems[0].Error(), Problems: problems}
}
