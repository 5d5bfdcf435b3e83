//go:build linux

package instances

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/dnsname"
	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/userdata"
)

var errNoInterface = errors.New("it has no network interface")

// aptBusy is how long the daily jobs of apt hold its locks after a boot: about a minute on a
// small instance of Debian or Ubuntu.
const aptBusy = time.Minute

// machineConfig returns the configuration of the instance's machine.
func (l *Loop) machineConfig(id string) (machine.Machine, error) {
	view := l.Store.View()
	row, ok := store.Instances.Get(view, id)
	if !ok || len(row.InterfaceIDs) == 0 {
		return machine.Machine{}, errNoInterface
	}
	eni, ok := store.NetworkInterfaces.Get(view, row.InterfaceIDs[0])
	if !ok {
		return machine.Machine{}, errNoInterface
	}
	offered, ok := instancetype.ByName(row.Type)
	if !ok {
		return machine.Machine{}, fmt.Errorf("instance type %s is not offered", row.Type)
	}
	m := machine.Machine{
		ID: id, Hostname: hostname(row, eni),
		VCPUs: row.VCPUs(offered.VCPUs), CPUWeight: int(offered.BaselineCPU), MemoryMiB: offered.MemoryMiB,
		PacketRate: l.Networks.PacketsPerSecond(offered.VCPUs),
		UIDBase:    row.UIDBase, Env: l.environment(eni), NewConsole: l.Manners.Has(manners.Times),
	}
	if volume, ok := store.Volumes.Get(view, row.RootVolumeID); ok {
		m.DiskGiB = int(volume.SizeGiB)
		m.DiskRate = diskRate(l.Disks, volume)
	}
	var err error
	if m.Volumes, err = l.volumesOf(view, id); err != nil {
		return machine.Machine{}, err
	}
	m.AptBusy = l.Manners.Scaled(manners.Machines, aptBusy)
	// As on AWS, a machine without the metadata service has no user data.
	if row.UserData != "" && row.MetadataEndpoint != "disabled" {
		data, err := base64.StdEncoding.DecodeString(row.UserData)
		if err != nil {
			return machine.Machine{}, fmt.Errorf("decode the user data: %w", err)
		}
		m.UserData = userdata.Script(data)
	}
	for _, layer := range row.Layers {
		m.Layers = append(m.Layers, l.Layer(layer))
	}
	if vpc, ok := store.VPCs.Get(view, row.VPCID); ok {
		if options, ok := store.DHCPOptionSets.Get(view, vpc.DHCPOptionsID); ok {
			m.Nameservers, m.SearchDomain = nameservers(vpc, eni, options), options.DomainName
		}
	}
	return m, nil
}

// environment returns the environment of a machine with a primary network interface.
func (l *Loop) environment(primary *store.NetworkInterface) map[string]string {
	if primary.PrivateIP.IsValid() {
		return l.Env
	}
	return l.EnvIPv6
}

// hostname returns the host name of an instance's machine: the first label of its private DNS name.
func hostname(row *store.Instance, primary *store.NetworkInterface) string {
	name, _, _ := strings.Cut(dnsname.PrivateOf(row, primary.PrivateIP), ".")
	return name
}

// nameservers returns the DNS servers that a VPC's DHCP options name for a machine with a primary
// network interface. AmazonProvidedDNS is the VPC's own resolver, which it has unless DNS support is off.
func nameservers(vpc *store.VPC, primary *store.NetworkInterface, options *store.DHCPOptions) []netip.Addr {
	own := firewall.ResolverAddress6
	if primary.PrivateIP.IsValid() {
		own = firewall.VPCResolverAddress(vpc.CIDR)
	}
	var servers []netip.Addr
	for _, server := range options.DomainNameServers {
		if address, err := netip.ParseAddr(server); err == nil {
			servers = append(servers, address)
		} else if vpc.DNSSupport {
			servers = append(servers, own)
		}
	}
	return servers
}
