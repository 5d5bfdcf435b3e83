package drill

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/lease"
	"aloft.dev/aloft/internal/stack"
)

// planIsolation returns the change that isolates a zone: the application's subnets
// there, and their network ACLs. agreed reports whether those of subnets that are not the
// application's may be changed, too.
func (d *Drill) planIsolation(ctx context.Context, zone string, agreed bool) (Change, error) {
	c := Change{Experiment: Zone, At: zone, Subnets: map[string]string{}, Token: "aloft-drill-" + rand.Text()}
	pages := ec2.NewDescribeSubnetsPaginator(d.cfg.Client.EC2, &ec2.DescribeSubnetsInput{
		Filters: []types.Filter{
			awsapi.Filter("tag:"+stack.TagApp, d.cfg.App),
			awsapi.Filter("availability-zone", zone),
		},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return c, fmt.Errorf("list the subnets of %s: %w", zone, err)
		}
		for _, s := range page.Subnets {
			c.VPCID = aws.ToString(s.VpcId)
			c.Subnets[aws.ToString(s.SubnetId)] = ""
		}
	}
	if len(c.Subnets) == 0 {
		if err := d.borrowSubnets(ctx, &c, agreed); err != nil {
			return c, err
		}
	}
	if len(c.Subnets) == 0 {
		return c, diag.List{{
			Where: zone, Summary: "the application has no subnet there", Hint: "aloft status lists the zones",
		}}
	}
	associations, err := d.aclAssociations(ctx, c)
	if err != nil {
		return c, err
	}
	for _, a := range associations {
		c.Subnets[aws.ToString(a.SubnetId)] = aws.ToString(a.NetworkAclId)
	}
	for subnet, acl := range c.Subnets {
		if acl == "" {
			return c, fmt.Errorf("find the network ACL of %s: it has none", subnet)
		}
	}
	return c, nil
}

// aclAssociations returns the current associations of a change's subnets with
// network ACLs.
func (d *Drill) aclAssociations(ctx context.Context, c Change) ([]types.NetworkAclAssociation, error) {
	var all []types.NetworkAclAssociation
	pages := ec2.NewDescribeNetworkAclsPaginator(d.cfg.Client.EC2, &ec2.DescribeNetworkAclsInput{
		Filters: []types.Filter{awsapi.Filter("association.subnet-id", slices.Sorted(maps.Keys(c.Subnets))...)},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the network ACLs of %s: %w", c.At, err)
		}
		for _, acl := range page.NetworkAcls {
			for _, a := range acl.Associations {
				if _, ok := c.Subnets[aws.ToString(a.SubnetId)]; ok {
					all = append(all, a)
				}
			}
		}
	}
	return all, nil
}

// createDenyingACL creates the network ACL that denies all traffic: a new ACL has
// no other rule. A second call with the same token returns the same ACL (Amazon EC2
// API Reference, "Ensuring idempotency").
func (d *Drill) createDenyingACL(ctx context.Context, c Change) (string, error) {
	tags := []types.Tag{
		{Key: aws.String(stack.TagApp), Value: aws.String(d.cfg.App)},
		{Key: aws.String(stack.TagName), Value: aws.String(d.cfg.App + "-drill")},
	}
	out, err := d.cfg.Client.EC2.CreateNetworkAcl(ctx, &ec2.CreateNetworkAclInput{
		VpcId: &c.VPCID, ClientToken: &c.Token,
		TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeNetworkAcl, Tags: tags}},
	})
	if err != nil {
		return "", fmt.Errorf("create a network ACL that denies all traffic: %w", err)
	}
	return aws.ToString(out.NetworkAcl.NetworkAclId), nil
}

// isolateZone associates the zone's subnets with an ACL that denies all traffic, in
// parallel. It calls injected when it begins.
func (d *Drill) isolateZone(ctx context.Context, l *lease.Lease[Change], injected func()) error {
	change := l.Record()
	acl, err := d.createDenyingACL(ctx, change)
	if err == nil {
		err = awsapi.Wrap("record the change", l.Update(ctx, func(c *Change) { c.ACL = acl }))
	}
	if err != nil {
		return err
	}
	begin := sync.OnceFunc(injected)
	// An association that was replaced by a call whose response was lost is not found
	// the second time: it has another ID.
	waitFor := change.At + " to be isolated"
	return awsapi.Retry(ctx, aclLimit, waitFor, awsapi.IsNotFound, func(ctx context.Context) error {
		associations, err := d.aclAssociations(ctx, change)
		if err != nil {
			return err
		}
		begin()
		return d.associateACLs(ctx, associations, func(string) string { return acl })
	})
}

// associateACLs associates each subnet with the network ACL that aclOf returns.
func (d *Drill) associateACLs(
	ctx context.Context, associations []types.NetworkAclAssociation, aclOf func(subnet string) string,
) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, a := range associations {
		acl := aclOf(aws.ToString(a.SubnetId))
		if acl == aws.ToString(a.NetworkAclId) {
			continue
		}
		group.Go(func() error {
			in := &ec2.ReplaceNetworkAclAssociationInput{AssociationId: a.NetworkAclAssociationId, NetworkAclId: &acl}
			_, err := d.cfg.Client.EC2.ReplaceNetworkAclAssociation(ctx, in)
			return awsapi.Wrap("associate "+aws.ToString(a.SubnetId)+" with network ACL "+acl, err)
		})
	}
	return group.Wait()
}

// restoreZone associates the zone's subnets with their previous ACLs and deletes
// the one that denies all traffic. AWS deletes it only if no subnet uses it.
func (d *Drill) restoreZone(ctx context.Context, c Change) error {
	if c.ACL == "" {
		// The drill ended before it recorded the ACL, or before it created it. The
		// token leads to the same ACL, which no subnet uses.
		acl, err := d.createDenyingACL(ctx, c)
		if awsapi.IsNotFound(err) {
			return nil // the VPC is gone, and everything in it
		}
		if err != nil {
			return err
		}
		c.ACL = acl
	}
	retry := func(err error) bool { return awsapi.IsInUse(err) || awsapi.IsNotFound(err) }
	return awsapi.Retry(ctx, aclLimit, c.At+" to be restored", retry, func(ctx context.Context) error {
		associations, err := d.aclAssociations(ctx, c)
		if err != nil {
			return err
		}
		denied := slices.DeleteFunc(associations, func(a types.NetworkAclAssociation) bool {
			return aws.ToString(a.NetworkAclId) != c.ACL
		})
		if err := d.associateACLs(ctx, denied, func(subnet string) string { return c.Subnets[subnet] }); err != nil {
			return err
		}
		_, err = d.cfg.Client.EC2.DeleteNetworkAcl(ctx, &ec2.DeleteNetworkAclInput{NetworkAclId: &c.ACL})
		if awsapi.IsNotFound(err) {
			return nil
		}
		return awsapi.Wrap("delete network ACL "+c.ACL, err)
	})
}
