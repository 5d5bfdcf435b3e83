//go:build linux

package connectendpoints_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/cloud/control/connectendpoints"
	"aloft.dev/aloft/internal/cloud/store"
)

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
		loop := &connectendpoints.Loop{Store: s, Log: slog.New(slog.DiscardHandler)}
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
