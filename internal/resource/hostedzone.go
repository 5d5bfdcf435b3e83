package resource

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// DNS is the part of Amazon Route 53 that the package uses.
type DNS interface {
	ListHostedZones(
		context.Context, *route53.ListHostedZonesInput, ...func(*route53.Options),
	) (*route53.ListHostedZonesOutput, error)
	ListResourceRecordSets(
		context.Context, *route53.ListResourceRecordSetsInput, ...func(*route53.Options),
	) (*route53.ListResourceRecordSetsOutput, error)
	ChangeResourceRecordSets(
		context.Context, *route53.ChangeResourceRecordSetsInput, ...func(*route53.Options),
	) (*route53.ChangeResourceRecordSetsOutput, error)
	GetChange(context.Context, *route53.GetChangeInput, ...func(*route53.Options)) (*route53.GetChangeOutput, error)
}

const (
	// syncLimit is how long a change may take to reach all name servers. It takes 60 seconds
	// (Amazon Route 53 API Reference, ChangeResourceRecordSets).
	syncLimit = 10 * time.Minute
	// validationTTL is the TTL of validation records, in seconds.
	validationTTL = 300
)

// hostedZone is a public hosted zone. Its name is in lower case and without the dot at the
// end.
type hostedZone struct{ id, name string }

func (c *Cloud) listHostedZones(ctx context.Context) ([]hostedZone, error) {
	list, err := collect(
		ctx,
		route53.NewListHostedZonesPaginator(c.DNS, &route53.ListHostedZonesInput{}),
		func(page *route53.ListHostedZonesOutput) []types.HostedZone { return page.HostedZones },
	)
	var zones []hostedZone
	for _, z := range list {
		if z.Config == nil || !z.Config.PrivateZone {
			id := strings.TrimPrefix(aws.ToString(z.Id), "/hostedzone/")
			zones = append(zones, hostedZone{id, plainName(aws.ToString(z.Name))})
		}
	}
	return zones, awsapi.Wrap("list hosted zones", err)
}

// plainName returns a name in lower case and without the dot at its end.
func plainName(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// owner returns the zone with the longest name that covers a name, or nil.
func owner(zones []hostedZone, name string) *hostedZone {
	var best *hostedZone
	name = plainName(name)
	for i, z := range zones {
		if (name == z.name || strings.HasSuffix(name, "."+z.name)) && (best == nil || len(z.name) > len(best.name)) {
			best = &zones[i]
		}
	}
	return best
}

// recordSet returns the record set of a name and a type, or nil.
func (c *Cloud) recordSet(
	ctx context.Context, zone, name string, kind types.RRType,
) (*types.ResourceRecordSet, error) {
	list, err := c.DNS.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{
		HostedZoneId: &zone, StartRecordName: &name, StartRecordType: kind, MaxItems: aws.Int32(1),
	})
	if err != nil {
		return nil, fmt.Errorf("read the records of %s: %w", name, err)
	}
	for _, set := range list.ResourceRecordSets {
		if plainName(aws.ToString(set.Name)) == plainName(name) && set.Type == kind {
			return &set, nil
		}
	}
	return nil, nil
}

// changeRecord changes one record set and waits until all name servers know it.
func (c *Cloud) changeRecord(
	ctx context.Context, zone string, action types.ChangeAction, set *types.ResourceRecordSet,
) error {
	what := fmt.Sprintf("change the record %s", aws.ToString(set.Name))
	out, err := c.DNS.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: &zone,
		ChangeBatch:  &types.ChangeBatch{Changes: []types.Change{{Action: action, ResourceRecordSet: set}}},
	})
	if err != nil {
		return awsapi.Wrap(what, err)
	}
	in := &route53.GetChangeInput{Id: out.ChangeInfo.Id}
	return awsapi.Wait(ctx, syncLimit, what+" everywhere", func(ctx context.Context) (bool, error) {
		change, err := c.DNS.GetChange(ctx, in)
		if err != nil {
			return false, awsapi.Wrap(what, err)
		}
		return change.ChangeInfo.Status == types.ChangeStatusInsync, nil
	})
}

// putValidation creates a validation record. Its name belongs to ACM, and its value is the
// same for all certificates of the account.
func (p *Provisioner) putValidation(ctx context.Context, zone *hostedZone, record acmtypes.ResourceRecord) error {
	name := aws.ToString(record.Name)
	old, err := p.recordSet(ctx, zone.id, name, types.RRTypeCname)
	if err != nil || old != nil && sameValue(old, record) {
		return err
	}
	return p.changeRecord(ctx, zone.id, types.ChangeActionUpsert, &types.ResourceRecordSet{
		Name: record.Name, Type: types.RRTypeCname, TTL: aws.Int64(validationTTL),
		ResourceRecords: []types.ResourceRecord{{Value: record.Value}},
	})
}

func (p *Provisioner) deleteValidation(ctx context.Context, zone *hostedZone, record acmtypes.ResourceRecord) error {
	old, err := p.recordSet(ctx, zone.id, aws.ToString(record.Name), types.RRTypeCname)
	if err != nil || old == nil || !sameValue(old, record) {
		return err
	}
	return p.changeRecord(ctx, zone.id, types.ChangeActionDelete, old)
}

func sameValue(set *types.ResourceRecordSet, record acmtypes.ResourceRecord) bool {
	return len(set.ResourceRecords) == 1 &&
		plainName(aws.ToString(set.ResourceRecords[0].Value)) == plainName(aws.ToString(record.Value))
}

// ZonesOf returns the ids of the hosted zones that own names, without those whose DNS is
// elsewhere. It returns an error for a name that leads elsewhere already: no run takes a
// name away from what it serves.
func (c *Cloud) ZonesOf(ctx context.Context, domains []string, found []plan.Found) (map[string]string, error) {
	out := map[string]string{}
	if len(domains) == 0 {
		return out, nil
	}
	zones, err := c.listHostedZones(ctx)
	if err != nil {
		return nil, err
	}
	var problems diag.List
	for _, domain := range domains {
		zone := owner(zones, domain)
		if zone == nil {
			continue
		}
		out[domain] = zone.id
		for _, kind := range []types.RRType{types.RRTypeA, types.RRTypeAaaa, types.RRTypeCname} {
			set, err := c.recordSet(ctx, zone.id, domain, kind)
			if err != nil {
				return nil, err
			}
			if set != nil && !leadsToBalancer(set, found) {
				problems.Add("domain", fmt.Sprintf("if the application is to have the name, delete the record in "+
					"hosted zone %s (%s), then run the same command again", zone.id, zone.name),
					"%s has a record of type %s already, which leads elsewhere", domain, kind)
			}
		}
	}
	return out, problems.Err()
}

// leadsToBalancer reports whether a record is an alias of the application's load balancer.
func leadsToBalancer(set *types.ResourceRecordSet, found []plan.Found) bool {
	for _, f := range found {
		if f.Kind == stack.KindLoadBalancer && aliasOf(set, f.Status.DNSName) {
			return true
		}
	}
	return false
}

// aliasOf reports whether a record is an alias of a load balancer. AWS also publishes the
// load balancer's name with a prefix.
func aliasOf(set *types.ResourceRecordSet, dnsName string) bool {
	if set.AliasTarget == nil || dnsName == "" {
		return false
	}
	return strings.TrimPrefix(plainName(aws.ToString(set.AliasTarget.DNSName)), "dualstack.") == plainName(dnsName)
}
