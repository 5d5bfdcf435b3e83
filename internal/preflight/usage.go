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
	add(elasticIPQuota, len(c.created(stack.KindElasticIP)), c.elasticIPs)
	add(groupQuota, len(c.created(stack.KindSecurityGroup)), c.securityGroups)
	add(ruleQuota, c.mostRules(), func(context.Context) (int, error) { return 0, nil }) // the groups are new
	if len(c.launched()) > 0 {
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

// launches returns the preferred type of the instances that a change launches, and how many
// they are.
func launches(change plan.Change) (instanceType string, n int) {
	if change.Desired == nil || change.Action != plan.Create && change.Action != plan.Replace {
		return "", 0
	}
	switch body := change.Desired.Body.(type) {
	case stack.Server:
		return body.Types[0], 1
	case stack.ScalingGroup:
		if change.Action == plan.Create {
			return body.Types[0], body.Min
		}
	}
	return "", 0
}

// launched returns the standard instance types that the plan launches, sorted.
func (c Config) launched() []string {
	var types []string
	for _, change := range c.Plan.Changes {
		if name, n := launches(change); n > 0 && isStandard(name) {
			types = append(types, name)
		}
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// mostVCPUs returns how many more vCPUs there are at the same time at most, given those of
// each type. The machines of one phase exist together; each replacement starts before what
// it replaces ends, one after the other.
func (c Config) mostVCPUs(each map[string]int) int {
	created, replaced := map[stack.Phase]int{}, map[stack.Phase]int{}
	for _, change := range c.Plan.Changes {
		name, n := launches(change)
		if change.Action == plan.Replace {
			replaced[change.Phase] = max(replaced[change.Phase], n*each[name])
		} else {
			created[change.Phase] += n * each[name]
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
	running := map[string]int{} // by type
	for _, name := range c.launched() {
		running[name] = 0
	}
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
	each := map[string]int{}
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
			each[string(t.InstanceType)] = int(aws.ToInt32(t.VCpuInfo.DefaultVCpus))
		}
	}
	for name, n := range running {
		used += each[name] * n
	}
	return used, c.mostVCPUs(each), nil
}
