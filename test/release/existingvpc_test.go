//go:build linux

package release

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/drill"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/test/drilling"
	"aloft.dev/aloft/test/simulation"
	"aloft.dev/aloft/test/teamvpc"
)

// guest is the tutorial in a VPC of others, before its first release.
type guest struct {
	*simulation.Application
	vpc *teamvpc.VPC
}

func newGuest(t *testing.T) *guest {
	t.Helper()
	c := simulation.New(t)
	g := &guest{Application: &simulation.Application{Cloud: c, Keys: t.TempDir(), Spec: simulation.Tutorial(t)}}
	g.vpc = teamvpc.New(t, c.Client(t, nil).EC2)
	g.Spec.Network = spec.Network{VPC: g.vpc.ID}
	g.uses(g.vpc.Public, nil)
	return g
}

// uses makes the spec name subnets.
func (g *guest) uses(public, private []string) {
	g.Spec.Network.Subnets, g.Spec.Network.Private = make(spec.Subnets, max(len(public), len(private))), private != nil
	for i, id := range public {
		g.Spec.Network.Subnets[i].ID = id
	}
	for i, id := range private {
		g.Spec.Network.Subnets[i].PrivateID = id
	}
}

// leaves takes the application down and checks that the VPC is as it was.
func (g *guest) leaves(t *testing.T, before string) {
	t.Helper()
	if err := g.Deployment(t, &simulation.Builder{}).Down(t.Context(), apply.DownOptions{Images: true}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, g.vpc.Describe(t)); diff != "" {
		t.Errorf("the VPC has changed:\n%s", diff)
	}
	for _, f := range simulation.Must(g.Deployment(t, &simulation.Builder{}).Discover(t.Context()))(t) {
		t.Errorf("%s is left", f.Label())
	}
}

// machines returns the subnets of the servers, sorted.
func (g *guest) machines() []string {
	var all []string
	for _, i := range store.Instances.List(g.Store.View()) {
		if i.State != store.Terminated {
			all = append(all, i.SubnetID)
		}
	}
	slices.Sort(all)
	return all
}

func TestAnApplicationLivesInAVPCOfOthersAndLeavesItAsItWas(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*testing.T, *guest){
		"public": func(*testing.T, *guest) {},
		"out of order": func(_ *testing.T, g *guest) {
			g.uses([]string{g.vpc.Public[2], g.vpc.Public[0], g.vpc.Public[1]}, nil)
		},
		"private": func(t *testing.T, g *guest) {
			g.vpc.AddNAT(t)
			g.uses(g.vpc.Public, []string{g.vpc.Private[1], g.vpc.Private[2], g.vpc.Private[0]})
		},
		"without a way out": func(_ *testing.T, g *guest) { g.uses(g.vpc.Public, g.vpc.Private) },
		"a group": func(t *testing.T, g *guest) {
			g.Spec.Scaling = simulation.ScalingTutorial(t).Scaling
		},
		"an endpoint of its own": func(_ *testing.T, g *guest) { g.Spec.Security.Access = spec.AccessEndpoint },
		"the endpoint of others": func(t *testing.T, g *guest) {
			g.vpc.AddEndpoint(t, "10.9.0.0/16")
			g.Spec.Security.Access = spec.AccessEndpoint
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuest(t)
			edit(t, g)
			before := g.vpc.Describe(t)
			status := g.Release(t, "r1")
			if status.VPCID != g.vpc.ID {
				t.Errorf("the status names VPC %s", status.VPCID)
			}
			simulation.PlanIsEmpty(t, g.Deployment(t, &simulation.Builder{ReleaseName: "r1"}))
			subnets := g.vpc.Public
			if g.Spec.Network.Private {
				subnets = g.vpc.Private
			}
			got, want := slices.Compact(g.machines()), slices.Sorted(slices.Values(subnets))
			if !slices.Equal(got, want) {
				t.Errorf("the servers are in %v, want %v", got, want)
			}
			for _, m := range status.Machines {
				if (m.PublicIP == "") != g.Spec.Network.Private {
					t.Errorf("%s has the public address %q", m.Name, m.PublicIP)
				}
			}
			g.Release(t, "r2")
			simulation.PlanIsEmpty(t, g.Deployment(t, &simulation.Builder{ReleaseName: "r2"}))
			if vpcs := len(store.VPCs.List(g.Store.View())); vpcs != 2 {
				t.Errorf("%d VPCs, want the default one and that of the team", vpcs)
			}
			g.leaves(t, before)
		})
	}
}

func TestTheEndpointOfAVPCIsUsed(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	id := g.vpc.AddEndpoint(t, "10.9.0.0/16")
	g.Spec.Security.Access = spec.AccessEndpoint
	d := g.Deployment(t, &simulation.Builder{ReleaseName: "r1"})
	p := simulation.Must(d.Plan(t.Context()))(t)
	simulation.Contains(t, strings.Join(p.Notes, "\n"),
		g.vpc.ID+" exists: it is used and left alone", g.vpc.Public[0], "through "+id+", which exists")
	status := g.Release(t, "r1")
	ways, err := d.WaysTo(t.Context(), status.Machines)
	if err != nil || len(ways) != 3 || ways[0].EndpointID != id || ways[0].DNSName == "" {
		t.Errorf("got %+v, %v", ways, err)
	}
	if pairs := store.KeyPairs.List(g.Store.View()); len(pairs) != 0 {
		t.Errorf("there are key pairs: %v", pairs)
	}
}

// Aloft reports what a network lacks before it makes anything in it.
func TestANetworkThatCannotServeIsRefused(t *testing.T) {
	t.Parallel()
	change := func(t *testing.T, g *guest) *ec2.Client { return g.Client(t, nil).EC2 }
	for want, edit := range map[string]func(*testing.T, *guest){
		"there is no VPC vpc-0123456789abcdef0": func(_ *testing.T, g *guest) {
			g.Spec.Network.VPC = "vpc-0123456789abcdef0"
		},
		"there is no subnet subnet-0123456789abcdef0": func(_ *testing.T, g *guest) {
			g.uses([]string{g.vpc.Public[0], "subnet-0123456789abcdef0"}, nil)
		},
		"and not to": func(t *testing.T, g *guest) {
			other := simulation.Must(change(t, g).DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{
				Filters: []types.Filter{{Name: aws.String("default-for-az"), Values: []string{"true"}}},
			}))(t)
			g.uses([]string{g.vpc.Public[0], *other.Subnets[1].SubnetId}, nil)
		},
		"are both in us-east-1a": func(t *testing.T, g *guest) {
			g.uses([]string{g.vpc.Public[0], g.vpc.Subnet(t, 40, "us-east-1a", g.vpc.PublicTable)}, nil)
		},
		"is not public: its route table": func(_ *testing.T, g *guest) {
			g.uses([]string{g.vpc.Public[0], g.vpc.Private[1]}, nil)
		},
		"and not to an internet gateway": func(t *testing.T, g *guest) {
			g.vpc.AddNAT(t)
			g.uses([]string{g.vpc.Public[0], g.vpc.Private[1]}, nil)
		},
		"where the load balancer has no subnet": func(_ *testing.T, g *guest) {
			g.uses(g.vpc.Public[:2], g.vpc.Private[1:])
		},
		"no way out for servers without public addresses": func(t *testing.T, g *guest) {
			g.uses(g.vpc.Public[:2], []string{g.vpc.Public[2], g.vpc.Private[0]})
		},
		"the VPC no endpoint of ssm, which the servers need": func(_ *testing.T, g *guest) {
			g.uses(g.vpc.Public, g.vpc.Private)
			g.Spec.Env = map[string]string{"LEVEL": "info"}
		},
		"has no DNS": func(t *testing.T, g *guest) {
			simulation.Must(change(t, g).ModifyVpcAttribute(t.Context(), &ec2.ModifyVpcAttributeInput{
				VpcId: &g.vpc.ID, EnableDnsSupport: &types.AttributeBooleanValue{Value: aws.Bool(false)},
			}))(t)
		},
		"let nothing out to port 22 in 10.9.0.0/24": func(t *testing.T, g *guest) {
			g.vpc.AddEndpoint(t, "10.9.1.0/24")
			g.Spec.Security.Access = spec.AccessEndpoint
		},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			g := newGuest(t)
			edit(t, g)
			before := g.vpc.Describe(t)
			d := g.Deployment(t, &simulation.Builder{ReleaseName: "r1"})
			_, planned := d.Plan(t.Context())
			_, err := d.Up(t.Context())
			if err == nil || !strings.Contains(err.Error(), want) || fmt.Sprint(planned) != err.Error() {
				t.Errorf("plan: %v\nup: %v\nwant %q", planned, err, want)
			}
			for _, problem := range diag.From(err) {
				if problem.Hint == "" {
					t.Errorf("%s has no remedy", problem.Summary)
				}
			}
			if after := g.vpc.Describe(t); after != before {
				t.Errorf("something was made:\n%s", cmp.Diff(before, after))
			}
		})
	}
}

func TestAFullSubnetIsToldBeforehand(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	api := g.Client(t, nil).EC2
	small := simulation.Must(api.CreateSubnet(t.Context(), &ec2.CreateSubnetInput{
		VpcId: &g.vpc.ID, CidrBlock: aws.String("10.9.50.0/27"), AvailabilityZone: aws.String("us-east-1a"),
	}))(t)
	id := *small.Subnet.SubnetId
	simulation.Must(api.AssociateRouteTable(t.Context(), &ec2.AssociateRouteTableInput{
		RouteTableId: &g.vpc.PublicTable, SubnetId: &id,
	}))(t)
	g.launch(t, id, 20)
	g.uses([]string{id, g.vpc.Public[1]}, nil)
	_, err := g.Deployment(t, &simulation.Builder{ReleaseName: "r1"}).Up(t.Context())
	if err == nil || !strings.Contains(err.Error(), "has 7 free addresses, and what is created in it needs") {
		t.Errorf("got %v", err)
	}
}

// A load balancer cannot move to another VPC, so nothing is planned that would delete it.
func TestAnApplicationStaysInItsVPC(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	existing, own := g.Spec.Network, simulation.Tutorial(t).Network
	refused := func(network spec.Network, words ...string) {
		t.Helper()
		g.Spec.Network = network
		d := g.Deployment(t, &simulation.Builder{ReleaseName: "r1"})
		if _, err := d.Plan(t.Context()); err == nil {
			t.Error("there is a plan")
		}
		_, err := d.Up(t.Context())
		if err == nil {
			t.Fatal("it has moved")
		}
		simulation.Contains(t, err.Error(), words...)
	}
	g.Release(t, "r1")
	refused(own, "runs in "+g.vpc.ID+", which existed before, and cannot move to a VPC of its own")
	other := teamvpc.New(t, g.Client(t, nil).EC2)
	moved := existing
	moved.VPC, moved.Subnets = other.ID, spec.Subnets{{ID: other.Public[0]}, {ID: other.Public[1]}}
	refused(moved, "runs in "+g.vpc.ID+" and cannot move to "+other.ID)
	g.Spec.Network = existing
	if err := g.Deployment(t, &simulation.Builder{}).Down(t.Context(), apply.DownOptions{}); err != nil {
		t.Fatal(err)
	}
	g.Spec.Network = own
	g.Release(t, "r1")
	refused(existing, "which Aloft made for it, and cannot move to "+g.vpc.ID)
}

func TestSubnetsOfTheVPCChangeWhileItServes(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	before := g.vpc.Describe(t)
	g.Release(t, "r1")
	g.uses(g.vpc.Public[:2], nil)
	g.Release(t, "r1")
	simulation.PlanIsEmpty(t, g.Deployment(t, &simulation.Builder{ReleaseName: "r1"}))
	if got := slices.Compact(g.machines()); len(got) != 2 {
		t.Errorf("the servers are in %v", got)
	}
	fourth, fifth := g.vpc.Subnet(t, 42, "us-east-1d", g.vpc.PublicTable), g.vpc.Public[2]
	g.uses([]string{fourth, fifth}, nil)
	_, err := g.Deployment(t, &simulation.Builder{ReleaseName: "r1"}).Up(t.Context())
	if err == nil || !strings.Contains(err.Error(), "would leave all its zones, us-east-1a, us-east-1b, at once") {
		t.Errorf("got %v", err)
	}
	simulation.Must(g.Client(t, nil).EC2.DeleteSubnet(t.Context(), &ec2.DeleteSubnetInput{SubnetId: &fourth}))(t)
	g.uses(g.vpc.Public[:2], nil)
	g.leaves(t, before)
}

// launch launches instances of others in a subnet.
func (g *guest) launch(t *testing.T, subnet string, n int32) {
	t.Helper()
	api := g.Client(t, nil).EC2
	images := simulation.Must(api.DescribeImages(t.Context(), &ec2.DescribeImagesInput{
		Filters: []types.Filter{{Name: aws.String("name"), Values: []string{"debian-12*"}}},
	}))(t)
	simulation.Must(api.RunInstances(t.Context(), &ec2.RunInstancesInput{
		ImageId: images.Images[0].ImageId, InstanceType: types.InstanceTypeT3Micro, SubnetId: &subnet,
		MinCount: &n, MaxCount: &n,
	}))(t)
}

// zoneDrill drills the zone of the first subnet.
func (g *guest) zoneDrill(t *testing.T, status *apply.Status, agreed bool) error {
	t.Helper()
	d := g.Deployment(t, &simulation.Builder{ReleaseName: "r1"})
	_, err := drilling.New(g.Client(t, nil), d).Run(t.Context(), status, drill.Options{
		Experiment: drill.Zone, At: simulation.Region + "a", Rate: 20, Calm: 10 * time.Millisecond,
		Duration: 20 * time.Millisecond, ChangeACLs: agreed,
	})
	return err
}

func TestAZoneDrillAsksBeforeItChangesAVPCOfOthers(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	status := g.Release(t, "r1")
	before := g.vpc.Describe(t)
	if err := g.zoneDrill(t, status, false); err == nil || !strings.Contains(err.Error(), "is not the application's") {
		t.Errorf("got %v", err)
	}
	if err := g.zoneDrill(t, status, true); err != nil {
		t.Error(err)
	}
	g.launch(t, g.vpc.Public[0], 1)
	err := g.zoneDrill(t, status, true)
	if err == nil || !strings.Contains(err.Error(), "1 network interfaces of others are in the same subnets") {
		t.Errorf("got %v", err)
	}
	acls := func(text string) int { return strings.Count(text, "\"NetworkAclAssociationId\"") }
	if after := g.vpc.Describe(t); acls(before) != acls(after) || strings.Contains(after, "tutorial-drill") {
		t.Errorf("the network ACLs are not as before:\n%s", cmp.Diff(before, after))
	}
}

func TestDownDeletesNothingThatOthersReferTo(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	g.Release(t, "r1")
	api, app := g.Client(t, nil).EC2, ""
	for _, group := range store.SecurityGroups.List(g.Store.View()) {
		if group.Name == "tutorial-app" {
			app = group.ID
		}
	}
	database := simulation.Must(api.CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{
		VpcId: &g.vpc.ID, GroupName: aws.String("database"), Description: aws.String("of the team"),
	}))(t)
	rules := []types.IpPermission{{
		IpProtocol: aws.String("tcp"), FromPort: aws.Int32(5432), ToPort: aws.Int32(5432),
		UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: &app}},
	}}
	simulation.Must(api.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: database.GroupId, IpPermissions: rules,
	}))(t)
	d := g.Deployment(t, &simulation.Builder{ReleaseName: "r1"})
	err := d.Down(t.Context(), apply.DownOptions{})
	if err == nil || !strings.Contains(err.Error(), *database.GroupId+" (database)") {
		t.Errorf("got %v", err)
	}
	simulation.PlanIsEmpty(t, d)
	simulation.Must(api.RevokeSecurityGroupIngress(t.Context(), &ec2.RevokeSecurityGroupIngressInput{
		GroupId: database.GroupId, IpPermissions: rules,
	}))(t)
	if err := d.Down(t.Context(), apply.DownOptions{}); err != nil {
		t.Error(err)
	}
}

// What follows a kill depends only on its phase, so every fifth change is enough.
func TestAGuestConvergesAfterKill(t *testing.T) {
	t.Parallel()
	simulation.KillAtEveryChange(t, 5, func(t *testing.T, n int) string {
		g, b := newGuest(t), &simulation.Builder{ReleaseName: "r1"}
		before := g.vpc.Describe(t)
		fatal := g.KillAtChange(t, 5*n-4, b, simulation.RunUp)
		simulation.Up(t, g.Deployment(t, b))
		simulation.PlanIsEmpty(t, g.Deployment(t, b))
		g.leaves(t, before)
		return fatal
	})
}
