//go:build linux && root

package scaling

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	scalingtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/test/program"
	"aloft.dev/aloft/test/simulation"
)

// mortal is the user data of a server that answers with its host name and exits on
// /die. It logs each request to a volume, which /fill fills, and fails if it cannot.
const mortal = `#!/bin/bash
mount -t tmpfs -o size=1M data /srv
cat > /opt/server.pl <<'END'
use IO::Handle;
use IO::Socket::INET;
open(my $log, '>>', '/srv/log') or die;
$log->autoflush(1);
my $door = IO::Socket::INET->new(LocalPort => 3000, Listen => 64, ReuseAddr => 1) or die;
while (my $client = $door->accept) {
	my $asked = <$client>;
	my $forwarded = "";
	while (my $line = <$client>) {
		last if $line =~ /^\r?$/;
		$forwarded = $1 if $line =~ /^X-Forwarded-For: (\S+)/i;
	}
	exit 1 if $asked =~ m{^GET /die };
	if ($asked =~ m{^GET /fill }) { 1 while print $log "x" x 4096 }
	my $status = print($log $asked) ? "200 OK" : "500 Internal Server Error";
	my $name = $ENV{NAME};
	my $header = "Content-Length: " . length($name) . "\r\nX-Client: " . $client->peerhost .
		"\r\nX-Forwarded: $forwarded";
	print $client "HTTP/1.1 $status\r\n$header\r\nConnection: close\r\n\r\n$name";
	close $client;
}
END
systemd-run --unit=server --setenv=NAME=$(hostname) /usr/bin/perl /opt/server.pl
`

// TestRealGroupReplacesFailedInstances creates a group of three machines behind a
// load balancer. It terminates one, kills the application of another and fills the
// disk of a third.
func TestRealGroupReplacesFailedInstances(t *testing.T) {
	c := program.Start(t)
	url, targets, flows := balancedGroup(t, c)
	began := time.Now()
	program.Eventually(
		t,
		program.Patience,
		"three machines of a new group serve",
		func() bool { return len(healthy(t, c, targets)) == 3 },
	)
	first := healthy(t, c, targets)
	names := map[string]bool{}
	for range 30 {
		names[program.Fetch(t, url)] = true
	}
	if len(names) != 3 {
		t.Errorf("30 requests were answered by %v", names)
	}
	flows.assertForwards(t, c, names)
	assertTwoInterfaces(t, c, first[0])
	warm, zone := warmInstance(t, c)
	lost := inZone(t, c, first, zone)
	if _, err := c.API.EC2.TerminateInstances(
		t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{lost}},
	); err != nil {
		t.Fatal(err)
	}
	program.Eventually(t, program.Patience, "a machine that was terminated by hand is replaced", func() bool {
		now := healthy(t, c, targets)
		return len(now) == 3 && !slices.Contains(now, lost)
	})
	second := healthy(t, c, targets)
	if !slices.Contains(second, warm) {
		t.Errorf("%v serve, without %s of the warm pool", second, warm)
	}
	if status, body, err := program.Get(url + "/die"); err == nil && status == http.StatusOK {
		t.Fatalf("the application did not exit: %s", body)
	}
	program.Eventually(t, program.Patience, "a machine whose application was killed is replaced", func() bool {
		now := healthy(t, c, targets)
		left := slices.DeleteFunc(slices.Clone(now), func(id string) bool { return !slices.Contains(second, id) })
		return len(now) == 3 && len(left) == 2
	})
	third := healthy(t, c, targets)
	if status, body, err := program.Get(url + "/fill"); err != nil || status != http.StatusInternalServerError {
		t.Fatalf("a server on a full disk answered %d %q, %v", status, body, err)
	}
	program.Eventually(t, program.Patience, "a machine whose disk is full is replaced", func() bool {
		now := healthy(t, c, targets)
		left := slices.DeleteFunc(slices.Clone(now), func(id string) bool { return !slices.Contains(third, id) })
		return len(now) == 3 && len(left) == 2
	})
	names = map[string]bool{}
	for range 30 {
		names[program.Fetch(t, url)] = true
	}
	flows.assertForwards(t, c, names)
	flows.assertMeasured(t, c)
	t.Logf("all of it: %.1f s", time.Since(began).Seconds())
	for _, a := range scalingActivities(t, c) {
		t.Logf("%s %s | %s", a.StatusCode, *a.Description, *a.Cause)
	}
	if _, err := c.API.ASG.DeleteAutoScalingGroup(t.Context(), &autoscaling.DeleteAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("web"), ForceDelete: aws.Bool(true),
	}); err != nil {
		t.Fatal(err)
	}
	program.Eventually(t, program.Patience, "the group is gone with its machines", func() bool {
		out, err := c.API.ASG.DescribeAutoScalingGroups(t.Context(), &autoscaling.DescribeAutoScalingGroupsInput{})
		return err == nil && len(out.AutoScalingGroups) == 0
	})
}

// balancedGroup creates a group of three in three subnets of the default VPC behind
// an Application Load Balancer, whose URL and target group's ARN it returns, and behind a
// Network Load Balancer.
func balancedGroup(t *testing.T, c *program.LocalCloud) (url, targets string, flows networkBalancer) {
	t.Helper()
	ctx := t.Context()
	const port = 8098
	images := simulation.Must(c.API.EC2.DescribeImages(ctx, &ec2.DescribeImagesInput{
		Owners: []string{"136693071363"},
	}))(t).Images
	program.Eventually(t, 5*time.Minute, "the base image is there", func() bool {
		return simulation.Must(c.API.EC2.DescribeImages(ctx, &ec2.DescribeImagesInput{
			ImageIds: []string{*images[0].ImageId},
		}))(t).Images[0].State == types.ImageStateAvailable
	})
	subnets := simulation.Must(c.API.EC2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{}))(t).Subnets[:3]
	ids := []string{*subnets[0].SubnetId, *subnets[1].SubnetId, *subnets[2].SubnetId}
	vpc := subnets[0].VpcId
	group := simulation.Must(c.API.EC2.CreateSecurityGroup(
		ctx,
		&ec2.CreateSecurityGroupInput{GroupName: aws.String("web"), Description: aws.String("web"), VpcId: vpc},
	))(t).GroupId
	simulation.Must(c.API.EC2.AuthorizeSecurityGroupIngress(
		ctx,
		&ec2.AuthorizeSecurityGroupIngressInput{GroupId: group, IpPermissions: []types.IpPermission{
			{
				IpProtocol: aws.String("tcp"),
				FromPort:   aws.Int32(port),
				ToPort:     aws.Int32(tlsPort),
				IpRanges:   []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}},
			},
			{
				IpProtocol:       aws.String("tcp"),
				FromPort:         aws.Int32(3000),
				ToPort:           aws.Int32(3000),
				UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: group}},
			},
		}},
	))(t)
	simulation.Must(c.API.EC2.CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("web"),
		LaunchTemplateData: &types.RequestLaunchTemplateData{
			ImageId: images[0].ImageId, InstanceType: types.InstanceTypeT3Micro,
			NetworkInterfaces: []types.LaunchTemplateInstanceNetworkInterfaceSpecificationRequest{
				{DeviceIndex: aws.Int32(0), Groups: []string{*group}},
				{DeviceIndex: aws.Int32(1), Groups: []string{*group}},
			},
			UserData: aws.String(base64.StdEncoding.EncodeToString([]byte(mortal))),
		},
	}))(t)
	targets = newTargetGroup(t, c, "web", elbtypes.ProtocolEnumHttp, *vpc)
	lb := simulation.Must(c.API.ELB.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
		Name: aws.String("web"), Subnets: ids, SecurityGroups: []string{*group},
	}))(t).LoadBalancers[0]
	simulation.Must(c.API.ELB.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn,
		Port:            aws.Int32(port),
		Protocol:        elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{
			{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &targets},
		},
	}))(t)
	flows = newNetworkBalancer(t, c, *vpc, ids, *group, port)
	flows.addListeners(t, c, *lb.LoadBalancerArn, *vpc)
	simulation.Must(c.API.ASG.CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("web"), MinSize: aws.Int32(3), MaxSize: aws.Int32(4),
		LaunchTemplate:    &scalingtypes.LaunchTemplateSpecification{LaunchTemplateName: aws.String("web")},
		VPCZoneIdentifier: aws.String(ids[0] + "," + ids[1] + "," + ids[2]),
		TargetGroupARNs:   []string{targets, flows.targets}, HealthCheckType: aws.String("ELB"),
		HealthCheckGracePeriod: aws.Int32(10),
	}))(t)
	return fmt.Sprintf("http://%s:%d", *lb.DNSName, port), targets, flows
}

// assertTwoInterfaces fails the test unless a machine has the two interfaces of the launch template, each
// as a device with its address.
func assertTwoInterfaces(t *testing.T, c *program.LocalCloud, id string) {
	t.Helper()
	layout, err := host.LayoutFor(c.State)
	if err != nil {
		t.Fatal(err)
	}
	namespace := filepath.Join(layout.MachineRun(), id, "net")
	devices := program.Exec(t, "nsenter", "--net="+namespace, "ip", "-4", "-o", "address")
	interfaces := simulation.Must(c.API.EC2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{
		InstanceIds: []string{id},
	}))(t).Reservations[0].Instances[0].NetworkInterfaces
	if len(interfaces) != 2 {
		t.Errorf("%s has %d network interfaces", id, len(interfaces))
	}
	for _, i := range interfaces {
		name := fmt.Sprintf("ens%d", 5+*i.Attachment.DeviceIndex)
		if found, _ := regexp.MatchString(name+" +inet "+regexp.QuoteMeta(*i.PrivateIpAddress)+"/", devices); !found {
			t.Errorf("%s has no device %s with the address %s:\n%s", id, name, *i.PrivateIpAddress, devices)
		}
	}
}

// warmInstance adds a warm pool of one stopped instance to the group, and returns its id and
// its zone.
func warmInstance(t *testing.T, c *program.LocalCloud) (id, zone string) {
	t.Helper()
	simulation.Must(c.API.ASG.PutWarmPool(t.Context(), &autoscaling.PutWarmPoolInput{
		AutoScalingGroupName: aws.String("web"),
	}))(t)
	program.Eventually(t, program.Patience, "a machine of the warm pool has started and stopped", func() bool {
		out := simulation.Must(c.API.ASG.DescribeWarmPool(t.Context(), &autoscaling.DescribeWarmPoolInput{
			AutoScalingGroupName: aws.String("web"),
		}))(t).Instances
		if len(out) != 1 || out[0].LifecycleState != scalingtypes.LifecycleStateWarmedStopped {
			return false
		}
		id, zone = *out[0].InstanceId, *out[0].AvailabilityZone
		return true
	})
	return id, zone
}

// inZone returns the one of some instances that is in a zone.
func inZone(t *testing.T, c *program.LocalCloud, ids []string, zone string) string {
	t.Helper()
	for _, reservation := range simulation.Must(c.API.EC2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{
		InstanceIds: ids,
	}))(t).Reservations {
		for _, i := range reservation.Instances {
			if *i.Placement.AvailabilityZone == zone {
				return *i.InstanceId
			}
		}
	}
	t.Fatalf("none of %v is in %s", ids, zone)
	return ""
}

// healthy returns the sorted ids of a target group's healthy instances.
func healthy(t *testing.T, c *program.LocalCloud, targets string) []string {
	t.Helper()
	var out []string
	for _, d := range simulation.Must(c.API.ELB.DescribeTargetHealth(
		t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: &targets},
	))(t).TargetHealthDescriptions {
		if d.TargetHealth.State == elbtypes.TargetHealthStateEnumHealthy {
			out = append(out, *d.Target.Id)
		}
	}
	slices.Sort(out)
	return out
}

// scalingActivities returns the group's activities, oldest first.
func scalingActivities(t *testing.T, c *program.LocalCloud) []scalingtypes.Activity {
	t.Helper()
	all := simulation.Must(c.API.ASG.DescribeScalingActivities(
		t.Context(),
		&autoscaling.DescribeScalingActivitiesInput{AutoScalingGroupName: aws.String("web")},
	))(t).Activities
	slices.Reverse(all)
	return all
}

// newTargetGroup creates a target group for port 3000 that notices changes soon, and returns its
// ARN.
func newTargetGroup(
	t *testing.T, c *program.LocalCloud, name string, protocol elbtypes.ProtocolEnum, vpc string,
) string {
	t.Helper()
	made := simulation.Must(c.API.ELB.CreateTargetGroup(t.Context(), &elb.CreateTargetGroupInput{
		Name: &name, Protocol: protocol, Port: aws.Int32(3000), VpcId: &vpc,
		HealthCheckIntervalSeconds: aws.Int32(5), HealthCheckTimeoutSeconds: aws.Int32(2),
		HealthyThresholdCount: aws.Int32(2), UnhealthyThresholdCount: aws.Int32(2),
	}))(t).TargetGroups[0]
	simulation.Must(c.API.ELB.ModifyTargetGroupAttributes(t.Context(), &elb.ModifyTargetGroupAttributesInput{
		TargetGroupArn: made.TargetGroupArn,
		Attributes: []elbtypes.TargetGroupAttribute{
			{Key: aws.String("deregistration_delay.timeout_seconds"), Value: aws.String("5")},
		},
	}))(t)
	return *made.TargetGroupArn
}
