package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/cost"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/price"
	"aloft.dev/aloft/internal/pricelist"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/view"
)

type costOptions struct {
	*global
	dir string
	lcu float64
}

func newCostCommand(g *global, run func(context.Context, *costOptions) error) *cobra.Command {
	o := &costOptions{global: g}
	c := &cobra.Command{
		Use:   "cost [DIR]",
		Short: "Show what the application costs a month on AWS",
		Long: `Estimates the monthly price of everything in aloft.yaml: servers, load balancer, public
addresses, disks and snapshots; what the spare servers for the loss of a zone add; and
the price at the largest size of an Auto Scaling group. A price that is not known is said
to be so, and the sum is then a lower bound.

Prices are from a table in Aloft, with their source and date, and no cloud is needed. With
--on aws, they are AWS's own of today, if the credentials allow pricing:GetProducts.`,
		Example: `  aloft cost
  aloft cost --on aws
  aloft cost ./shop --region eu-west-1
  aloft cost --lcu 3
  aloft cost --json | jq .monthly`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = folder(args)
			return run(c.Context(), o)
		},
	}
	c.Flags().Float64Var(&o.lcu, "lcu", 1,
		"the load balancer's average load in capacity `UNITS`; one is 25 new connections a second or 1 GB an hour")
	return c
}

func runCost(ctx context.Context, o *costOptions) error {
	if o.lcu < 0 {
		return diag.List{{
			Where: fmt.Sprintf("--lcu %g", o.lcu), Summary: "is less than no load", Hint: "for example: --lcu 1",
		}}
	}
	s, err := o.loadSpec(o.dir)
	if err != nil {
		return err
	}
	prices := price.Table(s.Region)
	if o.on == "aws" {
		prices = o.readPrices(ctx, s)
	}
	e := cost.Of(s, prices, cost.Assumptions{LCU: o.lcu})
	if o.json {
		return view.JSON(o.Out, e)
	}
	_, err = fmt.Fprint(o.Out, e)
	return err
}

// readPrices returns AWS's prices of today, or those of the table with the reason. It
// sets the region of a spec that names none.
func (o *costOptions) readPrices(ctx context.Context, s *spec.Spec) price.Prices {
	region := s.Region
	if !s.RegionGiven {
		region = ""
	}
	client, err := o.connect(ctx, region, false)
	if err == nil {
		s.Region = client.Region
		var prices price.Prices
		list := client.PriceList(pricelist.Region, priceAttempts)
		if prices, err = pricelist.Read(ctx, list, s.Region, s.Machines.Types[0]); err == nil {
			return prices
		}
	}
	table := price.Table(s.Region)
	table.Source += "; AWS's list of today cannot be read: " + awsapi.Message(err)
	return table
}

// priceAttempts is how often a request for prices is sent at most: the table is there.
const priceAttempts = 3

// estimate returns the cost of a spec at the load of one capacity unit.
func (g *global) estimate(s *spec.Spec) *cost.Estimate {
	return cost.Of(s, price.Table(s.Region), cost.Assumptions{LCU: 1})
}
