package ec2

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// byInterface is a filter by the instance's network interfaces.
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

func privateIPs(_ store.Reader, row nic) []string { return []string{row.PrivateIP.String()} }

func groupNames(r store.Reader, row nic) []string {
	return list(groupIdentifiers(r, row.GroupIDs), func(g types.GroupIdentifier) string { return aws.ToString(g.GroupName) })
}

// byRootVolume is a filter by the instance's root volume.
func byRootVolume(text func(disk) string) func(store.Reader, vm) []string {
	return func(r store.Reader, row vm) []string {
		if volume, ok := store.Volumes.Get(r, row.RootVolumeID); ok {
			return []string{text(volume)}
		}
		return nil
	}
}

// bySubnet is a filter by the instance's subnet.
func bySubnet(text func(*store.Subnet) string) func(store.Reader, vm) []string {
	return func(r store.Reader, row vm) []string {
		if subnet, ok := store.Subnets.Get(r, row.SubnetID); ok {
			return []string{text(subnet)}
		}
		return nil
	}
}

// withInterfaceFilters adds to the filters of instances those of their interfaces.
func withInterfaceFilters(own filters[vm]) filters[vm] {
	for name, values := range networkInterfaces.filters {
		if name != byTag {
			own["network-interface."+name] = byInterface(values)
		}
	}
	return own
}
