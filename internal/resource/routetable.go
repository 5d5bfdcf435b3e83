package resource

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// defaultRoute is the destination of the default route.
const defaultRoute = "0.0.0.0/0"

var routeTableKind = kind{
	name:   stack.KindRouteTable,
	find:   listed((*Cloud).routeTables),
	create: created((*Provisioner).createRouteTable),
	update: updated((*Provisioner).updateRouteTable),
	remove: (*Provisioner).deleteRouteTable,
}

type routeTableAPI interface {
	DescribeRouteTables(
		context.Context, *ec2.DescribeRouteTablesInput, ...func(*ec2.Options),
	) (*ec2.DescribeRouteTablesOutput, error)
	CreateRouteTable(
		context.Context, *ec2.CreateRouteTableInput, ...func(*ec2.Options),
	) (*ec2.CreateRouteTableOutput, error)
	CreateRoute(context.Context, *ec2.CreateRouteInput, ...func(*ec2.Options)) (*ec2.CreateRouteOutput, error)
	ReplaceRoute(context.Context, *ec2.ReplaceRouteInput, ...func(*ec2.Options)) (*ec2.ReplaceRouteOutput, error)
	DeleteRoute(context.Context, *ec2.DeleteRouteInput, ...func(*ec2.Options)) (*ec2.DeleteRouteOutput, error)
	AssociateRouteTable(
		context.Context, *ec2.AssociateRouteTableInput, ...func(*ec2.Options),
	) (*ec2.AssociateRouteTableOutput, error)
	DisassociateRouteTable(
		context.Context, *ec2.DisassociateRouteTableInput, ...func(*ec2.Options),
	) (*ec2.DisassociateRouteTableOutput, error)
	DeleteRouteTable(
		context.Context, *ec2.DeleteRouteTableInput, ...func(*ec2.Options),
	) (*ec2.DeleteRouteTableOutput, error)
}

func (c *Cloud) routeTables(ctx context.Context) ([]plan.Found, error) {
	list, err := collect(
		ctx,
		ec2.NewDescribeRouteTablesPaginator(c.EC2, &ec2.DescribeRouteTablesInput{Filters: c.tagged()}),
		func(page *ec2.DescribeRouteTablesOutput) []types.RouteTable { return page.RouteTables },
	)
	return describe(list, describeRouteTable), awsapi.Wrap("list route tables", err)
}

func describeRouteTable(t types.RouteTable) plan.Found {
	f := foundByTags(stack.KindRouteTable, t.RouteTableId, t.Tags)
	f.Set(stack.AttrVPC, aws.ToString(t.VpcId))
	for _, route := range t.Routes {
		if aws.ToString(route.DestinationCidrBlock) == defaultRoute {
			f.Set(stack.AttrDefaultRoute, cmp.Or(aws.ToString(route.GatewayId), aws.ToString(route.NatGatewayId)))
		}
	}
	var subnets []string
	f.Status.Associations = map[string]string{}
	for _, a := range t.Associations {
		state := a.AssociationState
		if a.SubnetId == nil || state != nil && state.State == types.RouteTableAssociationStateCodeDisassociated {
			continue
		}
		subnets = append(subnets, *a.SubnetId)
		f.Status.Associations[*a.SubnetId] = aws.ToString(a.RouteTableAssociationId)
	}
	f.Set(stack.AttrSubnets, subnets...)
	return f
}

func (p *Provisioner) createRouteTable(
	ctx context.Context,
	r stack.Resource,
	body stack.RouteTable,
) (plan.Found, error) {
	var f plan.Found
	err := retryEventual(ctx, "create the route table", func(ctx context.Context) error {
		out, err := p.EC2.CreateRouteTable(ctx, &ec2.CreateRouteTableInput{
			VpcId:             p.id(body.VPC),
			TagSpecifications: tagSpecifications(p.tags(r), types.ResourceTypeRouteTable),
		})
		if err == nil {
			f = describeRouteTable(*out.RouteTable)
		}
		return err
	})
	if err != nil {
		return f, err
	}
	return f, p.updateRouteTable(ctx, r, body, f)
}

func (p *Provisioner) updateRouteTable(
	ctx context.Context,
	_ stack.Resource,
	body stack.RouteTable,
	current plan.Found,
) error {
	if err := p.setDefaultRoute(ctx, body, current); err != nil {
		return err
	}
	desired, associated := p.ids(body.Subnets), current.Values(stack.AttrSubnets)
	for _, subnet := range associated {
		if !slices.Contains(desired, subnet) {
			if err := p.disassociate(ctx, current, subnet); err != nil {
				return err
			}
		}
	}
	for _, subnet := range desired {
		if !slices.Contains(associated, subnet) {
			if err := p.associate(ctx, current.ID, subnet); err != nil {
				return err
			}
		}
	}
	return nil
}

// setDefaultRoute makes the default route lead through the table's gateway, or deletes it
// if the table has none.
func (p *Provisioner) setDefaultRoute(ctx context.Context, body stack.RouteTable, current plan.Found) error {
	now, destination := current.Value(stack.AttrDefaultRoute), aws.String(defaultRoute)
	if (body.Gateway == stack.Ref{}) {
		if now == "" {
			return nil
		}
		in := &ec2.DeleteRouteInput{RouteTableId: &current.ID, DestinationCidrBlock: destination}
		_, err := p.EC2.DeleteRoute(ctx, in)
		return ignoreNotFound("delete the default route of "+current.ID, err)
	}
	gateway := p.id(body.Gateway)
	if now == *gateway {
		return nil
	}
	var internet, nat *string
	if strings.HasPrefix(*gateway, "nat-") {
		nat = gateway
	} else {
		internet = gateway
	}
	return retryEventual(ctx, "set the default route of "+current.ID, func(ctx context.Context) error {
		if now == "" {
			_, err := p.EC2.CreateRoute(ctx, &ec2.CreateRouteInput{
				RouteTableId: &current.ID, DestinationCidrBlock: destination, GatewayId: internet, NatGatewayId: nat,
			})
			if !awsapi.IsExists(err) {
				return err
			}
		}
		_, err := p.EC2.ReplaceRoute(ctx, &ec2.ReplaceRouteInput{
			RouteTableId: &current.ID, DestinationCidrBlock: destination, GatewayId: internet, NatGatewayId: nat,
		})
		return err
	})
}

func (p *Provisioner) associate(ctx context.Context, id, subnet string) error {
	what := fmt.Sprintf("associate route table %s with subnet %s", id, subnet)
	associate := func(ctx context.Context) error {
		_, err := p.EC2.AssociateRouteTable(ctx, &ec2.AssociateRouteTableInput{RouteTableId: &id, SubnetId: &subnet})
		return err
	}
	return retryEventual(ctx, what, func(ctx context.Context) error {
		return acceptExisting(ctx, associate(ctx), func(ctx context.Context) (bool, error) {
			all, err := p.routeTables(ctx)
			at := slices.IndexFunc(all, func(f plan.Found) bool {
				return slices.Contains(f.Values(stack.AttrSubnets), subnet)
			})
			if err != nil || at < 0 || all[at].ID == id {
				return at >= 0, err
			}
			// Another of the application's tables has the subnet: one that a killed run created too.
			if err := p.disassociate(ctx, all[at], subnet); err != nil {
				return false, err
			}
			if err := associate(ctx); !awsapi.IsExists(err) {
				return err == nil, err
			}
			return false, nil
		})
	})
}

func (p *Provisioner) disassociate(ctx context.Context, f plan.Found, subnet string) error {
	_, err := p.EC2.DisassociateRouteTable(ctx, &ec2.DisassociateRouteTableInput{
		AssociationId: aws.String(f.Status.Associations[subnet]),
	})
	return ignoreNotFound(fmt.Sprintf("disassociate route table %s from subnet %s", f.ID, subnet), err)
}

func (p *Provisioner) deleteRouteTable(ctx context.Context, f plan.Found) error {
	for _, subnet := range f.Values(stack.AttrSubnets) {
		if err := p.disassociate(ctx, f, subnet); err != nil {
			return err
		}
	}
	return p.deleteWhenUnused(ctx, f, func(ctx context.Context) error {
		_, err := p.EC2.DeleteRouteTable(ctx, &ec2.DeleteRouteTableInput{RouteTableId: &f.ID})
		return err
	})
}
