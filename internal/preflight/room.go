package preflight

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// leastAddresses is how many addresses of each subnet an Application Load Balancer
// needs (Elastic Load Balancing, Application Load Balancers guide, "Subnets for your
// load balancer").
const leastAddresses = 8

// addressesNeeded returns how many addresses a plan needs in subnets, by their addresses in
// the stack. A machine is counted in the subnet that it prefers, and servers that are replaced
// one after the other count once.
func (c Config) addressesNeeded() map[string]int {
	needed, replaced := map[string]int{}, map[string]int{}
	for _, change := range c.Plan.Changes {
		if change.Action != plan.Create && change.Action != plan.Replace {
			continue
		}
		switch body := change.Desired.Body.(type) {
		case stack.LoadBalancer:
			for _, subnet := range body.Subnets {
				needed[subnet.Address] += leastAddresses
			}
		case stack.ConnectEndpoint:
			needed[body.Subnet.Address]++
		case stack.Server:
			if subnet := body.Places[0].Subnet.Address; change.Action == plan.Replace {
				replaced[subnet] = 1
			} else {
				needed[subnet]++
			}
		case stack.ScalingGroup:
			most := (body.Max*stack.MaxHealthyPercent + 99) / 100
			for _, subnet := range body.Subnets {
				needed[subnet.Address] += (most + len(body.Subnets) - 1) / len(body.Subnets)
			}
		}
	}
	for subnet, n := range replaced {
		needed[subnet] += n
	}
	return needed
}

// subnets checks that the subnets that exist have room for what the plan creates in them. New
// ones are empty, and the spec refuses those that are too small for a load balancer.
func (c Config) subnets(ctx context.Context) Check {
	const name = "subnets"
	needed, addressOf := c.addressesNeeded(), map[string]string{} // by id
	for address := range needed {
		if f, ok := c.Plan.Kept[address]; ok {
			addressOf[f.ID] = address
		}
	}
	if len(addressOf) == 0 {
		return Check{Name: name, State: OK, Detail: "new ones have room"}
	}
	list, err := c.Client.EC2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{
		SubnetIds: slices.Sorted(maps.Keys(addressOf)),
	})
	if err != nil {
		return notChecked(name, err)
	}
	var problems diag.List
	for _, s := range list.Subnets {
		id := aws.ToString(s.SubnetId)
		if free, n := int(aws.ToInt32(s.AvailableIpAddressCount)), needed[addressOf[id]]; free < n {
			problems.Add("subnet "+id,
				"delete network interfaces that nobody uses in it, or give network.subnets a larger one",
				"has %d free addresses, and what is created in it needs %d", free, n)
		}
	}
	if len(problems) > 0 {
		return failed(name, problems...)
	}
	return Check{Name: name, State: OK, Detail: fmt.Sprintf("%d that exist have room", len(list.Subnets))}
}
