//go:build linux

package manners

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/cloud/dnsname"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/test/simulation"
)

// world is a client of a cloud that has one manner or none, in virtual time.
type world struct {
	*awsapi.Client
	t     *testing.T
	cloud *simulation.Cloud
}

func takingTime(t *testing.T, test func(w *world)) {
	t.Helper()
	withManner(t, manners.Times, 3, test)
}

// withManner runs a test in a synctest bubble, on a cloud that has one manner.
func withManner(t *testing.T, m manners.Manner, seed uint64, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := simulation.New(t)
		c.Manners.Use(manners.Settings{Manners: []manners.Manner{m}, Seed: seed})
		w := &world{c.Client(t, nil), t, c}
		w.subnets() // the first call creates the region with its base image
		synctest.Wait()
		test(w)
	})
}

// do calls an operation that must succeed.
func do[In, Out, Options any](
	w *world, operation func(context.Context, *In, ...func(*Options)) (*Out, error), in *In,
) *Out {
	w.t.Helper()
	return simulation.Must(operation(w.t.Context(), in))(w.t)
}

// refused checks that an operation fails with a code and words.
func refused[In, Out, Options any](
	w *world, operation func(context.Context, *In, ...func(*Options)) (*Out, error), in *In, code, words string,
) {
	w.t.Helper()
	if _, err := operation(w.t.Context(), in); awsapi.Code(err) != code || !strings.Contains(err.Error(), words) {
		w.t.Errorf("error %v, want %s with %q", err, code, words)
	}
}

// changes checks that state returns before until the first time, and after from the
// second time on, both counted from now. The daemon restarts in between.
func (w *world) changes(first, second time.Duration, state func() string, before, after string) {
	w.t.Helper()
	began := time.Now()
	check := func(at time.Duration, want string) {
		w.t.Helper()
		time.Sleep(time.Until(began.Add(at)))
		synctest.Wait()
		if got := state(); got != want {
			w.t.Errorf("after %s: %q, want %q", time.Since(began), got, want)
		}
	}
	check(0, before)
	w.cloud.StopLoops()
	w.cloud.StartLoops(w.t)
	check(first, before)
	check(second, after)
}

// subnets returns the ids of the default VPC and of its subnets.
func (w *world) subnets() (vpc string, ids []string) {
	for _, s := range do(w, w.EC2.DescribeSubnets, &ec2.DescribeSubnetsInput{}).Subnets {
		vpc, ids = *s.VpcId, append(ids, *s.SubnetId)
	}
	return vpc, ids
}

func (w *world) baseImage() string {
	return *do(w, w.EC2.DescribeImages, &ec2.DescribeImagesInput{}).Images[0].ImageId
}

func (w *world) launch(group string) string {
	_, subnets := w.subnets()
	return *do(w, w.EC2.RunInstances, &ec2.RunInstancesInput{
		ImageId: aws.String(w.baseImage()), InstanceType: "t2.micro", MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		SubnetId: &subnets[0], SecurityGroupIds: []string{group},
	}).Instances[0].InstanceId
}

func (w *world) securityGroup() string {
	vpc, _ := w.subnets()
	return *do(w, w.EC2.CreateSecurityGroup, &ec2.CreateSecurityGroupInput{
		VpcId: &vpc, GroupName: aws.String("web"), Description: aws.String("web"),
	}).GroupId
}

func (w *world) instanceState(id string) func() string {
	return func() string {
		out := do(w, w.EC2.DescribeInstances, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
		return string(out.Reservations[0].Instances[0].State.Name)
	}
}

func TestNetworksArePendingForAMoment(t *testing.T) {
	takingTime(t, func(w *world) {
		vpc := do(w, w.EC2.CreateVpc, &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16")}).Vpc.VpcId
		w.changes(time.Second-1, 3*time.Second, func() string {
			pending := []types.Filter{{Name: aws.String("state"), Values: []string{"pending"}}}
			found := do(w, w.EC2.DescribeVpcs, &ec2.DescribeVpcsInput{Filters: pending}).Vpcs
			if len(found) > 0 {
				return string(found[0].State)
			}
			return string(do(w, w.EC2.DescribeVpcs, &ec2.DescribeVpcsInput{VpcIds: []string{*vpc}}).Vpcs[0].State)
		}, "pending", "available")
		subnet := do(w, w.EC2.CreateSubnet, &ec2.CreateSubnetInput{VpcId: vpc, CidrBlock: aws.String("10.0.0.0/24")})
		w.changes(time.Second-1, 3*time.Second, func() string {
			ids := []string{*subnet.Subnet.SubnetId}
			return string(do(w, w.EC2.DescribeSubnets, &ec2.DescribeSubnetsInput{SubnetIds: ids}).Subnets[0].State)
		}, "pending", "available")
	})
}

func TestInstancesTakeTimeToStartStopAndTerminate(t *testing.T) {
	takingTime(t, func(w *world) {
		group := w.securityGroup()
		id := w.launch(group)
		state, ids := w.instanceState(id), []string{id}
		w.changes(15*time.Second-1, 52*time.Second, state, "pending", "running")

		do(w, w.EC2.StopInstances, &ec2.StopInstancesInput{InstanceIds: ids})
		synctest.Wait()
		if w.cloud.Machines.Status(id).State == "running" {
			t.Error("the machine runs on while its instance stops")
		}
		w.changes(20*time.Second-1, time.Minute, state, "stopping", "stopped")

		do(w, w.EC2.StartInstances, &ec2.StartInstancesInput{InstanceIds: ids})
		w.changes(15*time.Second-1, 52*time.Second, state, "pending", "running")

		do(w, w.EC2.TerminateInstances, &ec2.TerminateInstancesInput{InstanceIds: ids})
		synctest.Wait()
		if w.cloud.Machines.Status(id).State == "running" {
			t.Error("the machine runs on while its instance terminates")
		}
		vpc, _ := w.subnets()
		gateway := do(w, w.EC2.DescribeInternetGateways, &ec2.DescribeInternetGatewaysInput{}).InternetGateways[0]
		refused(w, w.EC2.DetachInternetGateway, &ec2.DetachInternetGatewayInput{
			InternetGatewayId: gateway.InternetGatewayId, VpcId: &vpc,
		}, "DependencyViolation", "has some mapped public address(es)")
		refused(w, w.EC2.DeleteSecurityGroup, &ec2.DeleteSecurityGroupInput{GroupId: &group},
			"DependencyViolation", "has a dependent object")
		w.changes(30*time.Second-1, 47*time.Second, state, "shutting-down", "terminated")
		do(w, w.EC2.DeleteSecurityGroup, &ec2.DeleteSecurityGroupInput{GroupId: &group})
	})
}

func TestStatusChecksAndConsoleOutputComeMinutesLater(t *testing.T) {
	takingTime(t, func(w *world) {
		id := w.launch(w.securityGroup())
		for w.instanceState(id)() != "running" {
			time.Sleep(time.Second)
		}
		w.changes(2*time.Minute-2*time.Second, 3*time.Minute, func() string {
			in := &ec2.DescribeInstanceStatusInput{InstanceIds: []string{id}}
			return string(do(w, w.EC2.DescribeInstanceStatus, in).InstanceStatuses[0].InstanceStatus.Status)
		}, "initializing", "ok")
		console := func() string {
			if do(w, w.EC2.GetConsoleOutput, &ec2.GetConsoleOutputInput{InstanceId: &id}).Output != nil {
				return "output"
			}
			return "none"
		}
		time.Sleep(time.Minute)
		if console() != "output" {
			t.Error("no console output after four minutes")
		}
		refused(w, w.EC2.GetConsoleOutput, &ec2.GetConsoleOutputInput{InstanceId: &id, Latest: aws.Bool(true)},
			"UnsupportedOperation", "does not support retrieving the latest console logs")
		do(w, w.EC2.StopInstances, &ec2.StopInstancesInput{InstanceIds: []string{id}})
		time.Sleep(time.Minute)
		do(w, w.EC2.StartInstances, &ec2.StartInstancesInput{InstanceIds: []string{id}})
		for w.instanceState(id)() != "running" {
			time.Sleep(time.Second)
		}
		w.changes(90*time.Second-2*time.Second, 4*time.Minute, console, "none", "output")
	})
}

func TestImagesTakeMinutes(t *testing.T) {
	takingTime(t, func(w *world) {
		id := w.launch(w.securityGroup())
		time.Sleep(time.Minute)
		in := &ec2.CreateImageInput{InstanceId: &id, Name: aws.String("copy")}
		image := do(w, w.EC2.CreateImage, in).ImageId
		snapshot := func() types.Snapshot {
			in := &ec2.DescribeSnapshotsInput{OwnerIds: []string{"self"}}
			return do(w, w.EC2.DescribeSnapshots, in).Snapshots[0]
		}
		synctest.Wait()
		w.changes(150*time.Second-1, 200*time.Second, func() string {
			in := &ec2.DescribeImagesInput{ImageIds: []string{*image}}
			return string(do(w, w.EC2.DescribeImages, in).Images[0].State) + " " + string(snapshot().State)
		}, "pending pending", "available completed")
		if n := w.cloud.Machines.Calls("Capture"); n != 1 {
			t.Errorf("%d captures, want 1", n)
		}
		in.Name = aws.String("another")
		do(w, w.EC2.DeregisterImage, &ec2.DeregisterImageInput{
			ImageId: image, DeleteAssociatedSnapshots: aws.Bool(true),
		})
		do(w, w.EC2.CreateImage, in)
		time.Sleep(90 * time.Second)
		if p := *snapshot().Progress; len(p) != 3 || p < "40%" || p > "65%" {
			t.Errorf("the snapshot has made %s of progress", p)
		}
	})
}

func TestLoadBalancersTakeMinutesToComeAndGo(t *testing.T) {
	takingTime(t, func(w *world) {
		vpc, subnets := w.subnets()
		group := w.securityGroup()
		lb := do(w, w.ELB.CreateLoadBalancer, &elb.CreateLoadBalancerInput{
			Name: aws.String("web"), Subnets: subnets[:2], SecurityGroups: []string{group},
		}).LoadBalancers[0]
		began := time.Now()
		w.changes(30*time.Second-1, time.Minute, func() string {
			found, known := dnsname.Resolver{Store: w.cloud.Store}.Addresses(vpc, *lb.DNSName)
			if !known || len(found) == 0 {
				return "NXDOMAIN"
			}
			return "addresses"
		}, "NXDOMAIN", "addresses")
		w.changes(141*time.Second-time.Since(began)-1, 187*time.Second-time.Since(began), func() string {
			in := &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{*lb.LoadBalancerArn}}
			serves := "carries nothing"
			if strings.Contains(w.cloud.Balancer.String(), *lb.DNSName) {
				serves = "carries traffic"
			}
			return string(do(w, w.ELB.DescribeLoadBalancers, in).LoadBalancers[0].State.Code) + " " + serves
		}, "provisioning carries nothing", "active carries traffic")

		do(w, w.ELB.DeleteLoadBalancer, &elb.DeleteLoadBalancerInput{LoadBalancerArn: lb.LoadBalancerArn})
		left := func() []types.NetworkInterface {
			return do(w, w.EC2.DescribeNetworkInterfaces, &ec2.DescribeNetworkInterfacesInput{Filters: []types.Filter{
				{Name: aws.String("description"), Values: []string{"ELB app/web/*"}},
				{Name: aws.String("requester-managed"), Values: []string{"true"}},
			}}).NetworkInterfaces
		}
		gateway := do(w, w.EC2.DescribeInternetGateways, &ec2.DescribeInternetGatewaysInput{}).InternetGateways[0]
		deleteGroup := &ec2.DeleteSecurityGroupInput{GroupId: &group}
		refused(w, w.EC2.DeleteSecurityGroup, deleteGroup, "DependencyViolation", "has a dependent object")
		refused(w, w.EC2.DeleteSubnet, &ec2.DeleteSubnetInput{SubnetId: &subnets[0]},
			"DependencyViolation", "has dependencies and cannot be deleted")
		refused(w, w.EC2.DetachInternetGateway, &ec2.DetachInternetGatewayInput{
			InternetGatewayId: gateway.InternetGatewayId, VpcId: &vpc,
		}, "DependencyViolation", "has some mapped public address(es)")
		refused(w, w.EC2.DeleteNetworkInterface, &ec2.DeleteNetworkInterfaceInput{
			NetworkInterfaceId: left()[0].NetworkInterfaceId,
		}, "OperationNotPermitted", "You are not allowed to manage")
		w.changes(20*time.Second-1, 3*time.Minute, func() string {
			return strings.Repeat("interface ", len(left()))
		}, "interface interface ", "")
		do(w, w.EC2.DeleteSecurityGroup, deleteGroup)
	})
}

func TestScalingGroupsTakeTimeToLaunchAndToGo(t *testing.T) {
	takingTime(t, func(w *world) {
		create := w.groupOfOne()
		do(w, w.ASG.CreateAutoScalingGroup, create)
		w.changes(2*time.Second, 16*time.Second, func() string {
			launched := do(w, w.EC2.DescribeInstances, &ec2.DescribeInstancesInput{}).Reservations
			return strings.Repeat("instance", len(launched))
		}, "", "instance")
		time.Sleep(5 * time.Minute)
		do(w, w.ASG.UpdateAutoScalingGroup, &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName: aws.String("web"), DesiredCapacity: aws.Int32(0),
		})
		time.Sleep(10 * time.Minute)
		do(w, w.ASG.DeleteAutoScalingGroup, &autoscaling.DeleteAutoScalingGroupInput{
			AutoScalingGroupName: aws.String("web"),
		})
		refused(w, w.ASG.CreateAutoScalingGroup, create, "AlreadyExists", "pending delete")
		w.changes(10*time.Second-1, 41*time.Second, func() string {
			out := do(w, w.ASG.DescribeAutoScalingGroups, &autoscaling.DescribeAutoScalingGroupsInput{})
			if len(out.AutoScalingGroups) == 0 {
				return "gone"
			}
			return *out.AutoScalingGroups[0].Status
		}, "Delete in progress", "gone")
	})
}

func TestMetricsComeLateAndByWholeMinutes(t *testing.T) {
	takingTime(t, func(w *world) {
		began := time.Now().Truncate(time.Minute)
		do(w, w.CW.PutMetricData, &cloudwatch.PutMetricDataInput{
			Namespace: aws.String("shop"), MetricData: []cwtypes.MetricDatum{
				{MetricName: aws.String("orders"), Value: aws.Float64(7)},
			},
		})
		w.changes(2*time.Minute-1, 3*time.Minute, func() string {
			points := do(w, w.CW.GetMetricStatistics, &cloudwatch.GetMetricStatisticsInput{
				Namespace: aws.String("shop"), MetricName: aws.String("orders"), Period: aws.Int32(60),
				StartTime: &began, EndTime: aws.Time(time.Now().Add(time.Second)),
				Statistics: []cwtypes.Statistic{cwtypes.StatisticSum},
			}).Datapoints
			return strings.Repeat("point", len(points))
		}, "", "point")
	})
}

func TestAKindCloudTakesNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := simulation.New(t)
		w := &world{c.Client(t, nil), t, c}
		w.subnets() // creates the region with its base image
		synctest.Wait()
		id := w.launch(w.securityGroup())
		synctest.Wait()
		if state := w.instanceState(id)(); state != "running" {
			t.Errorf("the instance is %s", state)
		}
		do(w, w.EC2.TerminateInstances, &ec2.TerminateInstancesInput{InstanceIds: []string{id}})
		synctest.Wait()
		if state := w.instanceState(id)(); state != "terminated" {
			t.Errorf("the instance is %s", state)
		}
	})
}

// groupOfOne returns the request for a group of one t3.micro, in one zone.
func (w *world) groupOfOne() *autoscaling.CreateAutoScalingGroupInput {
	_, subnets := w.subnets()
	template := do(w, w.EC2.CreateLaunchTemplate, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("web"), LaunchTemplateData: &types.RequestLaunchTemplateData{
			ImageId: aws.String(w.baseImage()), InstanceType: "t3.micro",
		},
	}).LaunchTemplate
	return &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("web"), MinSize: aws.Int32(0), MaxSize: aws.Int32(1),
		DesiredCapacity: aws.Int32(1), VPCZoneIdentifier: &subnets[0],
		LaunchTemplate: &astypes.LaunchTemplateSpecification{LaunchTemplateId: template.LaunchTemplateId},
	}
}
