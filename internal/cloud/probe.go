//go:build linux

package cloud

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/plane/firewall"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/reachability"
)

// probeTimeout is how long a probe waits for an answer. A first packet that is lost is sent
// again after a second.
const probeTimeout = 2500 * time.Millisecond

// kernel has the operations that a prober needs of the network.
type kernel interface {
	Dropped(vpcID string, borders []firewall.Border) (map[firewall.Border]uint64, error)
	DialOutside(ctx context.Context, to netip.AddrPort) (net.Conn, error)
	NodeNamespace(interfaceID string) string
	HostAddress() netip.Addr
}

// prober queries the kernel about paths between interfaces.
type prober struct {
	store     *store.Store
	kernel    kernel
	machine   func(instanceID string) (namespace string)
	dial      func(ctx context.Context, namespace string, to netip.AddrPort) (net.Conn, error)
	listening func(namespace string) ([]netip.AddrPort, error)
}

// facts returns the kernel's view of a path.
func (p prober) facts(ctx context.Context, in host.ProbeRequest) (facts reachability.Facts, err error) {
	view := p.store.View()
	from, to, err := ends(view, in)
	if err != nil {
		return facts, err
	}
	if to.InstanceID != "" {
		if at := p.namespace(view, to); at != "" {
			if facts.Sockets, err = p.listening(at); err != nil {
				return facts, err
			}
			facts.Listed = true
		}
	}
	if !in.Try || from == nil && !p.triesOutside(in, to) {
		return facts, nil
	}
	borders := bordersOf(from, to)
	before, err := p.dropped(borders)
	if err != nil {
		return facts, err
	}
	if facts.Probe = p.try(ctx, view, from, in.At); facts.Probe == nil {
		return facts, nil
	}
	after, err := p.dropped(borders)
	if err != nil {
		return facts, err
	}
	facts.Drops = drops(borders, before, after)
	return facts, nil
}

// triesOutside reports whether a connection from outside can be tried: it comes from the host.
func (p prober) triesOutside(in host.ProbeRequest, to *store.NetworkInterface) bool {
	return hasPublic(to, in.At.Addr()) && (!in.Outside.IsValid() || in.Outside == p.kernel.HostAddress())
}

func hasPublic(eni *store.NetworkInterface, public netip.Addr) bool {
	return slices.ContainsFunc(eni.Addresses(), func(a store.InterfaceAddress) bool { return a.Public == public })
}

// ends returns the interfaces of a request. from is nil for the internet.
func ends(view store.Reader, in host.ProbeRequest) (from, to *store.NetworkInterface, err error) {
	to, ok := store.NetworkInterfaces.Get(view, in.To)
	if !ok || !to.Has(in.At.Addr()) && !hasPublic(to, in.At.Addr()) {
		return nil, nil, fmt.Errorf("no network interface %s has the address %s", in.To, in.At.Addr())
	}
	if in.From == "" {
		return nil, to, nil
	}
	if from, ok = store.NetworkInterfaces.Get(view, in.From); !ok {
		return nil, nil, fmt.Errorf("there is no network interface %s", in.From)
	}
	return from, to, nil
}

// drops returns the counters of borders that exist and did not begin again meanwhile.
func drops(borders []border, before, after map[firewall.Border]uint64) (all []reachability.Drops) {
	for _, b := range borders {
		count, counted := before[b.Border]
		if counted && after[b.Border] >= count {
			all = append(all, reachability.Drops{
				Kind: b.kind, At: b.at, Count: reachability.Count{Before: count, After: after[b.Border]},
			})
		}
	}
	return all
}

// namespace returns the path of the network namespace of an interface's machine or node, or
// "" if that does not run.
func (p prober) namespace(view store.Reader, row *store.NetworkInterface) string {
	switch {
	case row.LoadBalancerARN != "":
		return p.kernel.NodeNamespace(row.ID)
	case row.InstanceID == "":
		return ""
	}
	if instance, ok := store.Instances.Get(view, row.InstanceID); !ok || instance.State != store.Running {
		return ""
	}
	return p.machine(row.InstanceID)
}

// border is a firewall's border, and what a path calls it.
type border struct {
	firewall.Border

	vpc, at string
	kind    reachability.Kind
}

// bordersOf returns where packets between two interfaces may be dropped. from is nil for the
// internet.
func bordersOf(from, to *store.NetworkInterface) []border {
	var all []border
	if from != nil {
		all = append(all,
			border{firewall.Border{Interface: from.ID, Out: true}, from.VPCID, from.ID, reachability.GroupOut},
			border{firewall.Border{Subnet: from.SubnetID, Out: true}, from.VPCID, from.SubnetID, reachability.ACLOut},
		)
	}
	return append(all,
		border{firewall.Border{Subnet: to.SubnetID}, to.VPCID, to.SubnetID, reachability.ACLIn},
		border{firewall.Border{Interface: to.ID}, to.VPCID, to.ID, reachability.GroupIn},
	)
}

// dropped reads the counters of borders.
func (p prober) dropped(borders []border) (map[firewall.Border]uint64, error) {
	byVPC, all := map[string][]firewall.Border{}, map[firewall.Border]uint64{}
	for _, b := range borders {
		byVPC[b.vpc] = append(byVPC[b.vpc], b.Border)
	}
	for vpc, of := range byVPC {
		counts, err := p.kernel.Dropped(vpc, of)
		if err != nil {
			return nil, err
		}
		for b, n := range counts {
			all[b] = n
		}
	}
	return all, nil
}

// try opens a connection and closes it. It returns nil if there is nothing to open it from.
func (p prober) try(
	ctx context.Context, view store.Reader, from *store.NetworkInterface, to netip.AddrPort,
) *reachability.Probe {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	began := time.Now()
	var conn net.Conn
	var err error
	if from == nil {
		conn, err = p.kernel.DialOutside(ctx, to)
	} else {
		at := p.namespace(view, from)
		if at == "" {
			return nil
		}
		conn, err = p.dial(ctx, at, to)
	}
	result := &reachability.Probe{
		Outcome: outcome(err), Millis: float64(time.Since(began).Microseconds()) / 1000,
	}
	if err != nil {
		result.Error = err.Error()
		return result
	}
	_ = conn.Close() // nothing was written
	return result
}

// outcome classifies the error of a connection.
func outcome(err error) reachability.Outcome {
	switch {
	case err == nil:
		return reachability.Connected
	case errors.Is(err, syscall.ECONNREFUSED):
		return reachability.Refused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return reachability.Unreachable
	}
	return reachability.TimedOut
}
