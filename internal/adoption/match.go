package adoption

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// seed finds what looks like the application by itself: by its name, its tags or its port.
func (f *finder) seed() {
	a := f.account
	for _, b := range a.balancers {
		if b.Type == elbtypes.LoadBalancerTypeEnumApplication {
			f.addNamed(f.balancer(b))
		}
	}
	for _, g := range a.groups {
		f.addNamed(f.group(g))
		if int(aws.ToInt32(g.Port)) == f.spec.Port && g.Protocol == elbtypes.ProtocolEnumHttp {
			f.guess(f.group(g), fmt.Sprintf("its port %d", f.spec.Port))
		}
	}
	for _, g := range a.scaling {
		f.addNamed(scaling(g))
	}
	for _, t := range a.templates {
		f.addNamed(template(t))
	}
	for _, i := range a.instances {
		f.addNamed(instance(i))
	}
	for _, g := range a.firewalls {
		f.addNamed(firewall(g))
		for _, p := range g.IpPermissions {
			port := int32(f.spec.Port)
			if aws.ToString(p.IpProtocol) == "tcp" && aws.ToInt32(p.FromPort) == port && aws.ToInt32(p.ToPort) == port {
				f.guess(firewall(g), fmt.Sprintf("it admits port %d", port))
			}
		}
	}
}

// seedNames finds what has to do with the application's names in DNS.
func (f *finder) seedNames() {
	a, names := f.account, f.spec.Domain
	for _, z := range a.zones {
		zone := plain(aws.ToString(z.Name))
		if ownsOneOf(zone, names) && (z.Config == nil || !z.Config.PrivateZone) {
			id := strings.TrimPrefix(aws.ToString(z.Id), "/hostedzone/")
			f.add(thing{kind: HostedZone, id: id, name: zone}, "it owns a name in domain")
		}
	}
	for _, r := range a.records {
		if slices.ContainsFunc(names, func(name string) bool { return plain(name) == r.name }) {
			f.addRecord(r)
		}
	}
	for _, c := range a.certificates {
		for _, name := range c.SubjectAlternativeNameSummaries {
			if slices.ContainsFunc(names, func(wanted string) bool { return covers(plain(name), plain(wanted)) }) {
				f.add(thing{
					kind: Certificate, id: aws.ToString(c.CertificateArn), name: aws.ToString(c.DomainName),
				}, "it is for "+name)
			}
		}
	}
}

// addRecord adds a record of one of the application's names, and the load balancer to which it
// leads.
func (f *finder) addRecord(r record) {
	why := "it is a name in domain"
	if r.to != "" {
		why += ", which leads to " + r.to
	}
	f.add(thing{kind: Record, id: r.zone + "/" + r.name + "/" + string(r.kind), name: r.name}, why)
	for _, b := range f.account.balancers {
		if r.to != "" && r.to == plain(aws.ToString(b.DNSName)) {
			f.add(f.balancer(b), r.name+" leads to it")
		}
	}
}

// covers reports whether a name of a certificate covers a host's name.
func covers(name, host string) bool {
	parent, wild := strings.CutPrefix(name, "*.")
	_, rest, _ := strings.Cut(host, ".")
	return name == host || wild && rest == parent
}

// follow finds what belongs to what was found: the target groups of load balancers and the
// reverse, and Auto Scaling groups with their templates and instances. It ends when nothing is
// new, because one may lead to another.
func (f *finder) follow() {
	for news := true; news; {
		news = false
		for _, g := range f.account.groups {
			for _, b := range f.account.balancers {
				if slices.Contains(g.LoadBalancerArns, aws.ToString(b.LoadBalancerArn)) {
					news = f.join(f.balancer(b), f.group(g), "it forwards to %s", "%s forwards to it") || news
				}
			}
		}
		for _, s := range f.account.scaling {
			for _, g := range f.account.groups {
				if slices.Contains(s.TargetGroupARNs, aws.ToString(g.TargetGroupArn)) {
					both := f.join(scaling(s), f.group(g), "its instances serve %s", "the instances of %s serve it")
					news = both || news
				}
			}
		}
	}
	for _, s := range f.account.scaling {
		if f.has(ScalingGroup, aws.ToString(s.AutoScalingGroupName)) {
			f.followScaling(s)
		}
	}
}

// join adds each of two things that belong together if the other one was found. The reasons
// name the other. It reports whether one is new.
func (f *finder) join(a, b thing, whyA, whyB string) bool {
	news := f.has(a.kind, a.id) && f.add(b, fmt.Sprintf(whyB, a.name))
	return f.has(b.kind, b.id) && f.add(a, fmt.Sprintf(whyA, b.name)) || news
}

// followScaling finds the launch template and the instances of an Auto Scaling group.
func (f *finder) followScaling(g asgtypes.AutoScalingGroup) {
	name, launches := aws.ToString(g.AutoScalingGroupName), g.LaunchTemplate
	if m := g.MixedInstancesPolicy; m != nil && m.LaunchTemplate != nil {
		launches = m.LaunchTemplate.LaunchTemplateSpecification
	}
	for _, t := range f.account.templates {
		if launches != nil && aws.ToString(launches.LaunchTemplateId) == aws.ToString(t.LaunchTemplateId) {
			f.add(template(t), name+" launches it")
		}
	}
	for _, member := range g.Instances {
		f.addInstance(aws.ToString(member.InstanceId), "it is one of "+name)
	}
}

// followTargets finds the instances that are registered with target groups, and the
// certificates of listeners.
func (f *finder) followTargets() {
	for _, g := range f.account.groups {
		for _, t := range f.account.targets[aws.ToString(g.TargetGroupArn)] {
			if t.Target != nil {
				f.addInstance(aws.ToString(t.Target.Id), "it is registered with "+aws.ToString(g.TargetGroupName))
			}
		}
	}
	for _, l := range f.account.listeners {
		for _, c := range l.Certificates {
			for _, known := range f.account.certificates {
				if aws.ToString(known.CertificateArn) == aws.ToString(c.CertificateArn) {
					f.add(thing{
						kind: Certificate, id: aws.ToString(c.CertificateArn), name: aws.ToString(known.DomainName),
					}, fmt.Sprintf("the listener on port %d has it", aws.ToInt32(l.Port)))
				}
			}
		}
	}
}

// addInstance adds the instance with an id, if it exists.
func (f *finder) addInstance(id, why string) {
	for _, i := range f.account.instances {
		if aws.ToString(i.InstanceId) == id {
			f.add(instance(i), why)
		}
	}
}

// surroundings finds the security groups and the VPCs of what was found. They may be those of
// others, too, so nothing is followed from them.
func (f *finder) surroundings() {
	for _, b := range f.account.balancers {
		if f.has(LoadBalancer, aws.ToString(b.LoadBalancerArn)) {
			f.around(aws.ToString(b.VpcId), b.SecurityGroups, aws.ToString(b.LoadBalancerName))
		}
	}
	for _, i := range f.account.instances {
		if f.has(Instance, aws.ToString(i.InstanceId)) {
			var groups []string
			for _, g := range i.SecurityGroups {
				groups = append(groups, aws.ToString(g.GroupId))
			}
			f.around(aws.ToString(i.VpcId), groups, "an instance")
		}
	}
}

func (f *finder) around(vpc string, groups []string, of string) {
	f.add(thing{kind: VPC, id: vpc}, of+" is in it")
	for _, g := range f.account.firewalls {
		if slices.Contains(groups, aws.ToString(g.GroupId)) {
			f.add(firewall(g), of+" has it")
		}
	}
}

func (f *finder) balancer(b elbtypes.LoadBalancer) thing {
	arn := aws.ToString(b.LoadBalancerArn)
	return thing{LoadBalancer, arn, aws.ToString(b.LoadBalancerName), f.account.elbTags[arn]}
}

func (f *finder) group(g elbtypes.TargetGroup) thing {
	arn := aws.ToString(g.TargetGroupArn)
	return thing{TargetGroup, arn, aws.ToString(g.TargetGroupName), f.account.elbTags[arn]}
}

func scaling(g asgtypes.AutoScalingGroup) thing {
	name, tags := aws.ToString(g.AutoScalingGroupName), map[string]string{}
	for _, t := range g.Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return thing{ScalingGroup, name, name, tags}
}

func template(t types.LaunchTemplate) thing {
	return thing{
		LaunchTemplate, aws.ToString(t.LaunchTemplateId), aws.ToString(t.LaunchTemplateName), tagsOf(t.Tags),
	}
}

func instance(i types.Instance) thing {
	tags := tagsOf(i.Tags)
	return thing{Instance, aws.ToString(i.InstanceId), tags["Name"], tags}
}

func firewall(g types.SecurityGroup) thing {
	return thing{SecurityGroup, aws.ToString(g.GroupId), aws.ToString(g.GroupName), tagsOf(g.Tags)}
}

func tagsOf(tags []types.Tag) map[string]string {
	all := map[string]string{}
	for _, t := range tags {
		all[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return all
}
