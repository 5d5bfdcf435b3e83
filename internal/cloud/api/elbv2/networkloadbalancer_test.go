package elbv2_test

import (
	"net/netip"
	"regexp"
	"slices"
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// networkBalancer is a Network Load Balancer in one zone, without security groups.
func networkBalancer() *elb.CreateLoadBalancerInput {
	return &elb.CreateLoadBalancerInput{
		Name: new("web"), Type: types.LoadBalancerTypeEnumNetwork, Subnets: []string{"subnet-a"},
	}
}

// networkGroup is a target group of Network Load Balancers.
func networkGroup(protocol types.ProtocolEnum) *elb.CreateTargetGroupInput {
	in := webGroup()
	in.Name, in.Protocol = new("flows"), protocol
	return in
}

// networkForwarding creates a Network Load Balancer with a listener that forwards to a target
// group.
func (w *world) networkForwarding(listener, group types.ProtocolEnum) (types.LoadBalancer, types.TargetGroup, error) {
	w.t.Helper()
	lb := must(w.CreateLoadBalancer(w.ctx, networkBalancer()))(w.t).LoadBalancers[0]
	g := must(w.CreateTargetGroup(w.ctx, networkGroup(group)))(w.t).TargetGroups[0]
	_, err := w.CreateListener(w.ctx, &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Port: new(int32(80)), Protocol: listener,
		DefaultActions: forward(*g.TargetGroupArn),
	})
	return lb, g, err
}

// withElasticIP adds an Elastic IP address.
func (w *world) withElasticIP(id, address string) {
	w.change(func(tx *store.Tx) {
		store.ElasticIPs.Put(tx, &store.ElasticIP{
			ID: id, Region: testRegion, PublicIP: netip.MustParseAddr(address),
		})
	})
}

func TestNetworkLoadBalancer(t *testing.T) {
	w := newWorld(t)
	w.balancer() // an Application Load Balancer may have the same name
	lb := must(w.CreateLoadBalancer(w.ctx, networkBalancer()))(t).LoadBalancers[0]
	if !regexp.MustCompile(`^arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/net/web/[0-9a-f]{16}$`).
		MatchString(*lb.LoadBalancerArn) {
		t.Errorf("ARN %s", *lb.LoadBalancerArn)
	}
	if !regexp.MustCompile(`^web-[0-9a-f]{16}\.elb\.eu-west-1\.localhost$`).MatchString(*lb.DNSName) {
		t.Errorf("DNS name %s", *lb.DNSName)
	}
	if lb.Type != types.LoadBalancerTypeEnumNetwork || len(lb.SecurityGroups) != 0 ||
		*lb.CanonicalHostedZoneId != "Z2IFOLAFXWLO4F" || len(lb.AvailabilityZones) != 1 ||
		len(lb.AvailabilityZones[0].LoadBalancerAddresses) != 0 ||
		lb.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic != nil {
		t.Errorf("load balancer = %+v", lb)
	}
	again := must(w.CreateLoadBalancer(w.ctx, networkBalancer()))(t).LoadBalancers[0]
	if *again.LoadBalancerArn != *lb.LoadBalancerArn {
		t.Error("the same request created another load balancer")
	}
	attributes := must(w.DescribeLoadBalancerAttributes(
		w.ctx, &elb.DescribeLoadBalancerAttributesInput{LoadBalancerArn: lb.LoadBalancerArn},
	))(t).Attributes
	values := map[string]string{}
	for _, a := range attributes {
		values[*a.Key] = *a.Value
	}
	if values["load_balancing.cross_zone.enabled"] != "false" ||
		values["dns_record.client_routing_policy"] != "any_availability_zone" || len(values) != 9 {
		t.Errorf("attributes = %v", values)
	}
}

func TestNetworkLoadBalancersHaveChosenAddresses(t *testing.T) {
	w := newWorld(t)
	w.withElasticIP("eipalloc-a", "198.18.7.7")
	w.withElasticIP("eipalloc-b", "198.18.7.8")
	in := networkBalancer()
	in.Subnets, in.SubnetMappings = nil, []types.SubnetMapping{
		{SubnetId: new("subnet-a"), AllocationId: new("eipalloc-a")}, {SubnetId: new("subnet-b")},
	}
	lb := must(w.CreateLoadBalancer(w.ctx, in))(t).LoadBalancers[0]
	addresses := lb.AvailabilityZones[0].LoadBalancerAddresses
	if len(addresses) != 1 || *addresses[0].IpAddress != "198.18.7.7" || *addresses[0].AllocationId != "eipalloc-a" ||
		len(lb.AvailabilityZones[1].LoadBalancerAddresses) != 0 {
		t.Errorf("zones = %+v", lb.AvailabilityZones)
	}
	must(w.CreateLoadBalancer(w.ctx, in))(t)
	other := networkBalancer()
	other.Subnets = []string{"subnet-a", "subnet-b"}
	_, err := w.CreateLoadBalancer(w.ctx, other)
	wantError(t, err, "DuplicateLoadBalancerName", "different settings")

	other.Name, other.Subnets = new("other"), nil
	other.SubnetMappings = []types.SubnetMapping{{SubnetId: new("subnet-c"), AllocationId: new("eipalloc-a")}}
	_, err = w.CreateLoadBalancer(w.ctx, other)
	wantError(t, err, "ResourceInUse", "not available")

	set := func(mappings ...types.SubnetMapping) error {
		_, err := w.SetSubnets(
			w.ctx, &elb.SetSubnetsInput{LoadBalancerArn: lb.LoadBalancerArn, SubnetMappings: mappings},
		)
		return err
	}
	err = set(types.SubnetMapping{SubnetId: new("subnet-a"), AllocationId: new("eipalloc-b")})
	wantError(t, err, "InvalidConfigurationRequest", "cannot be changed")
	if err := set(
		types.SubnetMapping{SubnetId: new("subnet-c"), AllocationId: new("eipalloc-b")},
		types.SubnetMapping{SubnetId: new("subnet-b")},
	); err != nil {
		t.Fatal(err)
	}
	must(w.DeleteLoadBalancer(w.ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: lb.LoadBalancerArn}))(t)
	for _, address := range store.ElasticIPs.List(w.store.View()) {
		if address.AssociationID != "" {
			t.Errorf("%s is still associated", address.ID)
		}
	}

	inside := networkBalancer()
	inside.Scheme, inside.Subnets = types.LoadBalancerSchemeEnumInternal, nil
	inside.SubnetMappings = []types.SubnetMapping{{SubnetId: new("subnet-a"), PrivateIPv4Address: new("10.0.1.77")}}
	lb = must(w.CreateLoadBalancer(w.ctx, inside))(t).LoadBalancers[0]
	addresses = lb.AvailabilityZones[0].LoadBalancerAddresses
	if len(addresses) != 1 || *addresses[0].PrivateIPv4Address != "10.0.1.77" {
		t.Errorf("addresses = %+v", addresses)
	}
}

func TestInvalidNetworkLoadBalancersAreRefused(t *testing.T) {
	mapping := func(m types.SubnetMapping) func(in *elb.CreateLoadBalancerInput) {
		m.SubnetId = new("subnet-a")
		return func(in *elb.CreateLoadBalancerInput) { in.Subnets, in.SubnetMappings = nil, []types.SubnetMapping{m} }
	}
	for _, c := range []struct {
		name       string
		change     func(in *elb.CreateLoadBalancerInput)
		code, text string
	}{
		{
			"no subnet", func(in *elb.CreateLoadBalancerInput) { in.Subnets = nil },
			"ValidationError", "At least one subnet must be specified",
		},
		{
			"a group of another VPC",
			func(in *elb.CreateLoadBalancerInput) { in.SecurityGroups = []string{"sg-other"} },
			"InvalidConfigurationRequest", "security groups are invalid",
		},
		{
			"an unknown address", mapping(types.SubnetMapping{AllocationId: new("eipalloc-x")}),
			"AllocationIdNotFound", "eipalloc-x",
		},
		{
			"a private address of an internet-facing one",
			mapping(types.SubnetMapping{PrivateIPv4Address: new("10.0.1.9")}),
			"InvalidConfigurationRequest", "internal",
		},
		{
			"a prefix of IPv6", mapping(types.SubnetMapping{SourceNatIpv6Prefix: new("auto_assigned")}),
			"NotImplemented", "IPv6 prefixes",
		},
		{"an Elastic IP address of an internal one", func(in *elb.CreateLoadBalancerInput) {
			mapping(types.SubnetMapping{AllocationId: new("eipalloc-x")})(in)
			in.Scheme = types.LoadBalancerSchemeEnumInternal
		}, "InvalidConfigurationRequest", "internet-facing"},
		{"a private address outside the subnet", func(in *elb.CreateLoadBalancerInput) {
			mapping(types.SubnetMapping{PrivateIPv4Address: new("10.0.2.9")})(in)
			in.Scheme = types.LoadBalancerSchemeEnumInternal
		}, "InvalidSubnet", "outside"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			in := networkBalancer()
			c.change(in)
			_, err := w.CreateLoadBalancer(w.ctx, in)
			wantError(t, err, c.code, c.text)
		})
	}
}

func TestSecurityGroupsOfNetworkLoadBalancers(t *testing.T) {
	w := newWorld(t)
	bare := must(w.CreateLoadBalancer(w.ctx, networkBalancer()))(t).LoadBalancers[0]
	set := func(lb types.LoadBalancer, enforce string) (*elb.SetSecurityGroupsOutput, error) {
		return w.SetSecurityGroups(w.ctx, &elb.SetSecurityGroupsInput{
			LoadBalancerArn: lb.LoadBalancerArn, SecurityGroups: []string{"sg-default"},
			EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: types.
				EnforceSecurityGroupInboundRulesOnPrivateLinkTrafficEnum(enforce),
		})
	}
	_, err := set(bare, "")
	wantError(t, err, "InvalidConfigurationRequest", "created without any security groups")
	in := networkBalancer()
	in.Name, in.SecurityGroups = new("grouped"), []string{"sg-web"}
	lb := must(w.CreateLoadBalancer(w.ctx, in))(t).LoadBalancers[0]
	if on := lb.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic; on == nil || *on != "on" {
		t.Errorf("load balancer = %+v", lb)
	}
	out := must(set(lb, "off"))(t)
	if !slices.Equal(out.SecurityGroupIds, []string{"sg-default"}) ||
		out.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic != "off" {
		t.Errorf("output = %+v", out)
	}
	_, err = set(lb, "perhaps")
	wantError(t, err, "ValidationError", "perhaps")
}

func TestProtocolsOfListenersAndTargetGroups(t *testing.T) {
	for _, c := range []struct{ listener, group, code, text string }{
		{"TCP", "TCP", "", ""},
		{"TCP", "TCP_UDP", "", ""},
		{"UDP", "UDP", "", ""},
		{"UDP", "TCP_UDP", "", ""},
		{"TCP_UDP", "TCP_UDP", "", ""},
		{"TCP_UDP", "TCP", "IncompatibleProtocols", "'TCP_UDP' and 'TCP'"},
		{"TCP", "UDP", "IncompatibleProtocols", "'TCP' and 'UDP'"},
		{"TCP", "HTTP", "IncompatibleProtocols", "'TCP' and 'HTTP'"},
		{"HTTP", "HTTP", "ValidationError", "Listener protocol 'HTTP' must be one of 'TLS, TCP, TCP_UDP, UDP'"},
		{"TLS", "TCP", "ValidationError", "A certificate must be specified for TLS listeners"},
		{"TCP", "TLS", "IncompatibleProtocols", "'TCP' and 'TLS'"},
		{"QUIC", "TCP", "NotImplemented", "QUIC listeners"},
	} {
		t.Run(c.listener+" to "+c.group, func(t *testing.T) {
			w := newWorld(t)
			_, _, err := w.networkForwarding(types.ProtocolEnum(c.listener), types.ProtocolEnum(c.group))
			if c.code == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, err, c.code, c.text)
		})
	}
	w := newWorld(t)
	lb := w.balancer()
	g := must(w.CreateTargetGroup(w.ctx, networkGroup(types.ProtocolEnumTcp)))(t).TargetGroups[0]
	for protocol, want := range map[types.ProtocolEnum][2]string{
		types.ProtocolEnumTcp:  {"ValidationError", "Listener protocol 'TCP' must be one of 'HTTPS, HTTP'"},
		types.ProtocolEnumHttp: {"IncompatibleProtocols", "'HTTP' and 'TCP'"},
	} {
		_, err := w.CreateListener(w.ctx, &elb.CreateListenerInput{
			LoadBalancerArn: lb.LoadBalancerArn, Port: new(int32(80)), Protocol: protocol,
			DefaultActions: forward(*g.TargetGroupArn),
		})
		wantError(t, err, want[0], want[1])
	}
	_, err := w.CreateTargetGroup(w.ctx, networkGroup(types.ProtocolEnumQuic))
	wantError(t, err, "NotImplemented", "QUIC")
}

func TestListenersOfNetworkLoadBalancers(t *testing.T) {
	w := newWorld(t)
	lb, g, err := w.networkForwarding(types.ProtocolEnumTcp, types.ProtocolEnumTcp)
	if err != nil {
		t.Fatal(err)
	}
	listeners := must(w.DescribeListeners(w.ctx, &elb.DescribeListenersInput{LoadBalancerArn: lb.LoadBalancerArn}))(t)
	l := listeners.Listeners[0]
	if l.Protocol != types.ProtocolEnumTcp || *l.DefaultActions[0].TargetGroupArn != *g.TargetGroupArn {
		t.Errorf("listener = %+v", l)
	}
	attributes := must(
		w.DescribeListenerAttributes(w.ctx, &elb.DescribeListenerAttributesInput{ListenerArn: l.ListenerArn}),
	)(t).Attributes
	if len(attributes) != 1 || *attributes[0].Key != "tcp.idle_timeout.seconds" || *attributes[0].Value != "350" {
		t.Errorf("attributes = %+v", attributes)
	}
	_, err = w.ModifyListenerAttributes(w.ctx, &elb.ModifyListenerAttributesInput{
		ListenerArn: l.ListenerArn,
		Attributes:  []types.ListenerAttribute{{Key: new("tcp.idle_timeout.seconds"), Value: new("60")}},
	})
	wantError(t, err, "NotImplemented", "tcp.idle_timeout.seconds")
	rule := newRule(l, 1, pathCondition("/a"))
	rule.Actions = forward(*g.TargetGroupArn)
	_, err = w.CreateRule(w.ctx, rule)
	wantError(t, err, "InvalidConfigurationRequest", "network")

	modify := func(in *elb.ModifyListenerInput) error {
		in.ListenerArn = l.ListenerArn
		_, err := w.ModifyListener(w.ctx, in)
		return err
	}
	wantError(t, modify(&elb.ModifyListenerInput{Protocol: types.ProtocolEnumUdp}), "IncompatibleProtocols", "'UDP'")
	wantError(t, modify(&elb.ModifyListenerInput{
		Certificates: []types.Certificate{{CertificateArn: new("arn:x")}},
	}), "InvalidConfigurationRequest", "Certificates cannot be specified for TCP listeners")
	wantError(t, modify(&elb.ModifyListenerInput{AlpnPolicy: []string{"None"}}), "InvalidConfigurationRequest", "ALPN")
	action := types.Action{Type: types.ActionTypeEnumRedirect}
	for text, change := range map[string]func(){
		"'redirect'": func() {},
		"multiple target groups": func() {
			action = types.Action{Type: types.ActionTypeEnumForward, ForwardConfig: &types.ForwardActionConfig{
				TargetGroups: []types.TargetGroupTuple{{TargetGroupArn: g.TargetGroupArn}, {TargetGroupArn: new("x")}},
			}}
		},
	} {
		change()
		_, err := w.ModifyListener(w.ctx, &elb.ModifyListenerInput{
			ListenerArn: l.ListenerArn, DefaultActions: []types.Action{action},
		})
		code := map[bool]string{true: "InvalidLoadBalancerAction", false: "ValidationError"}[text == "'redirect'"]
		wantError(t, err, code, text)
		action = types.Action{Type: types.ActionTypeEnumRedirect}
	}
	if err := modify(&elb.ModifyListenerInput{Port: new(int32(81))}); err != nil {
		t.Error(err)
	}
}

func TestHealthChecksOfNetworkLoadBalancers(t *testing.T) {
	w := newWorld(t)
	g := must(w.CreateTargetGroup(w.ctx, networkGroup(types.ProtocolEnumUdp)))(t).TargetGroups[0]
	if g.HealthCheckProtocol != types.ProtocolEnumTcp || g.HealthCheckPath != nil || g.Matcher != nil ||
		*g.HealthCheckTimeoutSeconds != 10 || *g.HealthCheckIntervalSeconds != 30 ||
		*g.HealthyThresholdCount != 5 || *g.UnhealthyThresholdCount != 2 || g.ProtocolVersion != nil {
		t.Errorf("target group = %+v", g)
	}
	modify := func(in elb.ModifyTargetGroupInput) (types.TargetGroup, error) {
		in.TargetGroupArn = g.TargetGroupArn
		out, err := w.ModifyTargetGroup(w.ctx, &in)
		if err != nil {
			return types.TargetGroup{}, err
		}
		return out.TargetGroups[0], nil
	}
	_, err := modify(elb.ModifyTargetGroupInput{HealthCheckPath: new("/")})
	wantError(t, err, "InvalidConfigurationRequest", "Health check paths are not supported for TCP health checks")
	_, err = modify(elb.ModifyTargetGroupInput{Matcher: &types.Matcher{HttpCode: new("200")}})
	wantError(t, err, "InvalidConfigurationRequest", "matchers are not supported for TCP health checks")
	_, err = modify(elb.ModifyTargetGroupInput{HealthCheckProtocol: types.ProtocolEnumUdp})
	wantError(t, err, "ValidationError", "'HTTP, HTTPS, TCP'")
	asked := must(modify(elb.ModifyTargetGroupInput{HealthCheckProtocol: types.ProtocolEnumHttp}))(t)
	if *asked.HealthCheckPath != "/" || *asked.Matcher.HttpCode != "200-399" || *asked.HealthCheckTimeoutSeconds != 6 {
		t.Errorf("target group = %+v", asked)
	}
	_, err = modify(elb.ModifyTargetGroupInput{Matcher: &types.Matcher{HttpCode: new("600")}})
	wantError(t, err, "ValidationError", "200-599")
	must(modify(elb.ModifyTargetGroupInput{
		HealthCheckIntervalSeconds: new(int32(10)), HealthCheckTimeoutSeconds: new(int32(10)),
	}))(t)
	_, err = modify(elb.ModifyTargetGroupInput{HealthCheckTimeoutSeconds: new(int32(11))})
	wantError(t, err, "ValidationError", "interval")
	back := must(modify(elb.ModifyTargetGroupInput{HealthCheckProtocol: types.ProtocolEnumTcp}))(t)
	if back.HealthCheckPath != nil || back.Matcher != nil {
		t.Errorf("target group = %+v", back)
	}
}

func TestAttributesOfNetworkTargetGroups(t *testing.T) {
	for _, c := range []struct {
		protocol, target, preserve, termination, unhealthy string
		refused                                            map[string]string // key to value
	}{
		{"TCP", "instance", "true", "false", "true", map[string]string{"proxy_protocol_v2.enabled": "true"}},
		{"TCP", "ip", "false", "false", "true", map[string]string{"stickiness.type": "lb_cookie"}},
		{"TLS", "instance", "true", "false", "true", map[string]string{"proxy_protocol_v2.enabled": "true"}},
		{"TLS", "ip", "false", "false", "true", nil},
		{"UDP", "ip", "true", "true", "false", map[string]string{"preserve_client_ip.enabled": "false"}},
		{"TCP_UDP", "instance", "true", "true", "false", map[string]string{
			"target_health_state.unhealthy.connection_termination.enabled": "true", "slow_start.duration_seconds": "30",
			"target_health_state.unhealthy.draining_interval_seconds": "60",
		}},
	} {
		w := newWorld(t)
		in := networkGroup(types.ProtocolEnum(c.protocol))
		in.TargetType = types.TargetTypeEnum(c.target)
		g := must(w.CreateTargetGroup(w.ctx, in))(t).TargetGroups[0]
		set := func(key, value string) error {
			_, err := w.ModifyTargetGroupAttributes(w.ctx, &elb.ModifyTargetGroupAttributesInput{
				TargetGroupArn: g.TargetGroupArn, Attributes: []types.TargetGroupAttribute{{Key: &key, Value: &value}},
			})
			return err
		}
		row, _ := store.TargetGroups.Get(w.store.View(), *g.TargetGroupArn)
		if row.Attributes["preserve_client_ip.enabled"] != c.preserve ||
			row.Attributes["deregistration_delay.connection_termination.enabled"] != c.termination ||
			row.Attributes["target_health_state.unhealthy.connection_termination.enabled"] != c.unhealthy ||
			row.Attributes["stickiness.type"] != "source_ip" || len(row.Attributes) != 13 {
			t.Errorf("%s %s: attributes = %v", c.protocol, c.target, row.Attributes)
		}
		for key, value := range c.refused {
			if set(key, value) == nil {
				t.Errorf("%s %s: %s may be %s", c.protocol, c.target, key, value)
			}
		}
		if err := set("stickiness.enabled", "true"); (err == nil) == (c.protocol == "TLS") {
			t.Errorf("%s %s: stickiness: %v", c.protocol, c.target, err)
		}
		for key, value := range map[string]string{
			"load_balancing.cross_zone.enabled":                   "true",
			"deregistration_delay.connection_termination.enabled": "true",
		} {
			if err := set(key, value); err != nil {
				t.Errorf("%s %s: %v", c.protocol, c.target, err)
			}
		}
	}
}
