// Package resource finds, creates, updates and deletes the AWS resources of an
// application. Each kind of resource has a file. Each create is a sequence of
// calls whose effects can be seen in the cloud, so the next run completes what an
// interrupted one has begun.
package resource

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"aloft.dev/aloft/internal/awsapi"
)

// Cloud is one application in one region of AWS.
type Cloud struct {
	App, Region string
	Identity    bool   // the spec needs a role or an environment
	Alerts      bool   // the spec asks for alerts
	Tagged      bool   // the spec asks for tags
	Protected   bool   // the spec protects the application
	AccessLogs  bool   // the spec asks for access logs
	Salt        string // of the digests of the environment's values

	Domains   []string // of the spec
	AnyDomain bool     // no spec is known, so the application may have a domain

	EC2 EC2
	ELB ELB
	ASG ASG
	CW  CW
	SSM SSM
	IAM IAM
	ACM ACM
	DNS DNS
	SNS SNS
	S3  S3
	STS STS

	Logs    Logs
	Connect ConnectKeys
	Tunnels Tunnels
}

// NewCloud returns the application's cloud, reached through the SDK's clients.
func NewCloud(app, region string, c *awsapi.Client) Cloud {
	return Cloud{
		App:    app,
		Region: region,
		EC2:    newEC2(c.EC2),
		ELB:    newELB(c.ELB),
		ASG:    newASG(c.ASG),
		CW:     c.CW,
		SSM:    c.SSM,
		IAM:    newIAM(c.IAM),
		ACM:    c.ACM,
		DNS:    c.DNS,
		SNS:    c.SNS,
		S3:     c.S3,
		STS:    c.STS,

		Logs:    c.Logs,
		Connect: c.Connect,
		Tunnels: c,
	}
}

// EC2 is the part of Amazon EC2 that the package uses. Each interface is declared
// beside the kind that uses it.
type EC2 struct {
	accountAPI
	vpcAPI
	subnetAPI
	internetGatewayAPI
	elasticIPAPI
	natGatewayAPI
	routeTableAPI
	securityGroupAPI
	networkInterfaceAPI
	keyPairAPI
	connectEndpointAPI
	instanceAPI
	imageAPI
	launchTemplateAPI
	profileAssociationAPI
	vpcEndpointAPI
	tagAPI
}

// newEC2 returns an EC2 that uses the SDK's client.
func newEC2(c *ec2.Client) EC2 {
	return EC2{
		accountAPI:          c,
		vpcAPI:              c,
		subnetAPI:           c,
		internetGatewayAPI:  c,
		elasticIPAPI:        c,
		natGatewayAPI:       c,
		routeTableAPI:       c,
		securityGroupAPI:    c,
		networkInterfaceAPI: c,
		keyPairAPI:          c,
		connectEndpointAPI:  c,
		instanceAPI:         c,
		imageAPI:            c,
		launchTemplateAPI:   c,
		tagAPI:              c,

		profileAssociationAPI: c,
		vpcEndpointAPI:        c,
	}
}

// ELB is the part of Elastic Load Balancing v2 that the package uses.
type ELB struct {
	elbTagAPI
	targetGroupAPI
	targetAPI
	loadBalancerAPI
	listenerAPI
	secureListenerAPI
}

// newELB returns an ELB that uses the SDK's client.
func newELB(c *elb.Client) ELB {
	return ELB{
		elbTagAPI: c, targetGroupAPI: c, targetAPI: c, loadBalancerAPI: c, listenerAPI: c, secureListenerAPI: c,
	}
}

// ASG is the part of Amazon EC2 Auto Scaling that the package uses.
type ASG struct {
	scalingGroupAPI
	instanceRefreshAPI
	scalingPolicyAPI
	scheduleAPI
}

// newASG returns an ASG that uses the SDK's client.
func newASG(c *autoscaling.Client) ASG {
	return ASG{scalingGroupAPI: c, instanceRefreshAPI: c, scalingPolicyAPI: c, scheduleAPI: c}
}

// CW is the part of Amazon CloudWatch that the package and its users use: alarms, and
// metrics.
type CW interface {
	DescribeAlarms(
		context.Context, *cloudwatch.DescribeAlarmsInput, ...func(*cloudwatch.Options),
	) (*cloudwatch.DescribeAlarmsOutput, error)
	GetMetricData(
		context.Context, *cloudwatch.GetMetricDataInput, ...func(*cloudwatch.Options),
	) (*cloudwatch.GetMetricDataOutput, error)
	ListTagsForResource(
		context.Context, *cloudwatch.ListTagsForResourceInput, ...func(*cloudwatch.Options),
	) (*cloudwatch.ListTagsForResourceOutput, error)
	PutMetricAlarm(
		context.Context, *cloudwatch.PutMetricAlarmInput, ...func(*cloudwatch.Options),
	) (*cloudwatch.PutMetricAlarmOutput, error)
	TagResource(
		context.Context, *cloudwatch.TagResourceInput, ...func(*cloudwatch.Options),
	) (*cloudwatch.TagResourceOutput, error)
	UntagResource(
		context.Context, *cloudwatch.UntagResourceInput, ...func(*cloudwatch.Options),
	) (*cloudwatch.UntagResourceOutput, error)
	SetAlarmState(
		context.Context, *cloudwatch.SetAlarmStateInput, ...func(*cloudwatch.Options),
	) (*cloudwatch.SetAlarmStateOutput, error)
	DeleteAlarms(
		context.Context, *cloudwatch.DeleteAlarmsInput, ...func(*cloudwatch.Options),
	) (*cloudwatch.DeleteAlarmsOutput, error)
}

// IAM is the part of AWS Identity and Access Management that the package uses.
type IAM struct {
	roleAPI
	rolePolicyAPI
	instanceProfileAPI
}

// newIAM returns an IAM that uses the SDK's client.
func newIAM(c *iam.Client) IAM { return IAM{roleAPI: c, rolePolicyAPI: c, instanceProfileAPI: c} }

// SSM is the part of AWS Systems Manager that the package uses: the public parameters
// that name base images, and the one with the application's environment.
type SSM interface {
	GetParameter(context.Context, *ssm.GetParameterInput, ...func(*ssm.Options)) (*ssm.GetParameterOutput, error)
	PutParameter(context.Context, *ssm.PutParameterInput, ...func(*ssm.Options)) (*ssm.PutParameterOutput, error)
	ListTagsForResource(
		context.Context, *ssm.ListTagsForResourceInput, ...func(*ssm.Options),
	) (*ssm.ListTagsForResourceOutput, error)
	AddTagsToResource(
		context.Context, *ssm.AddTagsToResourceInput, ...func(*ssm.Options),
	) (*ssm.AddTagsToResourceOutput, error)
	RemoveTagsFromResource(
		context.Context, *ssm.RemoveTagsFromResourceInput, ...func(*ssm.Options),
	) (*ssm.RemoveTagsFromResourceOutput, error)
	DeleteParameter(
		context.Context, *ssm.DeleteParameterInput, ...func(*ssm.Options),
	) (*ssm.DeleteParameterOutput, error)
}
