package resource

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

const everywhere = "0.0.0.0/0"

func (c *Cloud) routeTables(ctx context.Context) ([]plan.Found, error) {
	all, err := collect(
		ctx,
		ec2.NewDescribeRouteTablesPaginator(c.EC2, &ec2.DescribeRouteTablesInput{Filters: c.ours()}),
		func(page *ec2.DescribeRouteTablesOutput) []types.RouteTable { return page.RouteTables },
		func(t types.RouteTable) plan.Found {
			f := found(stack.KindRouteTable, t.RouteTableId, t.Tags)
			f.Set("vpc", aws.ToString(t.VpcId))
			for _, route := range t.Routes {
				if aws.ToString(route.DestinationCidrBlock) == everywhere {
					f.Set(everywhere, aws.ToString(route.GatewayId))
				}
			}
			var subnets []string
			for _, a := range t.Associations {
				if a.SubnetId != nil &&
					(a.AssociationState == nil || a.AssociationState.State != types.RouteTableAssociationStateCodeDisassociated) {
					subnets = append(subnets, *a.SubnetId)
					f.Status["association of "+*a.SubnetId] = aws.ToString(a.RouteTableAssociationId)
				}
			}
			f.Set("subnets", subnets...)
			return f
		},
	)
	if err != nil {
		return nil, fmt.Errorf("list route tables: %w", err)
	}
	return all, nil
}

func (s *Site) createRouteTable(ctx context.Context, r stack.Resource, body stack.RouteTable) (plan.Found, error) {
	var f plan.Found
	err := s.soon(ctx, "create the route table", func(ctx context.Context) error {
		out, err := s.EC2.CreateRouteTable(
			ctx,
			&ec2.CreateRouteTableInput{
				VpcId:             s.id(body.VPC),
				TagSpecifications: tagged(s.tags(r), types.ResourceTypeRouteTable),
			},
		)
		if err == nil {
			f = found(stack.KindRouteTable, out.RouteTable.RouteTableId, out.RouteTable.Tags)
		}
		return err
	})
	if err != nil {
		return f, err
	}
	return f, s.updateRouteTable(ctx, body, f)
}

func (s *Site) updateRouteTable(ctx context.Context, body stack.RouteTable, now plan.Found) error {
	if err := s.defaultRoute(ctx, body, now); err != nil {
		return err
	}
	var want []string
	for _, ref := range body.Subnets {
		want = append(want, *s.id(ref))
	}
	for _, subnet := range now.Values["subnets"] {
		if !slices.Contains(want, subnet) {
			if err := s.disassociate(ctx, now, subnet); err != nil {
				return err
			}
		}
	}
	for _, subnet := range want {
		if slices.Contains(now.Values["subnets"], subnet) {
			continue
		}
		err := s.soon(ctx, "associate route table "+now.ID+" with subnet "+subnet, func(ctx context.Context) error {
			_, err := s.EC2.AssociateRouteTable(
				ctx,
				&ec2.AssociateRouteTableInput{RouteTableId: &now.ID, SubnetId: aws.String(subnet)},
			)
			return already(
				ctx,
				err,
				func(ctx context.Context) (bool, error) { return s.associated(ctx, now.ID, subnet) },
			)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Site) associated(ctx context.Context, id, subnet string) (bool, error) {
	all, err := s.routeTables(ctx)
	return slices.ContainsFunc(
		all,
		func(f plan.Found) bool { return f.ID == id && slices.Contains(f.Values["subnets"], subnet) },
	), err
}

func (s *Site) defaultRoute(ctx context.Context, body stack.RouteTable, now plan.Found) error {
	gateway := s.id(body.Gateway)
	if now.Get(everywhere) == *gateway {
		return nil
	}
	return s.soon(ctx, "set the default route of "+now.ID, func(ctx context.Context) error {
		if now.Get(everywhere) == "" {
			_, err := s.EC2.CreateRoute(
				ctx,
				&ec2.CreateRouteInput{
					RouteTableId:         &now.ID,
					DestinationCidrBlock: aws.String(everywhere),
					GatewayId:            gateway,
				},
			)
			if !awsapi.IsExists(err) {
				return err
			}
		}
		_, err := s.EC2.ReplaceRoute(
			ctx,
			&ec2.ReplaceRouteInput{
				RouteTableId:         &now.ID,
				DestinationCidrBlock: aws.String(everywhere),
				GatewayId:            gateway,
			},
		)
		return err
	})
}

func (s *Site) disassociate(ctx context.Context, f plan.Found, subnet string) error {
	_, err := s.EC2.DisassociateRouteTable(
		ctx,
		&ec2.DisassociateRouteTableInput{AssociationId: aws.String(f.Status["association of "+subnet])},
	)
	if err != nil && !awsapi.IsNotFound(err) {
		return fmt.Errorf("disassociate route table %s from subnet %s: %w", f.ID, subnet, err)
	}
	return nil
}

func (s *Site) deleteRouteTable(ctx context.Context, f plan.Found) error {
	for _, subnet := range f.Values["subnets"] {
		if err := s.disassociate(ctx, f, subnet); err != nil {
			return err
		}
	}
	return s.whenFree(ctx, f, func(ctx context.Context) error {
		_, err := s.EC2.DeleteRouteTable(ctx, &ec2.DeleteRouteTableInput{RouteTableId: &f.ID})
		return err
	})
}
