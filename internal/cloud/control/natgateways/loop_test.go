//go:build linux

package natgateways_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/control/natgateways"
	"aloft.dev/aloft/internal/cloud/store"
)

// syncs counts the calls of Sync.
type syncs struct{ calls int }

func (s *syncs) Sync(context.Context) error { s.calls++; return nil }

// run calls test while a loop drives the NAT gateways of a store with a VPC, a subnet and,
// if wanted, an internet gateway.
func run(t *testing.T, internet bool, test func(s *store.Store, network *syncs)) {
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open("")
		if err != nil {
			t.Fatal(err)
		}
		network := &syncs{}
		loop := &natgateways.Loop{Store: s, Network: network, Log: slog.New(slog.DiscardHandler)}
		put(t, s, func(tx *store.Tx) {
			store.VPCs.Put(tx, &store.VPC{ID: "vpc-1", Region: "r", CIDR: netip.MustParsePrefix("10.0.0.0/16")})
			store.Subnets.Put(tx, &store.Subnet{
				ID: "subnet-1", Region: "r", VPCID: "vpc-1", CIDR: netip.MustParsePrefix("10.0.1.0/24"),
			})
			store.ElasticIPs.Put(tx, &store.ElasticIP{
				ID: "eipalloc-1", Region: "r", PublicIP: netip.MustParseAddr("198.18.1.7"),
			})
			if internet {
				store.InternetGateways.Put(tx, &store.InternetGateway{ID: "igw-1", Region: "r", VPCID: "vpc-1"})
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = loop.Run(ctx) }()
		test(s, network)
		cancel()
		<-done
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func put(t *testing.T, s *store.Store, change func(tx *store.Tx)) {
	t.Helper()
	if err := s.Update(func(tx *store.Tx) error { change(tx); return nil }); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

func gateway(id, allocation string, settled time.Time) *store.NatGateway {
	return &store.NatGateway{
		ID: id, Region: "r", VPCID: "vpc-1", SubnetID: "subnet-1", AllocationID: allocation,
		State: store.NatPending, SettledAt: settled,
	}
}

func get(s *store.Store, id string) *store.NatGateway {
	row, _ := store.NatGateways.Get(s.View(), id)
	return row
}

func TestGatewayIsAvailableWhenItsTimeHasComeAndTheNetworkHasIt(t *testing.T) {
	run(t, true, func(s *store.Store, network *syncs) {
		put(t, s, func(tx *store.Tx) {
			store.NatGateways.Put(tx, gateway("nat-1", "eipalloc-1", time.Now().Add(time.Minute)))
		})
		row := get(s, "nat-1")
		eni, ok := store.NetworkInterfaces.Get(s.View(), row.InterfaceID)
		if !ok || row.State != store.NatPending || network.calls != 0 {
			t.Fatalf("before its time: %+v, %d calls", row, network.calls)
		}
		if eni.Description != "Interface for NAT Gateway nat-1" || eni.PublicIP.String() != "198.18.1.7" ||
			eni.SourceDestCheck || !eni.RequesterManaged {
			t.Errorf("its interface is %+v", eni)
		}
		time.Sleep(2 * time.Minute)
		if row := get(s, "nat-1"); row.State != store.NatAvailable || network.calls != 1 {
			t.Errorf("after its time: %s, %d calls", row.State, network.calls)
		}

		// The deletion takes its time too, and ends the association.
		put(t, s, func(tx *store.Tx) {
			store.NatGateways.Edit(tx, "nat-1", func(row *store.NatGateway) {
				row.State, row.SettledAt = store.NatDeleting, time.Now().Add(time.Minute)
			})
		})
		if address, _ := store.ElasticIPs.Get(s.View(), "eipalloc-1"); address.AssociationID == "" {
			t.Error("the association ended before the gateway")
		}
		time.Sleep(2 * time.Minute)
		address, _ := store.ElasticIPs.Get(s.View(), "eipalloc-1")
		if row := get(s, "nat-1"); row.State != store.NatDeleted || address.AssociationID != "" ||
			len(store.NetworkInterfaces.List(s.View())) > 0 {
			t.Errorf("after the deletion: %+v, %+v", row, address)
		}
		time.Sleep(time.Hour)
		if row := get(s, "nat-1"); row != nil {
			t.Errorf("an hour later: %+v", row)
		}
	})
}

func TestSecondaryAddressesComeAndGo(t *testing.T) {
	run(t, true, func(s *store.Store, network *syncs) {
		wanted := netip.MustParseAddr("10.0.1.20")
		put(t, s, func(tx *store.Tx) {
			for n := range 2 {
				store.ElasticIPs.Put(tx, &store.ElasticIP{
					ID: fmt.Sprint("eipalloc-", n+2), Region: "r",
					PublicIP: netip.AddrFrom4([4]byte{198, 18, 1, byte(n + 8)}),
				})
			}
			row := gateway("nat-1", "eipalloc-1", time.Now())
			row.Secondary = []store.NatAddress{
				{AllocationID: "eipalloc-2", State: store.NatAddressAssociating},
				{AllocationID: "eipalloc-3", State: store.NatAddressAssociating, PrivateIP: wanted},
			}
			store.NatGateways.Put(tx, row)
		})
		row := get(s, "nat-1")
		eni, _ := store.NetworkInterfaces.Get(s.View(), row.InterfaceID)
		public := map[netip.Addr]netip.Addr{}
		for _, address := range eni.Secondary {
			public[address.Private] = address.Public
		}
		for _, address := range row.Secondary {
			if address.State != store.NatAddressSucceeded || address.AssociationID == "" ||
				public[address.PrivateIP] != address.PublicIP || !address.PublicIP.IsValid() {
				t.Errorf("address %+v of %v", address, public)
			}
		}
		if row.Secondary[1].PrivateIP != wanted || len(public) != 2 {
			t.Errorf("addresses %+v of %v", row.Secondary, public)
		}

		// One that is added later waits for the network, and one that leaves for its time.
		put(t, s, func(tx *store.Tx) {
			store.NatGateways.Edit(tx, "nat-1", func(row *store.NatGateway) {
				row.Secondary = slices.Clone(row.Secondary)
				leaving, coming := &row.Secondary[0], &row.Secondary[1]
				leaving.State, leaving.SettledAt = store.NatAddressDisassociating, time.Now().Add(time.Minute)
				coming.State = store.NatAddressAssociating
			})
		})
		if row := get(s, "nat-1"); row.Secondary[1].State != store.NatAddressSucceeded || network.calls != 2 {
			t.Errorf("%+v after %d calls", row.Secondary, network.calls)
		}
		time.Sleep(50 * time.Second)
		if row := get(s, "nat-1"); len(row.Secondary) != 2 {
			t.Errorf("before its time: %+v", row.Secondary)
		}
		time.Sleep(20 * time.Second)
		eni, _ = store.NetworkInterfaces.Get(s.View(), row.InterfaceID)
		address, _ := store.ElasticIPs.Get(s.View(), "eipalloc-2")
		if row := get(s, "nat-1"); len(row.Secondary) != 1 || len(eni.Secondary) != 1 || address.AssociationID != "" {
			t.Errorf("after its time: %+v, %+v, %+v", row.Secondary, eni.Secondary, address)
		}
	})
}

func TestGatewayFailsWithACode(t *testing.T) {
	for _, c := range []struct {
		name, allocation, code, message string
		internet                        bool
		before                          func(tx *store.Tx)
	}{
		{
			name: "no internet gateway", allocation: "eipalloc-1", code: "Gateway.NotAttached",
			message: "Network vpc-1 has no Internet gateway attached",
		},
		{
			name: "address in use", allocation: "eipalloc-1", internet: true, code: "Resource.AlreadyAssociated",
			message: "Elastic IP address eipalloc-1 is already associated",
			before: func(tx *store.Tx) {
				store.ElasticIPs.Edit(tx, "eipalloc-1", func(row *store.ElasticIP) { row.AssociationID = "eipassoc-1" })
			},
		},
		{
			name: "address gone", allocation: "eipalloc-2", internet: true, code: "InvalidAllocationID.NotFound",
			message: "Elastic IP address eipalloc-2 could not be associated with this NAT gateway",
		},
		{
			name: "subnet full", allocation: "eipalloc-1", internet: true, code: "InsufficientFreeAddressesInSubnet",
			message: "Subnet has insufficient free addresses to create this NAT gateway",
			before: func(tx *store.Tx) {
				store.Subnets.Edit(tx, "subnet-1", func(row *store.Subnet) {
					row.CIDR = netip.MustParsePrefix("10.0.1.0/30") // all of it is reserved
				})
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			run(t, c.internet, func(s *store.Store, _ *syncs) {
				if c.before != nil {
					put(t, s, c.before)
				}
				put(t, s, func(tx *store.Tx) { store.NatGateways.Put(tx, gateway("nat-1", c.allocation, time.Time{})) })
				row := get(s, "nat-1")
				if row.State != store.NatFailed || row.FailureCode != c.code || row.FailureMessage != c.message {
					t.Errorf("%s: %s: %s", row.State, row.FailureCode, row.FailureMessage)
				}
				if enis := store.NetworkInterfaces.List(s.View()); len(enis) > 0 {
					t.Errorf("it left %+v", enis[0])
				}
			})
		})
	}
}
