//go:build linux

package client

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/test/simulation"
)

// untilRefused repeats a call until it is refused, and returns how many succeeded and
// the refusal.
func untilRefused(t *testing.T, most int, call func(n int) error) (succeeded int, refusal string) {
	t.Helper()
	for n := range most + 1 {
		if err := call(n); err != nil {
			return n, awsapi.Code(err) + ": " + awsapi.Message(err)
		}
	}
	t.Fatalf("%d calls succeeded", most+1)
	return 0, ""
}

// setup is an account that already has a VPC with a subnet.
type setup struct {
	*awsapi.Client
	ctx         context.Context
	vpc, subnet string
	image       string
}

func newSetup(t *testing.T, on ...manners.Manner) setup {
	cloud := simulation.New(t)
	c := cloud.Client(t, nil)
	images := must[*ec2.DescribeImagesOutput](t)(c.EC2.DescribeImages(t.Context(), &ec2.DescribeImagesInput{}))
	s := setup{Client: c, ctx: t.Context(), vpc: newVPC(t, c), image: *images.Images[0].ImageId}
	cloud.Until(t, "the base image is built", func(r store.Reader) bool {
		image, ok := store.Images.Get(r, s.image)
		return ok && image.State == "available"
	})
	s.subnet = newSubnet(t, c, s.vpc)
	cloud.Manners.Use(manners.Settings{Manners: on})
	return s
}

func TestQuotasOfANewAccount(t *testing.T) {
	for _, test := range []struct {
		name      string
		succeed   int
		refusal   string
		call      func(t *testing.T, s setup, n int) error
		unlimited bool // the call succeeds once more in a cloud without limits
	}{
		{
			"VPCs", 5 - 2, "VpcLimitExceeded: The maximum number of VPCs has been reached.",
			func(_ *testing.T, s setup, n int) error {
				_, err := s.EC2.CreateVpc(s.ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16")})
				return err
			}, true,
		},
		{
			"internet gateways", 5 - 1,
			"InternetGatewayLimitExceeded: The maximum number of internet gateways has been reached.",
			func(_ *testing.T, s setup, n int) error {
				_, err := s.EC2.CreateInternetGateway(s.ctx, &ec2.CreateInternetGatewayInput{})
				return err
			}, true,
		},
		{
			"subnets of a VPC", 200 - 1, "SubnetLimitExceeded: The maximum number of subnets has been reached.",
			func(_ *testing.T, s setup, n int) error {
				_, err := s.EC2.CreateSubnet(s.ctx, &ec2.CreateSubnetInput{
					VpcId: &s.vpc, CidrBlock: aws.String(fmt.Sprintf("10.0.%d.0/24", n+1)),
				})
				return err
			}, true,
		},
		{
			"routes of a table", 50 - 1, "RouteLimitExceeded: The maximum number of routes has been reached.",
			routes(), true,
		},
		{
			"rules of a security group", 60,
			"RulesPerSecurityGroupLimitExceeded: The maximum number of rules per security group has been reached.",
			rules(), false,
		},
		{
			"vCPUs", 16, "VcpuLimitExceeded: You have requested more vCPU capacity than your current vCPU limit " +
				"of 32 allows for the instance bucket that the specified instance type belongs to. Please visit " +
				"http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.",
			func(_ *testing.T, s setup, n int) error {
				_, err := s.EC2.RunInstances(s.ctx, &ec2.RunInstancesInput{
					ImageId: &s.image, InstanceType: types.InstanceTypeT3Micro, SubnetId: &s.subnet,
					MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
				})
				return err
			}, true,
		},
		{
			"security groups of an interface", 5, "SecurityGroupsPerInstanceLimitExceeded: " +
				"The maximum number of security groups for network interface has been reached.",
			groupsOfInterface(), true,
		},
		{
			"load balancers", 50, "TooManyLoadBalancers: The maximum number of load balancers has been reached",
			loadBalancers(), true,
		},
		{
			"listeners of a load balancer", 50,
			"TooManyListeners: The maximum number of listeners per load balancer has been reached",
			listeners(), true,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t, manners.Limits)
			n, refusal := untilRefused(t, test.succeed, func(n int) error { return test.call(t, s, n) })
			if n != test.succeed || refusal != test.refusal {
				t.Errorf("%d calls succeeded, then %q; want %d, then %q", n, refusal, test.succeed, test.refusal)
			}
			if !test.unlimited {
				return
			}
			s = newSetup(t)
			for n := range test.succeed + 1 {
				if err := test.call(t, s, n); err != nil {
					t.Fatalf("in a kind cloud, call %d: %v", n, err)
				}
			}
		})
	}
}

// routes returns a call that adds a route to one table.
func routes() func(t *testing.T, s setup, n int) error {
	tables := map[string][2]*string{} // of a VPC: the table and the gateway
	return func(t *testing.T, s setup, n int) error {
		if _, ok := tables[s.vpc]; !ok {
			gateway := must[*ec2.CreateInternetGatewayOutput](t)(
				s.EC2.CreateInternetGateway(s.ctx, &ec2.CreateInternetGatewayInput{}))
			must[*ec2.AttachInternetGatewayOutput](t)(s.EC2.AttachInternetGateway(s.ctx,
				&ec2.AttachInternetGatewayInput{
					InternetGatewayId: gateway.InternetGateway.InternetGatewayId, VpcId: &s.vpc,
				}))
			table := must[*ec2.CreateRouteTableOutput](t)(
				s.EC2.CreateRouteTable(s.ctx, &ec2.CreateRouteTableInput{VpcId: &s.vpc}))
			tables[s.vpc] = [2]*string{table.RouteTable.RouteTableId, gateway.InternetGateway.InternetGatewayId}
		}
		_, err := s.EC2.CreateRoute(s.ctx, &ec2.CreateRouteInput{
			RouteTableId: tables[s.vpc][0], GatewayId: tables[s.vpc][1],
			DestinationCidrBlock: aws.String(fmt.Sprintf("192.168.%d.0/24", n)),
		})
		return err
	}
}

func newGroup(t *testing.T, s setup, name string) string {
	t.Helper()
	return *must[*ec2.CreateSecurityGroupOutput](t)(s.EC2.CreateSecurityGroup(s.ctx, &ec2.CreateSecurityGroupInput{
		VpcId: &s.vpc, GroupName: &name, Description: &name,
	})).GroupId
}

// rules returns a call that adds a rule to one security group.
func rules() func(t *testing.T, s setup, n int) error {
	groups := map[string]string{} // by VPC
	return func(t *testing.T, s setup, n int) error {
		if groups[s.vpc] == "" {
			groups[s.vpc] = newGroup(t, s, "web")
		}
		_, err := s.EC2.AuthorizeSecurityGroupIngress(s.ctx, &ec2.AuthorizeSecurityGroupIngressInput{
			GroupId: aws.String(groups[s.vpc]), IpProtocol: aws.String("tcp"), CidrIp: aws.String("10.0.0.0/8"),
			FromPort: aws.Int32(int32(n) + 1), ToPort: aws.Int32(int32(n) + 1),
		})
		return err
	}
}

// loadBalancers returns a call that creates another load balancer.
func loadBalancers() func(t *testing.T, s setup, n int) error {
	second := map[string]string{} // by VPC: a subnet in another zone
	return func(t *testing.T, s setup, n int) error {
		if second[s.vpc] == "" {
			out := must[*ec2.CreateSubnetOutput](t)(s.EC2.CreateSubnet(s.ctx, &ec2.CreateSubnetInput{
				VpcId: &s.vpc, CidrBlock: aws.String("10.0.9.0/24"), AvailabilityZone: aws.String("us-east-1b"),
			}))
			second[s.vpc] = *out.Subnet.SubnetId
		}
		_, err := s.ELB.CreateLoadBalancer(s.ctx, &elb.CreateLoadBalancerInput{
			Name: aws.String(fmt.Sprint("web", n)), Scheme: elbtypes.LoadBalancerSchemeEnumInternal,
			Subnets: []string{s.subnet, second[s.vpc]},
		})
		return err
	}
}

// listeners returns a call that adds a listener to one load balancer.
func listeners() func(t *testing.T, s setup, n int) error {
	balancers, create := map[string]*string{}, loadBalancers()
	return func(t *testing.T, s setup, n int) error {
		if balancers[s.vpc] == nil {
			if err := create(t, s, 0); err != nil {
				return err
			}
			out := must[*elb.DescribeLoadBalancersOutput](t)(
				s.ELB.DescribeLoadBalancers(s.ctx, &elb.DescribeLoadBalancersInput{}))
			balancers[s.vpc] = out.LoadBalancers[0].LoadBalancerArn
		}
		_, err := s.ELB.CreateListener(s.ctx, &elb.CreateListenerInput{
			LoadBalancerArn: balancers[s.vpc], Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(int32(n) + 1),
			DefaultActions: []elbtypes.Action{{
				Type:                elbtypes.ActionTypeEnumFixedResponse,
				FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: aws.String("200")},
			}},
		})
		return err
	}
}

// groupsOfInterface returns a call that gives one instance n+1 security groups.
func groupsOfInterface() func(t *testing.T, s setup, n int) error {
	groups, instances := map[string][]string{}, map[string]string{}
	return func(t *testing.T, s setup, n int) error {
		if instances[s.vpc] == "" {
			out := must[*ec2.RunInstancesOutput](t)(s.EC2.RunInstances(s.ctx, &ec2.RunInstancesInput{
				ImageId: &s.image, InstanceType: types.InstanceTypeT3Micro, SubnetId: &s.subnet,
				MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
			}))
			instances[s.vpc] = *out.Instances[0].InstanceId
		}
		groups[s.vpc] = append(groups[s.vpc], newGroup(t, s, fmt.Sprint("web", n)))
		_, err := s.EC2.ModifyInstanceAttribute(s.ctx, &ec2.ModifyInstanceAttributeInput{
			InstanceId: aws.String(instances[s.vpc]), Groups: groups[s.vpc],
		})
		return err
	}
}

func TestStoppedInstancesDoNotTakeVCPUs(t *testing.T) {
	s := newSetup(t, manners.Limits)
	launch := func(count int32) ([]string, error) {
		out, err := s.EC2.RunInstances(s.ctx, &ec2.RunInstancesInput{
			ImageId: &s.image, InstanceType: types.InstanceTypeT3Micro, SubnetId: &s.subnet,
			MinCount: aws.Int32(count), MaxCount: aws.Int32(count),
		})
		var ids []string
		if err == nil {
			for _, i := range out.Instances {
				ids = append(ids, *i.InstanceId)
			}
		}
		return ids, err
	}
	if _, err := launch(17); awsapi.Code(err) != "VcpuLimitExceeded" {
		t.Fatalf("34 vCPUs at once: %v", err)
	}
	ids, err := launch(16)
	if err != nil {
		t.Fatal(err)
	}
	must[*ec2.TerminateInstancesOutput](t)(s.EC2.TerminateInstances(s.ctx,
		&ec2.TerminateInstancesInput{InstanceIds: ids[:1]}))
	if _, err := launch(1); err != nil {
		t.Errorf("a launch after a termination: %v", err)
	}
	if _, err := launch(1); awsapi.Code(err) != "VcpuLimitExceeded" || !strings.Contains(err.Error(), "limit of 32") {
		t.Errorf("one launch too many: %v", err)
	}
}
