package elbv2

import (
	"net/netip"
	"slices"
	"strings"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// checkGroupIPAddressType refuses an IP address type that a target group cannot have.
func checkGroupIPAddressType(in *elb.CreateTargetGroupInput) error {
	datagrams := in.Protocol == types.ProtocolEnumUdp || in.Protocol == types.ProtocolEnumTcpUdp
	switch given := in.IpAddressType; {
	case given != "" && !slices.Contains(given.Values(), given):
		return model.OutOfSet("ipAddressType", given, "ipv4", "ipv6")
	case given == types.TargetGroupIpAddressTypeEnumIpv6 && in.TargetType == types.TargetTypeEnumAlb:
		// Network Load Balancers reach Application Load Balancers over IPv4 alone (Network Load
		// Balancer guide, Use Application Load Balancers as targets).
		return wire.Errorf(
			"InvalidConfigurationRequest", "The IP address type '%s' is not supported for the target type '%s'",
			given, in.TargetType,
		)
	case given == types.TargetGroupIpAddressTypeEnumIpv6 && datagrams:
		return wire.NotImplemented("target groups with the protocol %s of IP address type %s", in.Protocol, given)
	}
	return nil
}

// checkPrimaryIPv6 refuses instances that a target group of IPv6 cannot reach
// (kubernetes-sigs/aws-load-balancer-controller, issue 3692, also for the quotation marks).
func checkPrimaryIPv6(r store.Reader, group *store.TargetGroup, targets []*store.Target) error {
	var missing []string
	for _, t := range targets {
		if group.IsIPv6() && !hasPrimaryIPv6(r, t.ID) {
			missing = append(missing, t.ID)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return wire.Errorf(
		"InvalidTarget",
		"The following targets cannot be used with this IPv6 target group because of missing primary IPv6 "+
			"addresses: %s",
		strings.Join(missing, "', '"),
	)
}

func hasPrimaryIPv6(r store.Reader, instanceID string) bool {
	return slices.ContainsFunc(
		store.NetworkInterfacesByInstance.List(r, instanceID),
		func(nic *store.NetworkInterface) bool { return nic.DeviceIndex == 0 && nic.PrimaryIPv6 },
	)
}

// parseTarget parses the IP address of a target, which has the family of its group
// (ansible-collections/community.aws, issue 1441).
func parseTarget(group *store.TargetGroup, text string) (netip.Addr, error) {
	address, err := netip.ParseAddr(text)
	switch {
	case !group.IsIPv6() && (err != nil || !address.Is4()):
		return address, invalid("The IP address '%s' is not a valid IPv4 address", text)
	case group.IsIPv6() && (err != nil || !address.Is6() || address.Is4In6() || address.Zone() != ""):
		return address, invalid("The IP address '%s' is not a valid IPv6 address", text)
	}
	return address, nil
}
