package resource

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

var recordKind = kind{
	name:   stack.KindRecord,
	find:   findRecords,
	create: created((*Provisioner).createRecord),
	remove: (*Provisioner).deleteRecord,
}

// findRecords returns the records that lead to the application's load balancers. Records
// have no tags: they are searched for in the zones of the names that the spec and the
// certificates have.
func findRecords(ctx context.Context, d *discovery) ([]plan.Found, error) {
	balancing, err := d.findLoadBalancing(ctx)
	if err != nil || len(balancing.balancers) == 0 {
		return nil, err
	}
	names, err := d.namesToSearch(ctx)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	zones, err := d.listHostedZones(ctx)
	if err != nil {
		return nil, err
	}
	var all []plan.Found
	searched := map[string]bool{}
	for _, name := range names {
		zone := owner(zones, name)
		if zone == nil || searched[zone.id] {
			continue
		}
		searched[zone.id] = true
		sets, err := collect(
			ctx,
			route53.NewListResourceRecordSetsPaginator(d.DNS, &route53.ListResourceRecordSetsInput{
				HostedZoneId: &zone.id,
			}),
			func(page *route53.ListResourceRecordSetsOutput) []types.ResourceRecordSet {
				return page.ResourceRecordSets
			},
		)
		if err != nil {
			return nil, fmt.Errorf("list the records of hosted zone %s: %w", zone.name, err)
		}
		for i := range sets {
			for _, balancer := range balancing.balancers {
				if sets[i].Type == types.RRTypeA && aliasOf(&sets[i], aws.ToString(balancer.DNSName)) {
					all = append(all, describeRecord(&sets[i], zone.id, aws.ToString(balancer.LoadBalancerArn)))
				}
			}
		}
	}
	return all, nil
}

// namesToSearch returns the names in whose zones there may be records: those of the spec,
// and those of the certificates that the application has or its listeners use.
func (d *discovery) namesToSearch(ctx context.Context) ([]string, error) {
	certificates, err := findCertificates(ctx, d)
	if err != nil {
		return nil, err
	}
	names, own := slices.Clone(d.Domains), map[string]bool{}
	for _, c := range certificates {
		own[c.ID] = true
		names = append(names, c.Values(stack.AttrNames)...)
	}
	listeners, err := d.findAllListeners(ctx)
	if err != nil {
		return nil, err
	}
	for _, l := range listeners {
		for _, arn := range l.Values(stack.AttrCertificate) {
			if own[arn] {
				continue
			}
			out, err := d.ACM.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: &arn})
			if awsapi.IsNotFound(err) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("read certificate %s: %w", arn, err)
			}
			names = append(names, out.Certificate.SubjectAlternativeNames...)
		}
	}
	return names, nil
}

func describeRecord(set *types.ResourceRecordSet, zone, balancer string) plan.Found {
	domain := plainName(aws.ToString(set.Name))
	f := plan.Found{
		Address: stack.RecordAddress(domain), Kind: stack.KindRecord, ID: zone + "/" + domain, Name: domain,
	}
	f.Set(stack.AttrName, domain)
	f.Set(stack.AttrHostedZone, zone)
	f.Set(stack.AttrLoadBalancer, balancer)
	return f
}

func (p *Provisioner) createRecord(ctx context.Context, _ stack.Resource, body stack.Record) (plan.Found, error) {
	arn := *p.id(body.LoadBalancer)
	list, err := p.ELB.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{arn}})
	if err != nil {
		return plan.Found{}, fmt.Errorf("read the load balancer: %w", err)
	}
	set := &types.ResourceRecordSet{
		Name: &body.Domain, Type: types.RRTypeA,
		AliasTarget: &types.AliasTarget{
			DNSName:      list.LoadBalancers[0].DNSName,
			HostedZoneId: list.LoadBalancers[0].CanonicalHostedZoneId,
		},
	}
	f := describeRecord(set, body.Zone, arn)
	// The survey has seen that the name leads nowhere else. A repeated UPSERT is harmless.
	return f, p.changeRecord(ctx, body.Zone, types.ChangeActionUpsert, set)
}

// deleteRecord deletes a record if it still leads to the load balancer.
func (p *Provisioner) deleteRecord(ctx context.Context, f plan.Found) error {
	zone, domain := f.Value(stack.AttrHostedZone), f.Value(stack.AttrName)
	set, err := p.recordSet(ctx, zone, domain, types.RRTypeA)
	if err != nil || set == nil {
		return ignoreNotFound("delete "+f.Label(), err)
	}
	in := &elb.DescribeLoadBalancersInput{LoadBalancerArns: f.Values(stack.AttrLoadBalancer)}
	list, err := p.ELB.DescribeLoadBalancers(ctx, in)
	if err != nil {
		return ignoreNotFound("read the load balancer", err)
	}
	if len(list.LoadBalancers) == 0 || !aliasOf(set, aws.ToString(list.LoadBalancers[0].DNSName)) {
		return nil
	}
	return p.changeRecord(ctx, zone, types.ChangeActionDelete, set)
}
