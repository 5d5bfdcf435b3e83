//go:build linux

package endpoints_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/control/endpoints"
	"aloft.dev/aloft/internal/cloud/store"
)

// syncs counts the calls of Sync, each of which fails while there is an error.
type syncs struct {
	calls int
	err   error
}

func (s *syncs) Sync(context.Context) error { s.calls++; return s.err }

func TestAnInterfaceEndpointIsAvailableOnceTheNetworkHasIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open("")
		if err != nil {
			t.Fatal(err)
		}
		put := func(state string) {
			row := &store.VPCEndpoint{
				ID: "vpce-1", Region: "us-east-1", DNSName: "vpce-1.example", InterfaceIDs: []string{"eni-1"},
				State: state, SettledAt: time.Now().Add(time.Minute),
			}
			if err := s.Update(func(tx *store.Tx) error {
				store.VPCEndpoints.Put(tx, row)
				store.VPCEndpoints.Put(tx, &store.VPCEndpoint{ID: "vpce-gateway", Region: "us-east-1"})
				store.NetworkInterfaces.Put(tx, &store.NetworkInterface{ID: "eni-1", Region: "us-east-1"})
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		network := &syncs{err: errors.New("the network fails")}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		loop := &endpoints.Loop{Store: s, Network: network, Log: slog.New(slog.DiscardHandler)}
		go func() { ended <- loop.Run(ctx) }()
		state := func(after time.Duration) string {
			time.Sleep(after)
			synctest.Wait()
			if row, ok := store.VPCEndpoints.Get(s.View(), "vpce-1"); ok {
				return row.State
			}
			return "gone"
		}
		put(store.EndpointPending)
		if got := state(59 * time.Second); got != store.EndpointPending || network.calls > 0 {
			t.Errorf("before its time: %s, and the network was set %d times", got, network.calls)
		}
		if got := state(2 * time.Second); got != store.EndpointPending || network.calls == 0 {
			t.Errorf("while the network fails: %s after %d attempts", got, network.calls)
		}
		network.err = nil
		if got := state(2 * time.Second); got != store.EndpointAvailable {
			t.Errorf("once the network has it: %s", got)
		}
		put(store.EndpointDeleting)
		if got := state(59 * time.Second); got != store.EndpointDeleting {
			t.Errorf("before its end: %s", got)
		}
		if got := state(2 * time.Second); got != "gone" {
			t.Errorf("after its end: %s", got)
		}
		if _, ok := store.NetworkInterfaces.Get(s.View(), "eni-1"); ok {
			t.Error("the network interface is left")
		}
		if _, ok := store.VPCEndpoints.Get(s.View(), "vpce-gateway"); !ok {
			t.Error("a gateway endpoint is gone")
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestAnEndpointDisappearsWithItsInterfaceWhenItsTimeHasCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open("")
		if err != nil {
			t.Fatal(err)
		}
		put := func(change func(*store.InstanceConnectEndpoint)) {
			row := &store.InstanceConnectEndpoint{ID: "eice-1", Region: "us-east-1", InterfaceID: "eni-1"}
			change(row)
			if err := s.Update(func(tx *store.Tx) error {
				store.InstanceConnectEndpoints.Put(tx, row)
				store.NetworkInterfaces.Put(tx, &store.NetworkInterface{ID: "eni-1", Region: "us-east-1"})
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		put(func(*store.InstanceConnectEndpoint) {})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		loop := &endpoints.Loop{Store: s, Network: &syncs{}, Log: slog.New(slog.DiscardHandler)}
		go func() { ended <- loop.Run(ctx) }()
		exists := func() (endpoint, nic bool) {
			synctest.Wait()
			_, endpoint = store.InstanceConnectEndpoints.Get(s.View(), "eice-1")
			_, nic = store.NetworkInterfaces.Get(s.View(), "eni-1")
			return endpoint, nic
		}
		time.Sleep(time.Hour)
		if endpoint, nic := exists(); !endpoint || !nic {
			t.Error("an endpoint that nobody deleted is gone")
		}
		put(func(row *store.InstanceConnectEndpoint) { row.Deleting, row.GoneAt = true, time.Now().Add(time.Minute) })
		time.Sleep(59 * time.Second)
		if endpoint, nic := exists(); !endpoint || !nic {
			t.Error("the endpoint disappeared before its time")
		}
		time.Sleep(2 * time.Second)
		if endpoint, nic := exists(); endpoint || nic {
			t.Errorf("after its time: endpoint %t, interface %t", endpoint, nic)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
