package addressing_test

import (
	"errors"
	"net/netip"
	"testing"

	"aloft.dev/aloft/internal/cloud/addressing"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

func change(t *testing.T, do func(tx *store.Tx)) {
	t.Helper()
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(func(tx *store.Tx) error { do(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

func subnet(cidr string) *store.Subnet {
	return &store.Subnet{ID: "subnet-1", Region: "r", VPCID: "vpc-1", Zone: "ra", CIDR: netip.MustParsePrefix(cidr)}
}

func TestASubnetAssignsEachAddressOnceExceptTheFiveReserved(t *testing.T) {
	change(t, func(tx *store.Tx) {
		s, ids := subnet("10.0.1.0/28"), identity.New(nil)
		assigned := map[string]bool{}
		for want := 11; want > 0; want-- {
			if got := addressing.CountFree(tx, s); got != want {
				t.Errorf("%d addresses are free, want %d", got, want)
			}
			nic, err := addressing.NewInterface(tx, ids, addressing.InterfaceSpec{Subnet: s})
			if err != nil {
				t.Fatal(err)
			}
			assigned[nic.PrivateIP.String()] = true
		}
		if len(assigned) != 11 {
			t.Errorf("an address was assigned twice: %v", assigned)
		}
		for _, reserved := range []string{"10.0.1.0", "10.0.1.1", "10.0.1.2", "10.0.1.3", "10.0.1.15"} {
			if assigned[reserved] {
				t.Errorf("the reserved address %s was assigned", reserved)
			}
		}
		_, err := addressing.NewInterface(tx, ids, addressing.InterfaceSpec{Subnet: s})
		if !errors.Is(err, addressing.ErrSubnetFull) {
			t.Errorf("got %v, want ErrSubnetFull", err)
		}
	})
}

func TestARequestedAddressIsAssignedUnlessInUseOrReserved(t *testing.T) {
	change(t, func(tx *store.Tx) {
		s, ids := subnet("10.0.1.0/24"), identity.New(nil)
		for _, c := range []struct {
			addr string
			want error
		}{
			{"10.0.1.4", nil}, {"10.0.1.4", addressing.ErrInUse}, {"10.0.1.254", nil},
			{"10.0.1.3", addressing.ErrReserved}, {"10.0.1.255", addressing.ErrReserved},
			{"10.0.2.9", addressing.ErrOutside}, {"::1", addressing.ErrOutside},
		} {
			spec := addressing.InterfaceSpec{Subnet: s, PrivateIP: netip.MustParseAddr(c.addr)}
			_, err := addressing.NewInterface(tx, ids, spec)
			if !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", c.addr, err, c.want)
			}
		}
	})
}

func TestPublicAddressesAreUniqueAndNotTheEdges(t *testing.T) {
	change(t, func(tx *store.Tx) {
		s, ids, pool := subnet("10.0.0.0/16"), identity.New(nil), netip.MustParsePrefix("198.18.0.0/22")
		assigned := map[netip.Addr]bool{}
		for range 512 {
			nic, err := addressing.NewInterface(tx, ids, addressing.InterfaceSpec{Subnet: s, PublicFrom: pool})
			if err != nil {
				t.Fatal(err)
			}
			assigned[nic.PublicIP] = true
			if netip.MustParsePrefix("198.18.0.0/24").Contains(nic.PublicIP) ||
				netip.MustParsePrefix("198.18.3.0/24").Contains(nic.PublicIP) {
				t.Errorf("%s belongs to the edge", nic.PublicIP)
			}
		}
		if len(assigned) != 512 {
			t.Errorf("got %d different addresses, want 512", len(assigned))
		}
		_, err := addressing.NewInterface(tx, ids, addressing.InterfaceSpec{Subnet: s, PublicFrom: pool})
		if !errors.Is(err, addressing.ErrPublicRangeFull) {
			t.Errorf("got %v, want ErrPublicSpent", err)
		}
	})
}

func TestALoadBalancerOwnsItsInterface(t *testing.T) {
	change(t, func(tx *store.Tx) {
		spec := addressing.InterfaceSpec{Subnet: subnet("10.0.0.0/24"), LoadBalancerARN: "arn:lb"}
		nic, err := addressing.NewInterface(tx, identity.New(nil), spec)
		if err != nil {
			t.Fatal(err)
		}
		if nic.Type != "load_balancer" || nic.RequesterID != "amazon-elb" || !nic.RequesterManaged ||
			nic.State != "in-use" {
			t.Errorf("got %+v, want an interface of the load balancer", nic)
		}
		if stored, ok := store.NetworkInterfaces.Get(tx, nic.ID); !ok || stored != nic {
			t.Error("the interface is not in the store")
		}
	})
}

func TestNoReservedAddressIsAssignedUnasked(t *testing.T) {
	change(t, func(tx *store.Tx) {
		s, ids := subnet("10.0.1.0/27"), identity.New(nil)
		s.IPv6.CIDR = netip.MustParsePrefix("2001:db8::/64")
		reserve := func(cidr, kind string) {
			store.SubnetReservations.Put(tx, &store.SubnetReservation{
				ID: "scr-" + cidr, SubnetID: s.ID, Region: s.Region, CIDR: netip.MustParsePrefix(cidr), Type: kind,
			})
		}
		wantFree := func(want int) {
			t.Helper()
			if got := addressing.CountFree(tx, s); got != want {
				t.Errorf("%d addresses are free, want %d", got, want)
			}
		}
		assign := func(spec addressing.InterfaceSpec) (*store.NetworkInterface, error) {
			spec.Subnet = s
			return addressing.NewInterface(tx, ids, spec)
		}
		wantFree(27)
		reserve("10.0.1.0/29", "prefix") // with four addresses that no interface can have
		wantFree(23)
		reserve("10.0.1.16/28", "explicit")
		wantFree(23)
		for _, named := range []string{"10.0.1.5", "10.0.1.20"} {
			if _, err := assign(addressing.InterfaceSpec{PrivateIP: netip.MustParseAddr(named)}); err != nil {
				t.Errorf("%s: %v", named, err)
			}
		}
		wantFree(22)
		for range 8 {
			nic, err := assign(addressing.InterfaceSpec{})
			if err != nil {
				t.Fatal(err)
			}
			if !netip.MustParsePrefix("10.0.1.8/29").Contains(nic.PrivateIP) {
				t.Errorf("%s was assigned", nic.PrivateIP)
			}
		}
		if _, err := assign(addressing.InterfaceSpec{}); !errors.Is(err, addressing.ErrSubnetFull) {
			t.Errorf("got %v, want ErrSubnetFull", err)
		}

		one := func() (*store.NetworkInterface, error) {
			spec := addressing.InterfaceSpec{PrivateIP: netip.MustParseAddr("10.0.1.21"), FreeIPv6: 1}
			nic, err := assign(spec)
			if err == nil {
				store.NetworkInterfaces.Delete(tx, nic.ID)
			}
			return nic, err
		}
		reserve("2001:db8:0:0:8000::/65", "explicit")
		for range 20 {
			nic, err := one()
			if err != nil || nic.IPv6[0].As16()[8] >= 0x80 {
				t.Errorf("got %v, %v; want an address that is not reserved", nic, err)
			}
		}
		reserve("2001:db8::/65", "prefix")
		if _, err := one(); !errors.Is(err, addressing.ErrSubnetFull) {
			t.Errorf("got %v, want ErrSubnetFull", err)
		}
	})
}
