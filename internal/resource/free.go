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
	"aloft.dev/aloft/internal/stack"
)

// linger is how long the network interfaces of a deleted load balancer may
// stay; nobody but AWS can delete them.
const linger = 20 * time.Minute

// whenFree deletes something as soon as nothing refers to it any more, and says
// meanwhile what does. What is not there is deleted.
func (s *Site) whenFree(ctx context.Context, f plan.Found, remove func(context.Context) error) error {
	what := plan.Label(f)
	tries := 0
	var last error
	err := awsapi.Wait(ctx, linger, what+" to be free", func(ctx context.Context) (bool, error) {
		last = remove(ctx)
		switch {
		case last == nil || awsapi.IsNotFound(last):
			return true, nil
		case !awsapi.IsInUse(last):
			return false, fmt.Errorf("delete %s: %w", what, last)
		}
		if tries++; tries%8 == 4 {
			s.progress(f.Address, "waiting: %s is still in use%s", what, s.users(ctx, f))
		}
		return false, nil
	})
	var late *awsapi.TimeoutError
	if errors.As(err, &late) {
		return &diag.Diagnostic{
			Where:   f.Address,
			Summary: fmt.Sprintf("%s is still in use after %s%s", what, linger, s.users(context.WithoutCancel(ctx), f)),
			Detail: awsapi.Message(
				last,
			),
			Hint:  "delete what uses it, if it is yours, and run aloft down again",
			Cause: err,
		}
	}
	return err
}

// users names the network interfaces that hold something back.
func (s *Site) users(ctx context.Context, f plan.Found) string {
	names := map[stack.Kind]string{
		stack.KindVPC: "vpc-id", stack.KindSubnet: "subnet-id", stack.KindSecurityGroup: "group-id", stack.KindInternetGateway: "vpc-id",
	}
	name, ok := names[f.Kind]
	if !ok {
		return ""
	}
	value := f.ID
	if f.Kind == stack.KindInternetGateway {
		value = f.Get("attached to")
	}
	list, err := s.EC2.DescribeNetworkInterfaces(
		ctx,
		&ec2.DescribeNetworkInterfacesInput{Filters: []types.Filter{filter(name, value)}},
	)
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
	return fmt.Sprintf(
		" by %d network interfaces: %s",
		len(list.NetworkInterfaces),
		strings.Join(slices.Sorted(maps.Keys(owners)), ", "),
	)
}
