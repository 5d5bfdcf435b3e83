package preflight

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// counter returns how many resources exist.
type counter func(context.Context) (int, error)

// needs returns what the plan needs of each quota.
func (c Config) needs() []need {
	var all []need
	add := func(q quota, more int, count counter) {
		if more == 0 {
			return
		}
		all = append(all, need{quota: q, config: c, amounts: func(ctx context.Context) (int, int, error) {
			used, err := count(ctx)
			return used, more, err
		}})
	}
	add(vpcQuota, len(c.created(stack.KindVPC)), c.vpcs)
	add(gatewayQuota, len(c.created(stack.KindInternetGateway)), c.gateways)
	add(groupQuota, len(c.created(stack.KindSecurityGroup)), c.securityGroups)
	add(ruleQuota, c.mostRules(), func(context.Context) (int, error) { return 0, nil }) // the groups are new
	if c.instances() > 0 && isStandard(c.preferred()) {
		all = append(all, need{quota: vcpuQuota, config: c, amounts: c.vcpus})
	}
	add(templateQuota, len(c.created(stack.KindLaunchTemplate)), c.launchTemplates)
	add(balancerQuota, len(c.created(stack.KindLoadBalancer)), c.loadBalancers)
	add(targetGroupQuota, len(c.created(stack.KindTargetGroup)), c.targetGroups)
	add(scalingGroupQuota, len(c.created(stack.KindScalingGroup)), c.scalingGroups)
	return all
}

// mostRules returns the largest number of inbound rules of a group that the plan
// creates. A group of machines gets one more while Aloft connects to them.
func (c Config) mostRules() int {
	most := 0
	for _, change := range c.created(stack.KindSecurityGroup) {
		if body, ok := change.Desired.Body.(stack.SecurityGroup); ok {
			most = max(most, len(body.Inbound)+1)
		}
	}
	return most
}

// instances returns how many more instances there are at the same time at most. The
// machines of one phase exist together; each replacement starts before what it
// replaces ends, one after the other.
func (c Config) instances() int {
	created, replaced := map[stack.Phase]int{}, map[stack.Phase]int{}
	for _, change := range c.Plan.Changes {
		switch {
		case change.Kind == stack.KindServer && change.Action == plan.Create:
			created[change.Phase]++
		case change.Kind == stack.KindServer && change.Action == plan.Replace:
			replaced[change.Phase] = 1
		case change.Kind == stack.KindScalingGroup && change.Action == plan.Create:
			if body, ok := change.Desired.Body.(stack.ScalingGroup); ok {
				created[change.Phase] += body.Min
			}
		}
	}
	most := 0
	for phase, n := range created {
		most = max(most, n+replaced[phase])
	}
	for _, n := range replaced {
		most = max(most, n)
	}
	return most
}

// isStandard reports whether an instance type counts against the quota of standard
// instances (Amazon EC2 User Guide, "Amazon EC2 instance type quotas").
func isStandard(instanceType string) bool {
	family := strings.FieldsFunc(instanceType, func(r rune) bool { return r < 'a' || r > 'z' })
	return len(family) > 0 && slices.Contains(
		[]string{"a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"}, family[0],
	)
}

// vcpus returns how many vCPUs of standard instances are in use, and how many more
// the plan needs.
func (c Config) vcpus(ctx context.Context) (used, more int, err error) {
	running := map[string]int{c.preferred(): 0} // by type
	pages := ec2.NewDescribeInstancesPaginator(c.Client.EC2, &ec2.DescribeInstancesInput{
		Filters: []types.Filter{awsapi.Filter("instance-state-name", "pending", "running")},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, 0, fmt.Errorf("list instances: %w", err)
		}
		for _, reservation := range page.Reservations {
			for _, i := range reservation.Instances {
				if i.InstanceLifecycle == "" && isStandard(string(i.InstanceType)) { // spot instances have their own
					running[string(i.InstanceType)]++
				}
			}
		}
	}
	names := slices.Sorted(maps.Keys(running))
	described := ec2.NewDescribeInstanceTypesPaginator(c.Client.EC2, &ec2.DescribeInstanceTypesInput{
		Filters: []types.Filter{awsapi.Filter("instance-type", names...)},
	})
	for described.HasMorePages() {
		page, err := described.NextPage(ctx)
		if err != nil {
			return 0, 0, fmt.Errorf("look up instance types: %w", err)
		}
		for _, t := range page.InstanceTypes {
			if t.VCpuInfo == nil {
				continue
			}
			each := int(aws.ToInt32(t.VCpuInfo.DefaultVCpus))
			used += each * running[string(t.InstanceType)]
			if string(t.InstanceType) == c.preferred() {
				more = each * c.instances()
			}
		}
	}
	return used, more, nil
}
