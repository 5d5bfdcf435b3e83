package ec2

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/wire"
)

// absent is a question about resources of a type that the local cloud has none of, because no
// operation of it makes one. Clients ask such questions in passing, and the truthful answer
// is an empty list. An id that a request names does not exist.
type absent struct {
	operation  string
	dryRun     *bool
	ids        []string
	code, text string // of the error for an id; the message is the text and the id
	filters    []types.Filter
	page       pageRequest
}

// none returns the error for a question that no empty list answers, or nil.
func (a *API) none(ctx context.Context, q absent) error {
	if _, _, err := a.read(ctx, q.dryRun); err != nil {
		return err
	}
	if err := q.page.check("ids", len(q.ids) > 0); err != nil {
		return err
	}
	for _, filter := range q.filters {
		switch {
		case aws.ToString(filter.Name) == "":
			return wire.Errorf("InvalidParameterValue", "The filter 'null' is invalid")
		case !hasFilter(q.operation, *filter.Name):
			return wire.Errorf("InvalidParameterValue", "The filter '%s' is invalid", *filter.Name)
		}
	}
	if len(q.ids) > 0 {
		return wire.Errorf(q.code, "%s '%s' does not exist", q.text, q.ids[0])
	}
	if q.page.token != nil {
		return wire.Errorf("InvalidNextToken", "The token '%s' is invalid.", *q.page.token)
	}
	return nil
}

// DescribeReservedInstances lists Reserved Instances.
func (a *API) DescribeReservedInstances(
	ctx context.Context, in *ec2.DescribeReservedInstancesInput,
) (*ec2.DescribeReservedInstancesOutput, error) {
	if err := cmp.Or(
		checkEnum("offeringClass", in.OfferingClass), checkEnum("offeringType", in.OfferingType),
	); err != nil {
		return nil, err
	}
	out := &ec2.DescribeReservedInstancesOutput{ReservedInstances: []types.ReservedInstances{}}
	return out, a.none(ctx, absent{
		operation: "DescribeReservedInstances",
		dryRun:    in.DryRun, ids: in.ReservedInstancesIds, filters: in.Filters,
		code: "InvalidReservedInstancesId", text: "The reserved instances ID",
	})
}
