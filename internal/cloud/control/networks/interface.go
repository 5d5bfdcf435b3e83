//go:build linux

package networks

import (
	"net"
	"slices"

	"aloft.dev/aloft/internal/cloud/bandwidth"
	"aloft.dev/aloft/internal/cloud/control/balancers"
	"aloft.dev/aloft/internal/cloud/flowlog"
	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/cloud/plane/network"
	"aloft.dev/aloft/internal/cloud/store"
)

func interfaceConfig(
	view store.Reader, eni *store.NetworkInterface, namespace func(string) string, limit bandwidth.Setting,
) network.Interface {
	mac, err := net.ParseMAC(eni.MAC)
	if err != nil {
		mac = nil // the plane chooses one
	}
	nic := network.Interface{
		ID: eni.ID, SubnetID: eni.SubnetID, MAC: mac, Private: eni.PrivateIP, Public: eni.PublicIP,
		SecurityGroups: slices.Sorted(slices.Values(eni.GroupIDs)), SourceDestCheck: eni.SourceDestCheck,
		OwnNamespace: eni.LoadBalancerARN != "" || eni.NatGatewayID != "" ||
			eni.Type == "ec2_instance_connect_endpoint" || eni.Type == "vpc_endpoint",
		ServesAPI:  eni.Type == "vpc_endpoint",
		Translates: eni.NatGatewayID != "",
	}
	for _, address := range eni.Secondary {
		nic.Secondary = append(nic.Secondary, firewall.Address(address))
	}
	nic.IPv6 = eni.IPv6
	if gateway, ok := store.NatGateways.Get(view, eni.NatGatewayID); ok {
		for _, address := range gateway.Secondary {
			if address.Drains() {
				nic.Draining = append(nic.Draining, address.PrivateIP)
			}
		}
	}
	lb, ok := store.LoadBalancers.Get(view, eni.LoadBalancerARN)
	nic.Inside6 = ok && lb.DeniesInternetGateway()
	if ok && lb.IsNetwork() {
		nic.Balances, nic.Unfiltered = true, len(lb.GroupIDs) == 0
		nic.Services = balancers.Services(view, lb, eni.Zone)
	}
	nic.Recording = recording(store.FlowLogsOf(view, eni))
	if instance, ok := store.Instances.Get(view, eni.InstanceID); ok {
		nic.Number = int(eni.DeviceIndex)
		nic.Namespace, nic.Cut = attachment(instance, namespace)
		nic.Rate = rate(limit, instance.Type)
	}
	return nic
}

// recording returns what flow logs need of the flows of a network interface.
func recording(logs []*store.FlowLog) (r firewall.Recording) {
	for _, log := range logs {
		format, err := flowlog.ParseFormat(log.Format)
		r = r.Union(firewall.Recording{
			Accepted: log.Accepts(), Rejected: log.Rejects(), Flags: err == nil && format.Has("tcp-flags"),
		})
	}
	return r
}

// attachment returns the path of an instance's network namespace and whether its
// interface is disconnected: that of a machine that skips its shutdown, or terminates and is
// down. Its peers then see silence, as on AWS, and not the refusals of a kernel whose
// processes have exited.
func attachment(instance *store.Instance, namespace func(string) string) (path string, disconnected bool) {
	switch instance.State {
	case store.Stopped, store.Terminated:
		return "", false
	case store.ShuttingDown:
		disconnected = instance.Force || !instance.Reachable
	case store.Stopping:
		disconnected = instance.Force
	}
	return namespace(instance.ID), disconnected
}
