package adoption

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// settings returns the part of an aloft.yaml with the settings of what stands.
func settings(f *finder) string {
	var out strings.Builder
	for _, part := range []func(*finder) string{ofServers, ofBalancing, ofNetwork, ofNames} {
		out.WriteString(part(f))
	}
	return out.String()
}

// ofServers returns the settings of the Auto Scaling group, or of the instances.
func ofServers(f *finder) string {
	var kinds []string
	count := 0
	for _, i := range f.account.instances {
		if f.has(Instance, aws.ToString(i.InstanceId)) {
			count++
			kinds = append(kinds, string(i.InstanceType))
		}
	}
	slices.Sort(kinds)
	kinds = slices.Compact(kinds)
	if count == 0 {
		return ""
	}
	for _, g := range f.account.scaling {
		if f.has(ScalingGroup, aws.ToString(g.AutoScalingGroupName)) {
			return fmt.Sprintf("machines: {type: [%s]}\nscaling: {min: %d, max: %d}\n", strings.Join(kinds, ", "),
				max(aws.ToInt32(g.MinSize), 1), max(aws.ToInt32(g.MaxSize), 1))
		}
	}
	return fmt.Sprintf("machines: {count: %d, type: [%s]}\n", count, strings.Join(kinds, ", "))
}

// ofBalancing returns the port, the listener's port and the health check of the first likely
// target group.
func ofBalancing(f *finder) string {
	for _, g := range f.account.groups {
		if !f.has(TargetGroup, aws.ToString(g.TargetGroupArn)) || g.Protocol != elbtypes.ProtocolEnumHttp {
			continue
		}
		var out strings.Builder
		_, _ = fmt.Fprintf(&out, "port: %d\nload_balancer:\n", aws.ToInt32(g.Port))
		for _, l := range f.account.listeners {
			if l.Protocol == elbtypes.ProtocolEnumHttp {
				_, _ = fmt.Fprintf(&out, "  port: %d\n", aws.ToInt32(l.Port))
				break
			}
		}
		matcher := ""
		if g.Matcher != nil {
			matcher = aws.ToString(g.Matcher.HttpCode)
		}
		_, _ = fmt.Fprintf(&out, "  health: {path: %q, interval: %ds, timeout: %ds, ",
			cmp.Or(aws.ToString(g.HealthCheckPath), "/"), aws.ToInt32(g.HealthCheckIntervalSeconds),
			aws.ToInt32(g.HealthCheckTimeoutSeconds))
		_, _ = fmt.Fprintf(&out, "healthy: %d, unhealthy: %d, matcher: %q}\n", aws.ToInt32(g.HealthyThresholdCount),
			aws.ToInt32(g.UnhealthyThresholdCount), cmp.Or(matcher, "200"))
		return out.String()
	}
	return ""
}

// ofNetwork returns the VPC with the public subnets of the load balancer, and those of the
// servers if they are private.
func ofNetwork(f *finder) string {
	for _, b := range f.account.balancers {
		if !f.has(LoadBalancer, aws.ToString(b.LoadBalancerArn)) {
			continue
		}
		var public []string
		for _, zone := range b.AvailabilityZones {
			public = append(public, aws.ToString(zone.SubnetId))
		}
		vpc := aws.ToString(b.VpcId)
		private := f.privateSubnets(vpc, public)
		slices.Sort(public)
		out := fmt.Sprintf("network:\n  vpc: %s\n  subnets:\n    public: [%s]\n", vpc, strings.Join(public, ", "))
		if len(private) == len(public) { // one in the zone of each public one
			out += fmt.Sprintf("    private: [%s]\n", strings.Join(private, ", "))
		}
		return out
	}
	return ""
}

// privateSubnets returns the subnets of likely instances in a VPC that lead to no internet
// gateway, sorted.
func (f *finder) privateSubnets(vpc string, public []string) []string {
	var ids []string
	for _, i := range f.account.instances {
		id := aws.ToString(i.SubnetId)
		if f.has(Instance, aws.ToString(i.InstanceId)) && aws.ToString(i.VpcId) == vpc &&
			!slices.Contains(public, id) && !slices.Contains(ids, id) && !f.isPublic(vpc, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// isPublic reports whether a subnet has a route to an internet gateway: in its own route table,
// or else in the main one of the VPC.
func (f *finder) isPublic(vpc, subnet string) bool {
	var own, main *types.RouteTable
	for i, t := range f.account.tables {
		for _, a := range t.Associations {
			switch {
			case aws.ToString(a.SubnetId) == subnet:
				own = &f.account.tables[i]
			case aws.ToBool(a.Main) && aws.ToString(t.VpcId) == vpc:
				main = &f.account.tables[i]
			}
		}
	}
	table := cmp.Or(own, main)
	return table != nil && slices.ContainsFunc(table.Routes, func(r types.Route) bool {
		return strings.HasPrefix(aws.ToString(r.GatewayId), "igw-")
	})
}

// ofNames returns the names of the spec, with the certificate that a listener has.
func ofNames(f *finder) string {
	if len(f.spec.Domain) == 0 {
		return ""
	}
	out := fmt.Sprintf("domain: [%s]\n", strings.Join(f.spec.Domain, ", "))
	for _, l := range f.account.listeners {
		for _, c := range l.Certificates {
			return out + fmt.Sprintf("certificate: %s\n", aws.ToString(c.CertificateArn))
		}
	}
	return out
}
