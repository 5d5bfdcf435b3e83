//go:build linux && root

package scaling

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/test/program"
	"aloft.dev/aloft/test/simulation"
)

// networkBalancer is a Network Load Balancer that forwards a port to port 3000 of its targets.
// In its first zone it has an Elastic IP address.
type networkBalancer struct {
	url, targets string // of its DNS name; ARN of the target group
	arn, elastic string // its ARN; the Elastic IP address
	port         int32
}

func newNetworkBalancer(
	t *testing.T, c *program.LocalCloud, vpc string, subnets []string, group string, port int32,
) networkBalancer {
	t.Helper()
	ctx := t.Context()
	address := simulation.Must(c.API.EC2.AllocateAddress(ctx, &ec2.AllocateAddressInput{}))(t)
	lb := simulation.Must(c.API.ELB.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
		Name: aws.String("flows"), Type: elbtypes.LoadBalancerTypeEnumNetwork, SecurityGroups: []string{group},
		SubnetMappings: []elbtypes.SubnetMapping{
			{SubnetId: &subnets[0], AllocationId: address.AllocationId},
			{SubnetId: &subnets[1]}, {SubnetId: &subnets[2]},
		},
	}))(t).LoadBalancers[0]
	targets := newTargetGroup(t, c, "flows", elbtypes.ProtocolEnumTcp, vpc)
	simulation.Must(c.API.ELB.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Port: &port, Protocol: elbtypes.ProtocolEnumTcp,
		DefaultActions: []elbtypes.Action{
			{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &targets},
		},
	}))(t)
	return networkBalancer{
		url: fmt.Sprintf("http://%s:%d", *lb.DNSName, port), arn: *lb.LoadBalancerArn,
		targets: targets, elastic: *address.PublicIp, port: port,
	}
}

// assertForwards asserts that each node forwards connections to the one machine in its zone,
// that all machines answer, and that they see the client's address.
func (b networkBalancer) assertForwards(t *testing.T, c *program.LocalCloud, want map[string]bool) {
	t.Helper()
	program.Eventually(t, program.Patience, "three machines get connections", func() bool {
		return len(healthy(t, c, b.targets)) == 3
	})
	nodes := simulation.Must(c.API.EC2.DescribeNetworkInterfaces(t.Context(), &ec2.DescribeNetworkInterfacesInput{
		Filters: []types.Filter{{Name: aws.String("interface-type"), Values: []string{"network_load_balancer"}}},
	}))(t).NetworkInterfaces
	if len(nodes) != 3 {
		t.Fatalf("there are %d nodes", len(nodes))
	}
	all, elastic := map[string]bool{}, false
	for _, node := range nodes {
		public := aws.ToString(node.Association.PublicIp)
		elastic = elastic || public == b.elastic
		names := map[string]bool{}
		for range 5 {
			names[b.ask(t, public)] = true
		}
		b.assertServes(t, public, want)
		if len(names) != 1 {
			t.Errorf("the node in %s forwards to %v, without cross-zone load balancing", *node.AvailabilityZone, names)
		}
		for name := range names {
			all[name] = true
		}
	}
	if !elastic {
		t.Errorf("no node has the address %s", b.elastic)
	}
	if fmt.Sprint(all) != fmt.Sprint(want) {
		t.Errorf("connections reach %v, want %v", all, want)
	}
	// Its name leads to it on the host, although another load balancer has the same port.
	if name := program.Fetch(t, b.url); !want[name] {
		t.Errorf("%s is answered by %q", b.url, name)
	}
}

// ask sends a request to a node, and returns the machine's name. It asserts that the machine
// sees the address from which the request came.
func (b networkBalancer) ask(t *testing.T, public string) string {
	t.Helper()
	name, header, own := fetchFrom(t, fmt.Sprintf("http://%s:%d/", public, b.port), nil)
	if saw := header.Get("X-Client"); saw != own {
		t.Errorf("a machine sees the client %s, want %s", saw, own)
	}
	return name
}

// dimension returns the value of a metric's dimension for an ARN.
func dimension(arn string) *string {
	return aws.String(strings.TrimPrefix(arn[strings.LastIndexByte(arn, ':')+1:], "loadbalancer/"))
}

// assertMeasured asserts that CloudWatch has the load balancer's metrics.
func (b networkBalancer) assertMeasured(t *testing.T, c *program.LocalCloud) {
	t.Helper()
	lb := cloudwatchtypes.Dimension{Name: aws.String("LoadBalancer"), Value: dimension(b.arn)}
	group := cloudwatchtypes.Dimension{Name: aws.String("TargetGroup"), Value: dimension(b.targets)}
	for name, dimensions := range map[string][]cloudwatchtypes.Dimension{
		"NewFlowCount_TCP": {lb}, "NewFlowCount_TLS": {lb}, "ProcessedBytes_TLS": {lb},
		"ProcessedBytes": {lb}, "HealthyHostCount": {group, lb},
	} {
		program.Eventually(t, program.Patience, "there is "+name, func() bool {
			points := simulation.Must(c.API.CW.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
				Namespace: aws.String("AWS/NetworkELB"), MetricName: &name, Dimensions: dimensions,
				StartTime: aws.Time(time.Now().Add(-time.Hour)), EndTime: aws.Time(time.Now().Add(time.Minute)),
				Period: aws.Int32(3600), Statistics: []cloudwatchtypes.Statistic{cloudwatchtypes.StatisticSum},
			}))(t).Datapoints
			return len(points) > 0 && *points[0].Sum > 0
		})
	}
}
