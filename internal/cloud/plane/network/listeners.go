package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"aloft.dev/aloft/internal/cloud/plane/firewall"
)

// MetadataService answers machines at the metadata service's address.
type MetadataService interface {
	// Serve answers what comes from machines of the VPC until ctx ends or the
	// listener is closed, and closes it.
	Serve(ctx context.Context, vpcID string, listener net.Listener) error
}

// DNSService answers machines at the resolver's addresses.
type DNSService interface {
	// Serve answers what comes from machines of the VPC until ctx ends or the
	// sockets are closed, and closes them.
	Serve(ctx context.Context, vpcID string, packets []net.PacketConn, streams []net.Listener) error
}

// listeners are those that machines reach. Set opens and closes them, so that they
// are there when it returns; Run answers.
type listeners struct {
	changed chan struct{}

	mu     sync.Mutex
	vpcs   map[string]*vpcListeners
	egress *egressProxy
}

// vpcListeners are the sockets in one VPC's router.
type vpcListeners struct {
	cidr     netip.Prefix
	resolver bool
	claimed  bool
	metadata net.Listener
	packets  []net.PacketConn
	streams  []net.Listener
}

func newSockets() listeners {
	return listeners{changed: make(chan struct{}, 1), vpcs: map[string]*vpcListeners{}}
}

func (s *listeners) notify() {
	select {
	case s.changed <- struct{}{}:
	default: // Run will look anyway
	}
}

// openVPC opens the VPC's sockets, unless they are.
func (s *listeners) openVPC(r *router, vpc VPC, cfg PlaneConfig) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	resolver := vpc.DNSSupport && cfg.DNS != nil
	if a, ok := s.vpcs[vpc.ID]; ok {
		if a.resolver == resolver && a.cidr == vpc.CIDR {
			return nil
		}
		a.close()
		delete(s.vpcs, vpc.ID)
	}
	if cfg.Metadata == nil && !resolver {
		return nil
	}
	a := &vpcListeners{cidr: vpc.CIDR, resolver: resolver}
	err := inNamespace(r.path, func() (err error) {
		if cfg.Metadata != nil {
			if a.metadata, err = net.ListenTCP("tcp4", tcpAddr(firewall.MetadataAddress, 80)); err != nil {
				return err
			}
		}
		if !resolver {
			return nil
		}
		for _, at := range []netip.Addr{firewall.ResolverAddress, firewall.VPCResolverAddress(vpc.CIDR)} {
			packets, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(at, 53)))
			if err != nil {
				return err
			}
			a.packets = append(a.packets, packets)
			stream, err := net.ListenTCP("tcp4", tcpAddr(at, 53))
			if err != nil {
				return err
			}
			a.streams = append(a.streams, stream)
		}
		return nil
	})
	if err != nil {
		a.close()
		return fmt.Errorf("listen for machines: %w", err)
	}
	s.vpcs[vpc.ID] = a
	s.notify()
	return nil
}

func tcpAddr(addr netip.Addr, port uint16) *net.TCPAddr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, port))
}

// close closes what is open; who serves it returns then.
func (a *vpcListeners) close() {
	if a.metadata != nil {
		_ = a.metadata.Close()
	}
	for _, p := range a.packets {
		_ = p.Close()
	}
	for _, l := range a.streams {
		_ = l.Close()
	}
}

func (s *listeners) closeVPC(vpc string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.vpcs[vpc]; ok {
		a.close()
		delete(s.vpcs, vpc)
	}
}

func (s *listeners) releaseVPC(vpc string, a *vpcListeners) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.vpcs[vpc] == a {
		delete(s.vpcs, vpc)
	}
	a.close()
}

func (s *listeners) openEgress(e *edge) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.egress != nil {
		return nil
	}
	var listener net.Listener
	err := inNamespace(e.path, func() (err error) {
		listener, err = net.ListenTCP("tcp4", tcpAddr(e.addresses.edge, egressPort))
		return err
	})
	if err != nil {
		return fmt.Errorf("listen at the edge: %w", err)
	}
	s.egress = &egressProxy{listener: listener}
	s.notify()
	return nil
}

func (s *listeners) closeEgress() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.egress != nil {
		_ = s.egress.listener.Close()
		s.egress = nil
	}
}

func (s *listeners) releaseEgress(e *egressProxy) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = e.listener.Close()
	if s.egress == e {
		s.egress = nil
	}
}

// claimNew gives what has been opened and is not served yet.
func (s *listeners) claimNew() (map[string]*vpcListeners, *egressProxy) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := map[string]*vpcListeners{}
	for id, a := range s.vpcs {
		if !a.claimed {
			a.claimed = true
			fresh[id] = a
		}
	}
	if s.egress != nil && !s.egress.claimed {
		s.egress.claimed = true
		return fresh, s.egress
	}
	return fresh, nil
}

// Run answers machines, for all VPCs that Set makes, and takes their connections
// to the outside, until ctx ends. Machines whose connections come while it does
// not run wait.
func (p *Plane) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	for {
		fresh, out := p.listeners.claimNew()
		if out != nil {
			running.Go(func() {
				defer p.listeners.releaseEgress(out)
				out.serve(ctx, p.cfg)
			})
		}
		for id, a := range fresh {
			running.Go(func() {
				defer p.listeners.releaseVPC(id, a)
				p.serveVPC(ctx, id, a)
			})
		}
		select {
		case <-ctx.Done():
			return nil
		case <-p.listeners.changed:
		}
	}
}

// serveVPC serves one VPC's sockets until they are closed.
func (p *Plane) serveVPC(ctx context.Context, vpc string, a *vpcListeners) {
	var running sync.WaitGroup
	serve := func(what string, do func() error) {
		running.Go(func() {
			if err := do(); err != nil && ctx.Err() == nil && !errors.Is(err, net.ErrClosed) {
				p.cfg.Log.Error("answer machines", "service", what, "vpc", vpc, "error", err)
			}
		})
	}
	if a.metadata != nil {
		serve("metadata", func() error { return p.cfg.Metadata.Serve(ctx, vpc, a.metadata) })
	}
	if a.resolver {
		serve("dns", func() error { return p.cfg.DNS.Serve(ctx, vpc, a.packets, a.streams) })
	}
	running.Wait()
}
