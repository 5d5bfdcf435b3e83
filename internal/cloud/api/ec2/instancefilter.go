package ec2

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"maps"

	"aloft.dev/aloft/internal/cloud/dnsname"
	"aloft.dev/aloft/internal/cloud/store"
)

// byInterface returns a filter by a property of the instance's network interfaces.
func byInterface(values func(store.Reader, nic) []string) func(store.Reader, vm) []string {
	return func(r store.Reader, row vm) []string {
		var all []string
		for _, id := range row.InterfaceIDs {
			if eni, ok := store.NetworkInterfaces.Get(r, id); ok {
				all = append(all, values(r, eni)...)
			}
		}
		return all
	}
}

func groupIDs(_ store.Reader, row nic) []string { return row.GroupIDs }

func privateIPs(_ store.Reader, row nic) []string {
	return list(row.Addresses(), func(a store.InterfaceAddress) string { return a.Private.String() })
}

func groupNames(r store.Reader, row nic) []string {
	return list(
		groupIdentifiers(r, row.GroupIDs), func(g types.GroupIdentifier) string { return aws.ToString(g.GroupName) },
	)
}

func publicIP(_ store.Reader, row nic) string { return row.PublicIP.String() }

func interfaceDNSName(row nic) string { return dnsname.Private(row.Region.Name(), row.PrivateIP) }

func attachedStatus(row disk) string { return string(attachmentOf(row)) }

// byVolume returns a filter by a property of each of the instance's volumes.
func byVolume(text func(disk) string) func(store.Reader, vm) []string {
	return func(r store.Reader, row vm) []string { return list(disksOf(r, row), text) }
}

// bySubnet returns a filter by a property of the instance's subnet.
func bySubnet(text func(*store.Subnet) string) func(store.Reader, vm) []string {
	return func(r store.Reader, row vm) []string {
		if subnet, ok := store.Subnets.Get(r, row.SubnetID); ok {
			return []string{text(subnet)}
		}
		return nil
	}
}

// withSharedFilters adds to the filters of instances those of their network interfaces, and those by
// what is the same for all instances.
func withSharedFilters(own filters[vm]) filters[vm] {
	maps.Copy(own, fixedFilters)
	own["ipv6-address"] = byInterface(ipv6Texts)
	own["network-interface.ipv6-address"] = byInterface(ipv6Texts)
	own["network-interface.public-dns-name"] = byInterface(networkInterfaces.filters["association.public-dns-name"])
	own["network-interface.attachment.network-card-index"] = byInterface(constant[nic]("0"))
	withNone(
		own, "affinity", "requester-id", "operator.principal",
		"network-interface.addresses.association.carrier-ip",
		"network-interface.addresses.association.customer-owned-ip", "network-interface.deny-all-igw-traffic",
		"network-interface.ipv4-prefixes.ipv4-prefix", "network-interface.ipv6-addresses.is-primary-ipv6",
		"network-interface.ipv6-native", "network-interface.ipv6-prefixes.ipv6-prefix",
	)
	for name, values := range networkInterfaces.filters {
		if name != byTag {
			own["network-interface."+name] = byInterface(values)
		}
	}
	return own
}
