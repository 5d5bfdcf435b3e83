//go:build linux

// Package reachability tests that aloft why names what decides: over set-ups of the simulated
// cloud that something is wrong with, and on real machines.
package reachability

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/inventory"
	"aloft.dev/aloft/internal/reachability"
	"aloft.dev/aloft/test/simulation"
)

// setup is the tutorial on a simulated cloud, beside a workshop.
type setup struct {
	*simulation.Application
	client *awsapi.Client
	status *apply.Status
	all    *inventory.Inventory
}

func newSetup(t *testing.T) *setup {
	t.Helper()
	s := &setup{Application: simulation.NewApplication(t)}
	s.client = s.Client(t, nil)
	s.read(t)
	return s
}

// read reads what stands now.
func (s *setup) read(t *testing.T) {
	t.Helper()
	var err error
	if s.status, err = s.Deployment(t, &simulation.Builder{ReleaseName: "r1"}).Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	from := inventory.Source{Region: simulation.Region, EC2: s.client.EC2, ELB: s.client.ELB}
	if s.all, err = inventory.Read(t.Context(), from); err != nil {
		t.Fatal(err)
	}
}

// server returns the place of a server by its number from 0.
func (s *setup) server(n int) reachability.Place {
	return reachability.Place{Name: s.status.Machines[n].Name, Ref: s.status.Machines[n].InstanceID}
}

func (s *setup) balancer() reachability.Place {
	return reachability.Place{Name: "balancer", Ref: s.status.LoadBalancerARN}
}

var internet = reachability.Place{Name: "internet", Ref: reachability.Internet}

// find asks whether a place reaches another.
func (s *setup) find(t *testing.T, from, to reachability.Place, port uint16) *reachability.Answer {
	t.Helper()
	a, err := reachability.Find(s.all, from, to, port)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// must returns a function that fails the test if a call failed.
func must[T any](out T, err error) func(*testing.T) T { return simulation.Must(out, err) }

// group returns the security group of a server's or of a node's interface.
func (s *setup) group(subject string) string {
	for _, nic := range s.all.Interfaces {
		isNode := strings.HasPrefix(aws.ToString(nic.Description), "ELB ")
		if isNode == (subject == "balancer") && aws.ToString(nic.VpcId) == s.status.VPCID && len(nic.Groups) > 0 {
			return aws.ToString(nic.Groups[0].GroupId)
		}
	}
	return ""
}

// acl returns the network ACL of the application.
func (s *setup) acl() string {
	i := slices.IndexFunc(s.all.NetworkACLs, func(a types.NetworkAcl) bool {
		return aws.ToString(a.VpcId) == s.status.VPCID
	})
	return aws.ToString(s.all.NetworkACLs[i].NetworkAclId)
}

// publicTable returns the route table that leads to the internet.
func (s *setup) publicTable() string {
	i := slices.IndexFunc(s.all.RouteTables, func(r types.RouteTable) bool {
		return aws.ToString(r.VpcId) == s.status.VPCID && slices.ContainsFunc(r.Routes, func(r types.Route) bool {
			return strings.HasPrefix(aws.ToString(r.GatewayId), "igw-")
		})
	})
	return aws.ToString(s.all.RouteTables[i].RouteTableId)
}

// deny adds an entry to the application's network ACL.
func (s *setup) deny(t *testing.T, number int32, egress bool, from, to int32) {
	t.Helper()
	_, err := s.client.EC2.CreateNetworkAclEntry(t.Context(), &ec2.CreateNetworkAclEntryInput{
		NetworkAclId: aws.String(s.acl()), RuleNumber: &number, Egress: &egress, Protocol: aws.String("6"),
		PortRange: &types.PortRange{From: &from, To: &to}, CidrBlock: aws.String("0.0.0.0/0"),
		RuleAction: types.RuleActionDeny,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// workshop is another VPC with a machine that has no public address.
type workshop struct{ vpc, subnet, table, gateway, instance string }

func (s *setup) workshop(t *testing.T) workshop {
	t.Helper()
	c, ctx := s.client.EC2, t.Context()
	vpc := must(c.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.7.0.0/16")}))(t).Vpc.VpcId
	subnet := must(c.CreateSubnet(ctx, &ec2.CreateSubnetInput{
		VpcId: vpc, CidrBlock: aws.String("10.7.1.0/24"),
	}))(t).Subnet.SubnetId
	gateway := must(c.CreateInternetGateway(ctx, nil))(t).InternetGateway.InternetGatewayId
	must(c.AttachInternetGateway(ctx, &ec2.AttachInternetGatewayInput{VpcId: vpc, InternetGatewayId: gateway}))(t)
	tables := must(c.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{
		Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: []string{*vpc}}},
	}))(t)
	table := tables.RouteTables[0].RouteTableId
	must(c.CreateRoute(ctx, &ec2.CreateRouteInput{
		RouteTableId: table, DestinationCidrBlock: aws.String("0.0.0.0/0"), GatewayId: gateway,
	}))(t)
	run := must(c.RunInstances(ctx, &ec2.RunInstancesInput{
		ImageId: aws.String(s.image()), InstanceType: types.InstanceTypeT3Micro,
		MinCount: aws.Int32(1), MaxCount: aws.Int32(1), SubnetId: subnet,
	}))(t)
	id := aws.ToString(run.Instances[0].InstanceId)
	s.inState(t, id, store.Running)
	return workshop{*vpc, *subnet, *table, *gateway, id}
}

// image returns the application's image.
func (s *setup) image() string { return s.status.ImageID }

// inState waits until an instance has a state.
func (s *setup) inState(t *testing.T, id, state string) {
	t.Helper()
	s.Until(t, id+" is "+state, func(r store.Reader) bool {
		row, ok := store.Instances.Get(r, id)
		return ok && row.State == state
	})
}

func TestWhatWorksIsReachable(t *testing.T) {
	t.Parallel()
	s := newSetup(t)
	for _, c := range []struct {
		from, to reachability.Place
		port     uint16
	}{
		{internet, s.balancer(), 3000},
		{s.balancer(), s.server(0), 3000},
		{s.server(0), internet, 443},
		{s.server(0), s.balancer(), 3000},
		{reachability.Place{Name: "here", Ref: "203.0.113.9"}, s.balancer(), 3000},
		{internet, reachability.Place{Name: "balancer", Ref: s.status.DNSName}, 3000},
	} {
		if a := s.find(t, c.from, c.to, c.port); !a.Reachable() || a.Decided != nil || len(a.Fixes) > 0 {
			t.Errorf("%s → %s is %s, decided by %+v", a.From, a.Target(), a.State, a.Decided)
		}
	}
	_, err := reachability.Find(s.all, s.server(0), reachability.Place{Name: "nowhere", Ref: "nowhere"}, 80)
	if err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("an unknown place: %v", err)
	}
	if _, err := reachability.Find(s.all, internet, internet, 80); err == nil {
		t.Error("the internet reaches itself")
	}
}

// brokenSetups are set-ups with one fault each. They return what is asked, and what decides.
var brokenSetups = map[string]func(*testing.T, *setup) (asked *reachability.Answer, want reachability.Hop){
	"missing route": func(t *testing.T, s *setup) (*reachability.Answer, reachability.Hop) {
		table := s.publicTable()
		must(s.client.EC2.DeleteRoute(t.Context(), &ec2.DeleteRouteInput{
			RouteTableId: &table, DestinationCidrBlock: aws.String("0.0.0.0/0"),
		}))(t)
		s.read(t)
		return s.find(t, internet, s.balancer(), 3000), reachability.Hop{
			Kind: reachability.Route, ID: table, Fix: "aws ec2 create-route --route-table-id " + table,
		}
	},
	"security group": func(t *testing.T, s *setup) (*reachability.Answer, reachability.Hop) {
		group := s.group("server")
		for _, r := range s.all.Rules {
			if aws.ToString(r.GroupId) == group && !aws.ToBool(r.IsEgress) {
				must(s.client.EC2.RevokeSecurityGroupIngress(t.Context(), &ec2.RevokeSecurityGroupIngressInput{
					GroupId: &group, SecurityGroupRuleIds: []string{aws.ToString(r.SecurityGroupRuleId)},
				}))(t)
			}
		}
		s.read(t)
		return s.find(t, internet, s.balancer(), 3000), reachability.Hop{
			Kind: reachability.GroupIn, ID: group, Fix: "UserIdGroupPairs=[{GroupId=" + s.group("balancer") + "}]",
		}
	},
	"network ACL, in": func(t *testing.T, s *setup) (*reachability.Answer, reachability.Hop) {
		s.deny(t, 50, false, 3000, 3000)
		s.read(t)
		return s.find(t, internet, s.balancer(), 3000), reachability.Hop{
			Kind: reachability.ACLIn, ID: s.acl(), Rule: "50", Fix: "--ingress --rule-number 49",
		}
	},
	"network ACL, out": func(t *testing.T, s *setup) (*reachability.Answer, reachability.Hop) {
		s.deny(t, 60, true, 40000, 50000)
		s.read(t)
		return s.find(t, internet, s.balancer(), 3000), reachability.Hop{
			Kind: reachability.ACLOut, ID: s.acl(), Rule: "60", Back: true, Fix: "--egress --rule-number 59",
		}
	},
	"wrong port of the load balancer": func(t *testing.T, s *setup) (*reachability.Answer, reachability.Hop) {
		group := s.group("balancer")
		must(s.client.EC2.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{
			GroupId: &group, IpProtocol: aws.String("tcp"), FromPort: aws.Int32(81), ToPort: aws.Int32(81),
			CidrIp: aws.String("0.0.0.0/0"),
		}))(t)
		s.read(t)
		return s.find(t, internet, s.balancer(), 81), reachability.Hop{
			Kind: reachability.Listener, ID: s.status.LoadBalancerARN, Fix: "use port 3000",
		}
	},
	"wrong port": func(t *testing.T, s *setup) (*reachability.Answer, reachability.Hop) {
		a := s.find(t, s.balancer(), s.server(0), 3000)
		listen(t, a, "0.0.0.0:22", "0.0.0.0:3001")
		return a, reachability.Hop{
			Kind: reachability.Socket, ID: s.status.Machines[0].InstanceID, Fix: "or use a port that it listens on",
		}
	},
	"application on loopback": func(t *testing.T, s *setup) (*reachability.Answer, reachability.Hop) {
		a := s.find(t, internet, s.balancer(), 3000)
		listen(t, a, "0.0.0.0:22", "127.0.0.1:3000")
		return a, reachability.Hop{
			Kind: reachability.Socket, ID: a.Stages[1].Paths[0].To.InstanceID, Rule: "127.0.0.1:3000",
			Fix: "let the application listen on 0.0.0.0:3000",
		}
	},
	"stopped machine": func(t *testing.T, s *setup) (*reachability.Answer, reachability.Hop) {
		id := s.status.Machines[0].InstanceID
		must(s.client.EC2.StopInstances(t.Context(), &ec2.StopInstancesInput{InstanceIds: []string{id}}))(t)
		s.inState(t, id, store.Stopped)
		s.read(t)
		return s.find(t, s.balancer(), s.server(0), 3000), reachability.Hop{
			Kind: reachability.Machine, ID: id, Fix: "aws ec2 start-instances --instance-ids " + id,
		}
	},
	"deleted gateway": func(t *testing.T, s *setup) (*reachability.Answer, reachability.Hop) {
		w := s.workshop(t)
		c, ctx := s.client.EC2, t.Context()
		must(c.DetachInternetGateway(ctx, &ec2.DetachInternetGatewayInput{
			VpcId: &w.vpc, InternetGatewayId: &w.gateway,
		}))(t)
		must(c.DeleteInternetGateway(ctx, &ec2.DeleteInternetGatewayInput{InternetGatewayId: &w.gateway}))(t)
		s.read(t)
		return s.find(t, reachability.Place{Name: "workshop", Ref: w.instance}, internet, 443), reachability.Hop{
			Kind: reachability.Route, ID: w.table, Rule: "0.0.0.0/0", Fix: "aws ec2 create-internet-gateway",
		}
	},
	"other VPC": func(t *testing.T, s *setup) (*reachability.Answer, reachability.Hop) {
		w := s.workshop(t)
		s.read(t)
		a := s.find(t, s.server(0), reachability.Place{Name: "workshop", Ref: w.instance}, 80)
		return a, reachability.Hop{Kind: reachability.Route, ID: s.publicTable(), Fix: "VPC peering"}
	},
	"no public address": func(t *testing.T, s *setup) (*reachability.Answer, reachability.Hop) {
		w := s.workshop(t)
		s.read(t)
		a := s.find(t, internet, reachability.Place{Name: "workshop", Ref: w.instance}, 22)
		nic := a.Stages[0].Paths[0].To.Interface
		return a, reachability.Hop{
			Kind: reachability.Address, ID: nic, Fix: "associate-address --network-interface-id " + nic,
		}
	},
}

// listen says that all machines at the end of paths listen on sockets.
func listen(t *testing.T, a *reachability.Answer, sockets ...string) {
	t.Helper()
	var all []netip.AddrPort
	for _, text := range sockets {
		all = append(all, netip.MustParseAddrPort(text))
	}
	err := a.Observe(func(p *reachability.Path) (*reachability.Facts, error) {
		if p.To.InstanceID == "" {
			return nil, nil //nolint:nilnil // nothing is known of nodes
		}
		return &reachability.Facts{
			Sockets: all, Listed: true, Probe: &reachability.Probe{Outcome: reachability.Refused},
		}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestBrokenSetUpsAreExplainedByTheRuleThatDecides(t *testing.T) {
	t.Parallel()
	for name, broken := range brokenSetups {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, want := broken(t, newSetup(t))
			if a.State != reachability.Blocks || a.Decided == nil {
				t.Fatalf("%s → %s is %s, decided by %+v", a.From, a.Target(), a.State, a.Decided)
			}
			got := *a.Decided
			if got.Kind != want.Kind || got.ID != want.ID || want.Rule != "" && got.Rule != want.Rule ||
				got.Back != want.Back {
				t.Errorf("decided by %+v, want %+v", got, want)
			}
			if !strings.Contains(got.Fix, want.Fix) || !slices.Contains(a.Fixes, got.Fix) {
				t.Errorf("remedy %q of %q, want %q", got.Fix, a.Fixes, want.Fix)
			}
		})
	}
}
