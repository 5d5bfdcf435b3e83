//go:build linux

package instances

import (
	"errors"
	"fmt"
	"strings"

	"aloft.dev/aloft/internal/cloud/instancetype"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/store"
)

var errNoInterface = errors.New("it has no network interface")

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
		ID: id, Hostname: "ip-" + strings.ReplaceAll(eni.PrivateIP.String(), ".", "-"),
		VCPUs: offered.VCPUs, MemoryMiB: offered.MemoryMiB,
		UIDBase: row.UIDBase, Env: l.Env, NewConsole: l.Manners.Has(manners.Times),
	}
	for _, layer := range row.Layers {
		m.Layers = append(m.Layers, l.Layer(layer))
	}
	if vpc, ok := store.VPCs.Get(view, row.VPCID); ok {
		if vpc.DNSSupport {
			m.Nameserver = firewall.VPCResolverAddress(vpc.CIDR)
		}
		if options, ok := store.DHCPOptionSets.Get(view, vpc.DHCPOptionsID); ok {
			m.SearchDomain = options.DomainName
		}
	}
	return m, nil
}
