package adoption

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	dnstypes "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/spec"
)

// account holds what was read from an account in one region.
type account struct {
	balancers    []elbtypes.LoadBalancer
	groups       []elbtypes.TargetGroup
	elbTags      map[string]map[string]string // by ARN
	scaling      []asgtypes.AutoScalingGroup
	templates    []types.LaunchTemplate
	instances    []types.Instance
	firewalls    []types.SecurityGroup
	zones        []dnstypes.HostedZone
	records      []record
	certificates []acmtypes.CertificateSummary

	listeners []elbtypes.Listener                           // of likely load balancers
	targets   map[string][]elbtypes.TargetHealthDescription // of likely target groups, by ARN
	tables    []types.RouteTable

	mu        sync.Mutex
	unchecked []string
}

// record is an address record in a hosted zone.
type record struct {
	zone, name string
	kind       dnstypes.RRType
	to         string // name of the target of an alias or a CNAME; "" for addresses
}

// tolerate returns nil for a call that is not allowed or not offered, and records it.
func (a *account) tolerate(err error) error {
	if err == nil || !awsapi.IsForbidden(err) && !awsapi.IsUnsupported(err) {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if action := awsapi.Action(err); !slices.Contains(a.unchecked, action) {
		a.unchecked = append(a.unchecked, action)
		slices.Sort(a.unchecked)
	}
	return nil
}

// paginator is a paginator of the SDK.
type paginator[Page, Options any] interface {
	HasMorePages() bool
	NextPage(context.Context, ...func(*Options)) (*Page, error)
}

// all returns the items of all pages.
func all[Page, Options, Item any](
	ctx context.Context, what string, pages paginator[Page, Options], items func(*Page) []Item,
) ([]Item, error) {
	var list []Item
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", what, err)
		}
		list = append(list, items(page)...)
	}
	return list, nil
}

// read reads what can be matched at once.
func read(ctx context.Context, c *awsapi.Client, s *spec.Spec) (*account, error) {
	a := &account{elbTags: map[string]map[string]string{}, targets: map[string][]elbtypes.TargetHealthDescription{}}
	group, ctx := errgroup.WithContext(ctx)
	for _, run := range []func() error{
		func() error { return a.readBalancing(ctx, c) },
		func() (err error) {
			a.scaling, err = all(ctx, "Auto Scaling groups",
				autoscaling.NewDescribeAutoScalingGroupsPaginator(c.ASG, &autoscaling.DescribeAutoScalingGroupsInput{}),
				func(p *autoscaling.DescribeAutoScalingGroupsOutput) []asgtypes.AutoScalingGroup {
					return p.AutoScalingGroups
				})
			return err
		},
		func() (err error) {
			a.templates, err = all(ctx, "launch templates",
				ec2.NewDescribeLaunchTemplatesPaginator(c.EC2, &ec2.DescribeLaunchTemplatesInput{}),
				func(p *ec2.DescribeLaunchTemplatesOutput) []types.LaunchTemplate { return p.LaunchTemplates })
			return err
		},
		func() error { return a.readInstances(ctx, c) },
		func() (err error) {
			a.firewalls, err = all(ctx, "security groups",
				ec2.NewDescribeSecurityGroupsPaginator(c.EC2, &ec2.DescribeSecurityGroupsInput{}),
				func(p *ec2.DescribeSecurityGroupsOutput) []types.SecurityGroup { return p.SecurityGroups })
			return err
		},
		func() error { return a.readZones(ctx, c, s) },
		func() (err error) {
			a.certificates, err = all(ctx, "certificates",
				acm.NewListCertificatesPaginator(c.ACM, &acm.ListCertificatesInput{
					Includes: &acmtypes.Filters{KeyTypes: acmtypes.KeyAlgorithm("").Values()},
				}),
				func(p *acm.ListCertificatesOutput) []acmtypes.CertificateSummary { return p.CertificateSummaryList })
			return err
		},
	} {
		group.Go(func() error { return a.tolerate(run()) })
	}
	return a, group.Wait()
}

// tagsAtOnce is how many resources one DescribeTags of Elastic Load Balancing takes.
const tagsAtOnce = 20

func (a *account) readBalancing(ctx context.Context, c *awsapi.Client) (err error) {
	a.balancers, err = all(ctx, "load balancers",
		elb.NewDescribeLoadBalancersPaginator(c.ELB, &elb.DescribeLoadBalancersInput{}),
		func(p *elb.DescribeLoadBalancersOutput) []elbtypes.LoadBalancer { return p.LoadBalancers })
	if err != nil {
		return err
	}
	a.groups, err = all(ctx, "target groups",
		elb.NewDescribeTargetGroupsPaginator(c.ELB, &elb.DescribeTargetGroupsInput{}),
		func(p *elb.DescribeTargetGroupsOutput) []elbtypes.TargetGroup { return p.TargetGroups })
	if err != nil {
		return err
	}
	var arns []string
	for _, b := range a.balancers {
		arns = append(arns, aws.ToString(b.LoadBalancerArn))
	}
	for _, g := range a.groups {
		arns = append(arns, aws.ToString(g.TargetGroupArn))
	}
	for some := range slices.Chunk(arns, tagsAtOnce) {
		out, err := c.ELB.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: some})
		if err != nil {
			return fmt.Errorf("read the tags of load balancers: %w", err)
		}
		for _, d := range out.TagDescriptions {
			tags := map[string]string{}
			for _, t := range d.Tags {
				tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
			a.elbTags[aws.ToString(d.ResourceArn)] = tags
		}
	}
	return nil
}

func (a *account) readInstances(ctx context.Context, c *awsapi.Client) error {
	reservations, err := all(ctx, "instances",
		ec2.NewDescribeInstancesPaginator(c.EC2, &ec2.DescribeInstancesInput{Filters: []types.Filter{
			awsapi.Filter("instance-state-name", "pending", "running", "stopping", "stopped"),
		}}),
		func(p *ec2.DescribeInstancesOutput) []types.Reservation { return p.Reservations })
	for _, r := range reservations {
		a.instances = append(a.instances, r.Instances...)
	}
	return err
}

// readZones reads the hosted zones, and the records of those that own a name of the spec.
func (a *account) readZones(ctx context.Context, c *awsapi.Client, s *spec.Spec) (err error) {
	a.zones, err = all(ctx, "hosted zones",
		route53.NewListHostedZonesPaginator(c.DNS, &route53.ListHostedZonesInput{}),
		func(p *route53.ListHostedZonesOutput) []dnstypes.HostedZone { return p.HostedZones })
	if err != nil {
		return err
	}
	for _, z := range a.zones {
		if !ownsOneOf(plain(aws.ToString(z.Name)), s.Domain) {
			continue
		}
		id := strings.TrimPrefix(aws.ToString(z.Id), "/hostedzone/")
		sets, err := all(ctx, "the records of "+plain(aws.ToString(z.Name)),
			route53.NewListResourceRecordSetsPaginator(c.DNS, &route53.ListResourceRecordSetsInput{HostedZoneId: &id}),
			func(p *route53.ListResourceRecordSetsOutput) []dnstypes.ResourceRecordSet {
				return p.ResourceRecordSets
			})
		if err != nil {
			return err
		}
		for _, set := range sets {
			a.addRecord(id, set)
		}
	}
	return nil
}

func (a *account) addRecord(zone string, set dnstypes.ResourceRecordSet) {
	r := record{zone: zone, name: plain(aws.ToString(set.Name)), kind: set.Type}
	switch {
	case set.AliasTarget != nil:
		r.to = strings.TrimPrefix(plain(aws.ToString(set.AliasTarget.DNSName)), "dualstack.")
	case set.Type == dnstypes.RRTypeCname && len(set.ResourceRecords) > 0:
		r.to = plain(aws.ToString(set.ResourceRecords[0].Value))
	case set.Type != dnstypes.RRTypeA && set.Type != dnstypes.RRTypeAaaa:
		return
	}
	a.records = append(a.records, r)
}

// plain returns a name in lower case and without the dot at its end.
func plain(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// ownsOneOf reports whether a zone owns one of some names.
func ownsOneOf(zone string, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		return plain(name) == zone || strings.HasSuffix(plain(name), "."+zone)
	})
}

// read reads more of what is likely: listeners, targets, and the routes around.
func (f *finder) read(ctx context.Context, c *awsapi.Client) error {
	a := f.account
	for _, b := range a.balancers {
		if !f.has(LoadBalancer, aws.ToString(b.LoadBalancerArn)) {
			continue
		}
		list, err := all(ctx, "listeners",
			elb.NewDescribeListenersPaginator(c.ELB, &elb.DescribeListenersInput{LoadBalancerArn: b.LoadBalancerArn}),
			func(p *elb.DescribeListenersOutput) []elbtypes.Listener { return p.Listeners })
		if err := a.tolerate(err); err != nil {
			return err
		}
		a.listeners = append(a.listeners, list...)
	}
	for _, g := range a.groups {
		if arn := aws.ToString(g.TargetGroupArn); f.has(TargetGroup, arn) {
			out, err := c.ELB.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &arn})
			if err := a.tolerate(awsapi.Wrap("read the targets of "+arn, err)); err != nil {
				return err
			}
			if out != nil {
				a.targets[arn] = out.TargetHealthDescriptions
			}
		}
	}
	var err error
	a.tables, err = all(ctx, "route tables",
		ec2.NewDescribeRouteTablesPaginator(c.EC2, &ec2.DescribeRouteTablesInput{}),
		func(p *ec2.DescribeRouteTablesOutput) []types.RouteTable { return p.RouteTables })
	return a.tolerate(err)
}
