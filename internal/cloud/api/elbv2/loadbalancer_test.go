package elbv2_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestLoadBalancerHasNodeInEverySubnet(t *testing.T) {
	w := newWorld(t)
	lb := w.balancer()
	if !regexp.MustCompile(`^arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/app/web/[0-9a-f]{16}$`).
		MatchString(*lb.LoadBalancerArn) {
		t.Errorf("ARN %s", *lb.LoadBalancerArn)
	}
	if !regexp.MustCompile(`^web-\d+\.eu-west-1\.elb\.localhost$`).MatchString(*lb.DNSName) {
		t.Errorf("DNS name %s", *lb.DNSName)
	}
	if lb.State.Code != types.LoadBalancerStateEnumProvisioning ||
		lb.Scheme != types.LoadBalancerSchemeEnumInternetFacing ||
		len(lb.AvailabilityZones) != 3 {
		t.Errorf("load balancer = %+v", lb)
	}
	var nics int
	for _, nic := range store.NetworkInterfacesInVPC(w.store.View(), "vpc-1") {
		if nic.LoadBalancerARN != *lb.LoadBalancerArn {
			continue
		}
		nics++
		if nic.Type != "load_balancer" || nic.RequesterID != "amazon-elb" ||
			!strings.HasPrefix(nic.Description, "ELB app/web/") ||
			!nic.PublicIP.IsValid() ||
			!slices.Equal(nic.GroupIDs, []string{"sg-web"}) {
			t.Errorf("network interface = %+v", nic)
		}
	}
	if nics != 3 {
		t.Errorf("%d network interfaces, want 3", nics)
	}
}

func TestCreateLoadBalancerIsIdempotent(t *testing.T) {
	w := newWorld(t)
	first, again := w.balancer(), w.balancer()
	if *first.LoadBalancerArn != *again.LoadBalancerArn {
		t.Error("the same request created another load balancer")
	}
	other := webBalancer()
	other.Subnets = other.Subnets[:2]
	_, err := w.CreateLoadBalancer(w.ctx, other)
	wantError(t, err, "DuplicateLoadBalancerName", "already exists")
}

func TestInvalidLoadBalancersAreRefused(t *testing.T) {
	for _, c := range []struct {
		name       string
		change     func(in *elb.CreateLoadBalancerInput)
		code, text string
	}{
		{"no name", func(in *elb.CreateLoadBalancerInput) { in.Name = nil }, "ValidationError", "'name'"},
		{
			"a long name", func(in *elb.CreateLoadBalancerInput) { in.Name = new(strings.Repeat("x", 33)) },
			"ValidationError", "longer than '32'",
		},
		{"an underscore", func(in *elb.CreateLoadBalancerInput) { in.Name = new("a_b") }, "ValidationError", "hyphens"},
		{
			"a reserved name", func(in *elb.CreateLoadBalancerInput) { in.Name = new("internal-a") }, "ValidationError",
			"internal-",
		},
		{
			"one subnet", func(in *elb.CreateLoadBalancerInput) { in.Subnets = []string{"subnet-a"} },
			"ValidationError", "At least two subnets in two different Availability Zones must be specified",
		},
		{
			"two subnets of a zone",
			func(in *elb.CreateLoadBalancerInput) { in.Subnets = []string{"subnet-a", "subnet-a2", "subnet-b"} },
			"InvalidConfigurationRequest", "same Availability Zone",
		},
		{
			"an unknown subnet",
			func(in *elb.CreateLoadBalancerInput) { in.Subnets = []string{"subnet-a", "subnet-nowhere"} },
			"SubnetNotFound", "subnet-nowhere",
		},
		{
			"subnets of two VPCs",
			func(in *elb.CreateLoadBalancerInput) { in.Subnets = []string{"subnet-a", "subnet-y"} },
			"InvalidConfigurationRequest", "same VPC",
		},
		{
			"a small subnet",
			func(in *elb.CreateLoadBalancerInput) { in.Subnets = []string{"subnet-a", "subnet-tiny"} }, "InvalidSubnet",
			"/27",
		},
		{
			"a full subnet", func(in *elb.CreateLoadBalancerInput) { in.Subnets = []string{"subnet-a", "subnet-full"} },
			"InvalidSubnet", "at least 8 free IP addresses",
		},
		{"no gateway", func(in *elb.CreateLoadBalancerInput) {
			in.Subnets, in.SecurityGroups = []string{"subnet-x", "subnet-y"}, nil
		}, "InvalidSubnet", "no internet gateway"},
		{
			"a group of another VPC",
			func(in *elb.CreateLoadBalancerInput) { in.SecurityGroups = []string{"sg-other"} },
			"InvalidConfigurationRequest", "One or more security groups are invalid",
		},
		{
			"a gateway load balancer",
			func(in *elb.CreateLoadBalancerInput) { in.Type = types.LoadBalancerTypeEnumGateway }, "NotImplemented",
			"gateway",
		},
		{
			"IPv6", func(in *elb.CreateLoadBalancerInput) { in.IpAddressType = types.IpAddressTypeDualstack },
			"ValidationError", "IPv6 CIDR block",
		},
		{"a tag twice", func(in *elb.CreateLoadBalancerInput) {
			in.Tags = []types.Tag{{Key: new("a")}, {Key: new("a")}}
		}, "DuplicateTagKeys", "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			in := webBalancer()
			c.change(in)
			_, err := w.CreateLoadBalancer(w.ctx, in)
			wantError(t, err, c.code, c.text)
			if rows := store.LoadBalancers.List(w.store.View()); len(rows) != 0 {
				t.Errorf("the refused request left %+v", rows)
			}
		})
	}
}

func TestInternalLoadBalancerHasNoPublicAddress(t *testing.T) {
	w := newWorld(t)
	in := webBalancer()
	in.Scheme, in.Subnets, in.SecurityGroups = types.LoadBalancerSchemeEnumInternal, []string{
		"subnet-x",
		"subnet-y",
	}, nil
	lb := must(w.CreateLoadBalancer(w.ctx, in))(t).LoadBalancers[0]
	if !strings.HasPrefix(*lb.DNSName, "internal-web-") || !slices.Equal(lb.SecurityGroups, []string{"sg-other"}) {
		t.Errorf("load balancer = %+v", lb)
	}
	for _, nic := range store.NetworkInterfacesInVPC(w.store.View(), "vpc-2") {
		if nic.PublicIP.IsValid() {
			t.Errorf("network interface = %+v, want no public IP address", nic)
		}
	}
}

func TestDeletionProtection(t *testing.T) {
	w := newWorld(t)
	lb, _, _ := w.forwarding()
	set := func(value string) {
		must(w.ModifyLoadBalancerAttributes(w.ctx, &elb.ModifyLoadBalancerAttributesInput{
			LoadBalancerArn: lb.LoadBalancerArn,
			Attributes:      []types.LoadBalancerAttribute{{Key: new("deletion_protection.enabled"), Value: &value}},
		}))(t)
	}
	set("true")
	_, err := w.DeleteLoadBalancer(w.ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: lb.LoadBalancerArn})
	wantError(t, err, "OperationNotPermitted", "deletion protection")
	set("false")
	for range 2 { // deleting what is gone succeeds
		must(w.DeleteLoadBalancer(w.ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: lb.LoadBalancerArn}))(t)
	}
	view := w.store.View()
	if n := len(store.Listeners.List(view)); n != 0 {
		t.Errorf("%d listeners left", n)
	}
	for _, nic := range store.NetworkInterfaces.List(view) {
		if nic.LoadBalancerARN != "" {
			t.Errorf("network interface left: %+v", nic)
		}
	}
}

func TestSetSubnetsAndSecurityGroups(t *testing.T) {
	w := newWorld(t)
	lb := w.balancer()
	row, _ := store.LoadBalancers.Get(w.store.View(), *lb.LoadBalancerArn)
	before := row.Nodes
	out := must(w.SetSubnets(
		w.ctx,
		&elb.SetSubnetsInput{LoadBalancerArn: lb.LoadBalancerArn, Subnets: []string{"subnet-a", "subnet-b"}},
	))(t)
	row, _ = store.LoadBalancers.Get(w.store.View(), *lb.LoadBalancerArn)
	if len(out.AvailabilityZones) != 2 || !slices.Equal(row.Nodes, before[:2]) {
		t.Errorf("nodes = %+v, before %+v", row.Nodes, before)
	}
	if _, there := store.NetworkInterfaces.Get(w.store.View(), before[2].InterfaceID); there {
		t.Error("the network interface in the removed subnet still exists")
	}
	must(w.SetSecurityGroups(
		w.ctx,
		&elb.SetSecurityGroupsInput{LoadBalancerArn: lb.LoadBalancerArn, SecurityGroups: []string{"sg-default"}},
	))(t)
	nic, _ := store.NetworkInterfaces.Get(w.store.View(), before[0].InterfaceID)
	if !slices.Equal(nic.GroupIDs, []string{"sg-default"}) {
		t.Errorf("network interface = %+v", nic)
	}
}
