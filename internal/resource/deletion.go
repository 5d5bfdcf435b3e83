package resource

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
)

// inUseLimit is how long a deletion waits for resources that refer to the deleted
// one. The network interfaces of a deleted load balancer may stay for so long, and
// only AWS can delete them.
const inUseLimit = 20 * time.Minute

type networkInterfaceAPI interface {
	DescribeNetworkInterfaces(
		context.Context, *ec2.DescribeNetworkInterfacesInput, ...func(*ec2.Options),
	) (*ec2.DescribeNetworkInterfacesOutput, error)
}

// deleteWhenUnused deletes a resource as soon as nothing refers to it. Meanwhile it
// reports what the network interfaces selected by inUse, if any, belong to.
func (p *Provisioner) deleteWhenUnused(
	ctx context.Context,
	f plan.Found,
	remove func(context.Context) error,
	inUse ...types.Filter,
) error {
	label, attempts := f.Label(), 0
	var last error
	err := awsapi.Wait(ctx, inUseLimit, label+" to be unused", func(ctx context.Context) (bool, error) {
		last = remove(ctx)
		switch {
		case last == nil || awsapi.IsNotFound(last):
			return true, nil
		case !awsapi.IsInUse(last):
			return false, fmt.Errorf("delete %s: %w", label, last)
		}
		if attempts++; attempts%8 == 4 {
			p.progress(f.Address, "waiting: %s is still in use%s", label, p.interfaceOwners(ctx, inUse))
		}
		return false, nil
	})
	var late *awsapi.TimeoutError
	if !errors.As(err, &late) {
		return err
	}
	owners := p.interfaceOwners(context.WithoutCancel(ctx), inUse)
	return &diag.Diagnostic{
		Where:   f.Address,
		Summary: fmt.Sprintf("%s is still in use after %s%s", label, inUseLimit, owners),
		Detail:  awsapi.Message(last),
		Hint:    "delete what uses it, if it is yours, and run aloft down again",
		Cause:   err,
	}
}

// interfaceOwners names the owners of the selected network interfaces, or returns
// "" if there are none.
func (p *Provisioner) interfaceOwners(ctx context.Context, filters []types.Filter) string {
	if len(filters) == 0 {
		return ""
	}
	list, err := p.EC2.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{Filters: filters})
	if err != nil || len(list.NetworkInterfaces) == 0 {
		return ""
	}
	owners := map[string]bool{}
	for _, i := range list.NetworkInterfaces {
		owner := aws.ToString(i.Description)
		if i.Attachment != nil && i.Attachment.InstanceId != nil {
			owner = *i.Attachment.InstanceId
		}
		if owner == "" {
			owner = aws.ToString(i.NetworkInterfaceId)
		}
		owners[owner] = true
	}
	return fmt.Sprintf(" by %d network interfaces: %s",
		len(list.NetworkInterfaces), strings.Join(slices.Sorted(maps.Keys(owners)), ", "))
}
