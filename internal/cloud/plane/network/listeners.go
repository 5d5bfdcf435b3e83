//go:build linux

package network

import (
	"fmt"
	"net"
	"net/netip"
	"sync"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// listeners holds the sockets that machines connect to. Plane.Set opens and closes
// them, so that they exist when it returns; Plane.Run serves them.
type listeners struct {
	changed chan struct{} // holds a value when Run must look for new listeners

	mu     sync.Mutex
	vpcs   map[string]*vpcListeners
	egress *egressListener
}

// vpcListeners are the sockets in one VPC's router.
type vpcListeners struct {
	cidr     netip.Prefix
	resolver bool
	claimed  bool // by Run, which serves them
	metadata net.Listener
	api      net.Listener
	packets  []net.PacketConn
	streams  []net.Listener
}

func newListeners() listeners {
	return listeners{changed: make(chan struct{}, 1), vpcs: map[string]*vpcListeners{}}
}

func (s *listeners) notify() {
	select {
	case s.changed <- struct{}{}:
	default: // a notification is pending
	}
}

// openVPC opens the VPC's listeners unless they are open.
func (s *listeners) openVPC(r *router, vpc VPC, cfg PlaneConfig) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	resolver := vpc.DNSSupport && cfg.DNS != nil
	if open, ok := s.vpcs[vpc.ID]; ok {
		if open.resolver == resolver && open.cidr == vpc.CIDR {
			return nil
		}
		open.close()
		delete(s.vpcs, vpc.ID)
	}
	if cfg.Metadata == nil && cfg.API == nil && !resolver {
		return nil
	}
	opened := &vpcListeners{cidr: vpc.CIDR, resolver: resolver}
	err := inNamespace(r.path, func() error { return opened.listen(cfg) })
	if err != nil {
		opened.close()
		return fmt.Errorf("listen for machines: %w", err)
	}
	s.vpcs[vpc.ID] = opened
	s.notify()
	return nil
}

// listen opens the sockets in the calling thread's network namespace.
func (l *vpcListeners) listen(cfg PlaneConfig) (err error) {
	if cfg.Metadata != nil {
		if l.metadata, err = net.ListenTCP("tcp4", tcpAddr(firewall.MetadataAddress, 80)); err != nil {
			return err
		}
	}
	if cfg.API != nil {
		if l.api, err = net.ListenTCP("tcp4", tcpAddr(firewall.MetadataAddress, firewall.APIPort)); err != nil {
			return err
		}
	}
	if !l.resolver {
		return nil
	}
	for _, addr := range []netip.Addr{firewall.ResolverAddress, firewall.VPCResolverAddress(l.cidr)} {
		packets, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, 53)))
		if err != nil {
			return err
		}
		l.packets = append(l.packets, packets)
		stream, err := net.ListenTCP("tcp4", tcpAddr(addr, 53))
		if err != nil {
			return err
		}
		l.streams = append(l.streams, stream)
	}
	return nil
}

func tcpAddr(addr netip.Addr, port uint16) *net.TCPAddr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, port))
}

// close closes the sockets, which makes the services that use them return.
func (l *vpcListeners) close() {
	for _, s := range append([]net.Listener{l.metadata, l.api}, l.streams...) {
		if s != nil {
			_ = s.Close()
		}
	}
	for _, p := range l.packets {
		_ = p.Close()
	}
}

func (s *listeners) closeVPC(vpcID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if open, ok := s.vpcs[vpcID]; ok {
		open.close()
		delete(s.vpcs, vpcID)
	}
}

// releaseVPC closes listeners that Run no longer serves. The next Set opens new ones.
func (s *listeners) releaseVPC(vpcID string, served *vpcListeners) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.vpcs[vpcID] == served {
		delete(s.vpcs, vpcID)
	}
	served.close()
}

// claimNew returns the listeners opened since the last call, which the caller must
// serve. The egress listener is nil unless it is new.
func (s *listeners) claimNew() (map[string]*vpcListeners, *egressListener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	unclaimed := map[string]*vpcListeners{}
	for id, l := range s.vpcs {
		if !l.claimed {
			l.claimed = true
			unclaimed[id] = l
		}
	}
	if s.egress != nil && !s.egress.claimed {
		s.egress.claimed = true
		return unclaimed, s.egress
	}
	return unclaimed, nil
}
