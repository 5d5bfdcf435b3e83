package drill

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/lease"
	"aloft.dev/aloft/internal/stack"
)

// settle is how long AWS may take to agree with itself about network ACLs.
const settle = 2 * time.Minute

func filter(name string, values ...string) types.Filter {
	return types.Filter{Name: aws.String(name), Values: values}
}

// survey of a zone: its subnets of the application and the ACLs that they are under.
func (d *Drill) survey(ctx context.Context, zone string) (Change, error) {
	c := Change{Experiment: Zone, At: zone, Subnets: map[string]string{}, Token: "aloft-drill-" + rand.Text()}
	pages := ec2.NewDescribeSubnetsPaginator(d.cfg.Client.EC2, &ec2.DescribeSubnetsInput{
		Filters: []types.Filter{filter("tag:"+stack.TagApp, d.cfg.App), filter("availability-zone", zone)}})
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
		return c, diag.List{
			{Where: zone, Summary: "the application has no subnet there", Hint: "aloft status lists the zones"},
		}
	}
	associations, err := d.associations(ctx, c)
	if err != nil {
		return c, err
	}
	for _, a := range associations {
		c.Subnets[aws.ToString(a.SubnetId)] = aws.ToString(a.NetworkAclId)
	}
	for subnet, acl := range c.Subnets {
		if acl == "" {
			return c, fmt.Errorf("look at %s: it is under no network ACL", subnet)
		}
	}
	return c, nil
}

// associations are those of a change's subnets with the ACLs that they are under now.
func (d *Drill) associations(ctx context.Context, c Change) ([]types.NetworkAclAssociation, error) {
	var all []types.NetworkAclAssociation
	pages := ec2.NewDescribeNetworkAclsPaginator(d.cfg.Client.EC2, &ec2.DescribeNetworkAclsInput{
		Filters: []types.Filter{filter("association.subnet-id", slices.Sorted(maps.Keys(c.Subnets))...)}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the network ACLs of %s: %w", c.At, err)
		}
		for _, acl := range page.NetworkAcls {
			for _, a := range acl.Associations {
				if _, ours := c.Subnets[aws.ToString(a.SubnetId)]; ours {
					all = append(all, a)
				}
			}
		}
	}
	return all, nil
}

// wall makes the ACL that refuses all: a new one has no rule but that. Asked for
// again with the same token, it is the same (Amazon EC2 API Reference, "Ensuring
// idempotency").
func (d *Drill) wall(ctx context.Context, c Change) (string, error) {
	made, err := d.cfg.Client.EC2.CreateNetworkAcl(ctx, &ec2.CreateNetworkAclInput{
		VpcId: &c.VPCID, ClientToken: &c.Token,
		TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeNetworkAcl, Tags: []types.Tag{
			{
				Key:   aws.String(stack.TagApp),
				Value: aws.String(d.cfg.App),
			}, {Key: aws.String(stack.TagName), Value: aws.String(d.cfg.App + "-drill")},
		}}},
	})
	if err != nil {
		return "", fmt.Errorf("create a network ACL that refuses all: %w", err)
	}
	return aws.ToString(made.NetworkAcl.NetworkAclId), nil
}

// cut puts the zone's subnets under an ACL that refuses all, all at once.
func (d *Drill) cut(ctx context.Context, l *lease.Lease[Change], now func()) error {
	change := l.Record()
	acl, err := d.wall(ctx, change)
	if err == nil {
		err = wrap("record the change", l.Update(ctx, func(c *Change) { c.ACL = acl }))
	}
	if err != nil {
		return err
	}
	begin := sync.OnceFunc(now)
	// An association that was replaced by a call whose answer was lost is not found
	// the second time: it has another id.
	return awsapi.Retry(ctx, settle, change.At+" to be cut off", awsapi.IsNotFound, func(ctx context.Context) error {
		associations, err := d.associations(ctx, change)
		if err != nil {
			return err
		}
		begin()
		return d.put(ctx, associations, func(string) string { return acl })
	})
}

// put brings subnets under the ACLs that are wanted.
func (d *Drill) put(
	ctx context.Context,
	associations []types.NetworkAclAssociation,
	wanted func(subnet string) string,
) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, a := range associations {
		acl := wanted(aws.ToString(a.SubnetId))
		if acl == aws.ToString(a.NetworkAclId) {
			continue
		}
		group.Go(func() error {
			_, err := d.cfg.Client.EC2.ReplaceNetworkAclAssociation(
				ctx,
				&ec2.ReplaceNetworkAclAssociationInput{AssociationId: a.NetworkAclAssociationId, NetworkAclId: &acl},
			)
			return wrap("put "+aws.ToString(a.SubnetId)+" under network ACL "+acl, err)
		})
	}
	return group.Wait()
}

// mend puts the zone's subnets under the ACLs that they were under, and deletes
// the one that refuses all. That AWS deletes it proves that no subnet is under
// it any more.
func (d *Drill) mend(ctx context.Context, c Change) error {
	if c.ACL == "" {
		// It was stopped before the answer was written down, or before the
		// question: either way this is the ACL, and nothing is under it.
		acl, err := d.wall(ctx, c)
		if awsapi.IsNotFound(err) {
			return nil // the VPC is gone, and all in it
		}
		if err != nil {
			return err
		}
		c.ACL = acl
	}
	again := func(err error) bool { return awsapi.IsInUse(err) || awsapi.IsNotFound(err) }
	return awsapi.Retry(ctx, settle, c.At+" to be as it was", again, func(ctx context.Context) error {
		associations, err := d.associations(ctx, c)
		if err != nil {
			return err
		}
		under := slices.DeleteFunc(
			associations,
			func(a types.NetworkAclAssociation) bool { return aws.ToString(a.NetworkAclId) != c.ACL },
		)
		if err := d.put(ctx, under, func(subnet string) string { return c.Subnets[subnet] }); err != nil {
			return err
		}
		_, err = d.cfg.Client.EC2.DeleteNetworkAcl(ctx, &ec2.DeleteNetworkAclInput{NetworkAclId: &c.ACL})
		if awsapi.IsNotFound(err) {
			return nil
		}
		return wrap("delete network ACL "+c.ACL, err)
	})
}
