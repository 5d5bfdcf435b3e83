// Package pricelist reads prices from AWS's Price List API.
package pricelist

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	"github.com/aws/aws-sdk-go-v2/service/pricing/types"
	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/price"
)

// Region is the region whose endpoint is asked. It has the prices of all regions of the
// partition aws (AWS Billing User Guide, "AWS Price List Query API").
const Region = "us-east-1"

// query asks for the products with some attributes, and picks those that items are
// named after.
type query struct {
	service    string
	attributes map[string]string
	items      map[price.Item]*regexp.Regexp // forms of the attribute usagetype; a region may have a prefix
}

// queries returns the queries for the prices of an application with instances of a
// type. The filters of instances are those that leave one product for a type and
// region: the same type is also sold for other systems, reserved or dedicated.
func queries(instanceType string) []query {
	usage := func(form string) *regexp.Regexp { return regexp.MustCompile(`^([A-Z0-9]+-)?` + form + `$`) }
	return []query{
		{"AmazonEC2", map[string]string{
			"instanceType": instanceType, "operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA",
			"capacitystatus": "Used", "marketoption": "OnDemand", "operation": "RunInstances",
		}, map[price.Item]*regexp.Regexp{price.Instance(instanceType): usage(`BoxUsage:.*`)}},
		{"AmazonEC2", map[string]string{"productFamily": "Storage", "volumeApiName": "gp3"},
			map[price.Item]*regexp.Regexp{price.Disk: usage(`EBS:VolumeUsage\.gp3`)}},
		{"AmazonEC2", map[string]string{"productFamily": "Storage Snapshot"},
			map[price.Item]*regexp.Regexp{price.Snapshot: usage(`EBS:SnapshotUsage`)}},
		{"AmazonEC2", map[string]string{"productFamily": "NAT Gateway"},
			map[price.Item]*regexp.Regexp{
				price.NatGateway: usage(`NatGateway-Hours`), price.NatData: usage(`NatGateway-Bytes`),
			}},
		{"AWSELB", map[string]string{"productFamily": "Load Balancer-Application"},
			map[price.Item]*regexp.Regexp{
				price.LoadBalancer: usage(`LoadBalancerUsage`), price.LCU: usage(`LCUUsage`),
			}},
		{"AmazonS3", map[string]string{"productFamily": "Storage", "volumeType": "Standard"},
			map[price.Item]*regexp.Regexp{price.ObjectData: usage(`TimedStorage-ByteHrs`)}},
	}
}

// Read returns the prices for instances of a type in a region: AWS's, and for what it
// does not list those of the table. It returns an error if a request fails.
func Read(ctx context.Context, c *pricing.Client, region, instanceType string) (price.Prices, error) {
	read := map[price.Item]float64{}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	for _, q := range queries(instanceType) {
		group.Go(func() error {
			found, err := q.read(ctx, c, region)
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(read, found)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return price.Prices{}, fmt.Errorf("read AWS's prices: %w", err)
	}
	table := price.Table(region)
	prices := table
	prices.Source = fmt.Sprintf("AWS Price List API for %d of the items, the table of %s for the others",
		len(read), table.Date)
	prices.Date = "today"
	prices.Of = func(i price.Item) (float64, bool) {
		if each, ok := read[i]; ok {
			return each, true
		}
		return table.Of(i)
	}
	return prices, nil
}

// read returns the prices of the query's items in a region.
func (q query) read(ctx context.Context, c *pricing.Client, region string) (map[price.Item]float64, error) {
	in := &pricing.GetProductsInput{
		ServiceCode: &q.service,
		Filters: []types.Filter{
			{Type: types.FilterTypeTermMatch, Field: aws.String("regionCode"), Value: &region},
		},
	}
	for field, value := range q.attributes {
		in.Filters = append(in.Filters, types.Filter{
			Type: types.FilterTypeTermMatch, Field: &field, Value: &value,
		})
	}
	found := map[price.Item]float64{}
	for pages := pricing.NewGetProductsPaginator(c, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("query the products of %s: %w", q.service, err)
		}
		for _, text := range page.PriceList {
			var p product
			if err := json.Unmarshal([]byte(text), &p); err != nil {
				return nil, fmt.Errorf("read a product of %s: %w", q.service, err)
			}
			for item, form := range q.items {
				if each, ok := p.onDemand(); ok && form.MatchString(p.Product.Attributes.UsageType) {
					found[item] = each
				}
			}
		}
	}
	return found, nil
}

// product is the part of a price list's entry that is needed (AWS Billing User Guide,
// "Reading the service price list files").
type product struct {
	Product struct {
		Attributes struct {
			UsageType string `json:"usagetype"`
		} `json:"attributes"`
	} `json:"product"`
	Terms struct {
		OnDemand map[string]struct {
			PriceDimensions map[string]struct {
				BeginRange   string            `json:"beginRange"`
				PricePerUnit map[string]string `json:"pricePerUnit"`
			} `json:"priceDimensions"`
		} `json:"OnDemand"`
	} `json:"terms"`
}

// onDemand returns the price of the first unit on demand in US dollars. It reports
// whether there is one.
func (p product) onDemand() (float64, bool) {
	for _, term := range p.Terms.OnDemand {
		for _, d := range term.PriceDimensions {
			each, err := strconv.ParseFloat(d.PricePerUnit["USD"], 64)
			if err == nil && each > 0 && (d.BeginRange == "0" || d.BeginRange == "") {
				return each, true
			}
		}
	}
	return 0, false
}
