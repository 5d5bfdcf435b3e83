package resource

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"golang.org/x/sync/errgroup"
)

// drainTime returns for how long Auto Scaling may let an instance finish its requests
// before it terminates it: the longest deregistration delay of the target groups
// (Amazon EC2 Auto Scaling User Guide, "Use Elastic Load Balancing to distribute
// incoming application traffic"). Target groups that do not exist are ignored.
func (c *Cloud) drainTime(ctx context.Context, targetGroups []string) (time.Duration, error) {
	delays := make([]time.Duration, len(targetGroups))
	group, ctx := errgroup.WithContext(ctx)
	for i, arn := range targetGroups {
		group.Go(func() (err error) {
			delays[i], err = c.deregistrationDelay(ctx, arn)
			return ignoreNotFound("read the attributes of target group "+arn, err)
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	longest := time.Duration(0)
	for _, delay := range delays {
		longest = max(longest, delay)
	}
	return longest, nil
}

func (c *Cloud) deregistrationDelay(ctx context.Context, targetGroup string) (time.Duration, error) {
	list, err := c.ELB.DescribeTargetGroupAttributes(ctx, &elb.DescribeTargetGroupAttributesInput{
		TargetGroupArn: &targetGroup,
	})
	if err != nil {
		return 0, err
	}
	for _, a := range list.Attributes {
		if aws.ToString(a.Key) == delayAttribute {
			n, err := strconv.Atoi(aws.ToString(a.Value))
			return time.Duration(n) * time.Second, err
		}
	}
	return 0, nil
}

// upTo describes how long requests may take to finish: " for up to 5m0s".
func upTo(drain time.Duration) string {
	if drain == 0 {
		return ""
	}
	return fmt.Sprintf(" for up to %s", drain)
}
