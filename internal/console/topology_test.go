package console

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/golden"
	"aloft.dev/aloft/internal/inventory"
)

// town returns the inventory of a VPC with machines in three zones, which are in a state each.
func town(machines int) *inventory.Inventory {
	text := func(format string, args ...any) *string { return aws.String(fmt.Sprintf(format, args...)) }
	name := func(format string, args ...any) []types.Tag {
		return []types.Tag{{Key: aws.String("Name"), Value: text(format, args...)}}
	}
	vpc, gateway := aws.String("vpc-1"), aws.String("igw-1")
	i := &inventory.Inventory{
		Region: "us-east-1",
		VPCs: []types.Vpc{
			{VpcId: aws.String("vpc-0"), CidrBlock: aws.String("172.31.0.0/16"), IsDefault: aws.Bool(true)},
			{VpcId: vpc, CidrBlock: aws.String("10.0.0.0/16"), Tags: name("shop & <co>")},
		},
		InternetGateways: []types.InternetGateway{{
			InternetGatewayId: gateway, Attachments: []types.InternetGatewayAttachment{{VpcId: vpc}},
		}},
		RouteTables: []types.RouteTable{{
			VpcId: vpc, Associations: []types.RouteTableAssociation{{SubnetId: aws.String("subnet-1")}},
			Routes: []types.Route{{GatewayId: gateway, State: types.RouteStateActive}},
		}},
		NATGateways: []types.NatGateway{
			{NatGatewayId: aws.String("nat-1"), SubnetId: aws.String("subnet-1"), State: types.NatGatewayStatePending},
			{NatGatewayId: aws.String("nat-2"), SubnetId: aws.String("subnet-1"), State: types.NatGatewayStateDeleted},
		},
		Interfaces: []types.NetworkInterface{{
			NetworkInterfaceId: aws.String("eni-1"), SubnetId: aws.String("subnet-2"),
			Status:      types.NetworkInterfaceStatusInUse,
			Description: aws.String("ELB app/shop/1"), PrivateIpAddress: aws.String("10.0.2.9"),
		}},
		LoadBalancers: []inventory.LoadBalancer{{
			LoadBalancer: elbtypes.LoadBalancer{
				LoadBalancerArn: aws.String("arn:aws:elb:x:loadbalancer/app/shop/1"), VpcId: vpc,
				LoadBalancerName: aws.String("shop"), SecurityGroups: []string{"sg-1"},
				State: &elbtypes.LoadBalancerState{Code: elbtypes.LoadBalancerStateEnumProvisioning},
			},
			Listeners: []inventory.Listener{{Listener: elbtypes.Listener{
				Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80),
			}}},
		}},
		TargetGroups: []inventory.TargetGroup{{}},
		SecurityGroups: []types.SecurityGroup{
			{GroupId: aws.String("sg-1"), GroupName: aws.String("balancer")},
			{GroupId: aws.String("sg-2"), GroupName: aws.String("servers")},
		},
		Rules: []types.SecurityGroupRule{
			{
				GroupId: aws.String("sg-1"), IpProtocol: aws.String("tcp"), FromPort: aws.Int32(80),
				ToPort: aws.Int32(80), CidrIpv4: aws.String("0.0.0.0/0"),
			},
			{
				GroupId: aws.String("sg-2"), IpProtocol: aws.String("tcp"), FromPort: aws.Int32(3000),
				ToPort:              aws.Int32(3000),
				ReferencedGroupInfo: &types.ReferencedSecurityGroup{GroupId: aws.String("sg-1")},
			},
		},
		NetworkACLs: []types.NetworkAcl{{
			NetworkAclId: aws.String("acl-1"),
			Associations: []types.NetworkAclAssociation{{SubnetId: aws.String("subnet-2")}},
		}},
	}
	servers := []types.InstanceNetworkInterface{{
		Groups: []types.GroupIdentifier{{GroupId: aws.String("sg-2")}},
	}}
	states := []types.InstanceStateName{
		types.InstanceStateNameRunning, types.InstanceStateNameRunning, types.InstanceStateNameStopped,
		types.InstanceStateNamePending,
	}
	health := []elbtypes.TargetHealthStateEnum{
		elbtypes.TargetHealthStateEnumHealthy, elbtypes.TargetHealthStateEnumUnhealthy,
	}
	for n := range 3 {
		i.Subnets = append(i.Subnets, types.Subnet{
			SubnetId: text("subnet-%d", n+1), VpcId: vpc, CidrBlock: text("10.0.%d.0/24", n+1),
			AvailabilityZone: text("us-east-1%c", 'a'+rune(n)),
		})
	}
	for n := range machines {
		id := text("i-%d", n+1)
		i.Instances = append(i.Instances, types.Instance{
			InstanceId: id, SubnetId: text("subnet-%d", n%3+1), InstanceType: types.InstanceTypeT3Micro,
			PrivateIpAddress: text("10.0.%d.%d", n%3+1, n/3+10), Tags: name("server-%d", n+1),
			State: &types.InstanceState{Name: states[n%len(states)]}, NetworkInterfaces: servers,
		})
		i.TargetGroups[0].Targets = append(i.TargetGroups[0].Targets, elbtypes.TargetHealthDescription{
			Target: &elbtypes.TargetDescription{Id: id}, TargetHealth: &elbtypes.TargetHealth{
				State: health[n%len(health)], Description: aws.String("Health checks failed"),
			},
		})
	}
	return i
}

func TestTopologyPage(t *testing.T) {
	c := newDesk(t).Console
	r := httptest.NewRequest(http.MethodGet, Path, nil)
	r.SetPathValue("region", "us-east-1")
	got, err := c.render(Section{ID: "topology", Template: "topology.html", Data: newTopology(town(4))}, r)
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, filepath.Join("testdata", "topology.golden"), string(got))
}

func TestHealthOfMachines(t *testing.T) {
	all := newTopology(town(4))
	got := map[string]Health{}
	for _, zone := range all.VPCs[0].Zones {
		for _, subnet := range zone.Subnets {
			for _, item := range subnet.Items {
				got[item.ID] = item.Health
			}
		}
	}
	want := map[string]Health{
		"i-1": Good, "i-2": Bad, "i-3": Off, "i-4": Waiting, "nat-1": Waiting, "eni-1": Good,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if !all.VPCs[1].IsDefault || all.VPCs[0].Border[1].Health != Waiting {
		t.Errorf("VPCs %+v", all.VPCs)
	}
}

func BenchmarkTopologyOf300Machines(b *testing.B) {
	pages, err := New(Config{Calls: &Calls{}})
	if err != nil {
		b.Fatal(err)
	}
	i, r := town(300), httptest.NewRequest(http.MethodGet, Path, nil)
	lb := aws.ToString(i.LoadBalancers[0].LoadBalancerArn)
	i.TargetGroups[0].LoadBalancerArns = []string{lb}
	rates := map[route]rate{}
	for _, subnet := range i.Subnets {
		zone := subnet.AvailabilityZone
		i.LoadBalancers[0].AvailabilityZones = append(i.LoadBalancers[0].AvailabilityZones,
			elbtypes.AvailabilityZone{ZoneName: zone})
		for _, m := range i.Instances {
			passes := rate{requests: 10}
			for n := range time.Duration(40) {
				passes.times = append(passes.times, Timing{n * time.Millisecond, (n + 1) * time.Millisecond, 5})
			}
			rates[route{lb, *zone, "arn:tg", aws.ToString(m.InstanceId), 3000}] = passes
		}
	}
	for b.Loop() {
		flows := flowData{[]Flow{newFlow(i, i.LoadBalancers[0], rates)}}
		if _, err := pages.render(Section{Template: "flow.html", Data: flows}, r); err != nil {
			b.Fatal(err)
		}
		if _, err := pages.render(Section{Template: "topology.html", Data: newTopology(i)}, r); err != nil {
			b.Fatal(err)
		}
	}
}
