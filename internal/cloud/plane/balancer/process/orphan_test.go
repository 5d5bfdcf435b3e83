//go:build linux

package process

import (
	"syscall"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
	"aloft.dev/aloft/internal/cloud/plane/balancer/balancertest"
)

// TestKilledKeeperCostsNoRequest kills the keeper. Its process serves on, also while no daemon
// starts another keeper, which then takes over.
func TestKilledKeeperCostsNoRequest(t *testing.T) {
	dir, port := processDir(t), balancertest.FreePort(t)
	c := newClient(t, dir)
	config := balancertest.OneGroup(port, 2, balancertest.Backend(t, "a", nil))
	if err := c.Set(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	waitHealthy(t, c)
	kept, single := startClients(t.Context(), 4, port, false), startClients(t.Context(), 4, port, true)
	for range 3 {
		single.sends(t, 100)
		before := about(t, c)
		lost := make(chan struct{})
		go func() { defer close(lost); _ = c.Follow(t.Context(), func(balancer.Status) {}) }()
		killed := time.Now()
		if err := syscall.Kill(before.Keeper, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		<-lost
		t.Logf("the daemon noticed after %v", time.Since(killed))
		single.sends(t, 100) // without a keeper
		killed = time.Now()
		if err := c.Set(t.Context(), config); err != nil {
			t.Fatal(err)
		}
		t.Logf("another keeper and its process took over within %v", time.Since(killed))
		if after := about(t, c); after.PID == before.PID || after.Keeper == before.Keeper {
			t.Errorf("runs %+v, ran %+v", after, before)
		}
		single.sends(t, 100)
		awaitEnd(t, before.PID)
		waitHealthy(t, c)
	}
	for _, f := range append(kept.end(t), single.end(t)...) {
		t.Error(f.err)
	}
}

// TestStopEndsAProcessWithoutAKeeper stops what a killed keeper has left.
func TestStopEndsAProcessWithoutAKeeper(t *testing.T) {
	dir, port := processDir(t), balancertest.FreePort(t)
	c := newClient(t, dir)
	if err := c.Set(t.Context(), balancertest.OneGroup(port, 1)); err != nil {
		t.Fatal(err)
	}
	running := about(t, c)
	if err := syscall.Kill(running.Keeper, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, running.Keeper)
	if err := c.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	awaitEnd(t, running.PID)
}
