package console

import (
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

// clients are those of one region.
type clients struct {
	ec2 *ec2.Client
	elb *elb.Client
	asg *autoscaling.Client
	cw  *cloudwatch.Client
	log *cloudwatchlogs.Client
}

func (c *Console) clients(region string) clients {
	config := c.AWS(region)
	return clients{
		ec2: ec2.NewFromConfig(config), elb: elb.NewFromConfig(config),
		asg: autoscaling.NewFromConfig(config), cw: cloudwatch.NewFromConfig(config),
		log: cloudwatchlogs.NewFromConfig(config),
	}
}
