//go:build linux

package egress

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"
)

// lookupTimeout bounds a search for the addresses of all places.
const lookupTimeout = 2 * time.Second

// places are the addresses that the names of places, host:port, had when they were found
// last.
type places map[string][]netip.AddrPort

// find searches for the addresses of the names and returns those of all, sorted.
func (p places) find(ctx context.Context, names []string) []netip.AddrPort {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	found := make([][]netip.AddrPort, len(names))
	var looking sync.WaitGroup
	for i, name := range names {
		looking.Go(func() { found[i] = addressesOf(ctx, name) })
	}
	looking.Wait()
	var all []netip.AddrPort
	for i, name := range names {
		if len(found[i]) > 0 {
			p[name] = found[i]
		}
		all = append(all, p[name]...)
	}
	slices.SortFunc(all, netip.AddrPort.Compare)
	return slices.Compact(all)
}

// addressesOf returns the addresses of a place, none if its name cannot be resolved now.
func addressesOf(ctx context.Context, place string) []netip.AddrPort {
	host, portText, err := net.SplitHostPort(place)
	if err != nil {
		return nil
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
	if err != nil {
		return nil
	}
	all := make([]netip.AddrPort, 0, len(found))
	for _, addr := range found {
		all = append(all, netip.AddrPortFrom(addr.Unmap(), uint16(port)))
	}
	return all
}
