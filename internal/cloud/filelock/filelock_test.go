//go:build linux

package filelock

import (
	"context"
	"errors"
	"os"
	"testing"
)

func open(t *testing.T, dir string) *os.File {
	t.Helper()
	f, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestTheSecondWaitsForTheFirst(t *testing.T) {
	dir := t.TempDir()
	first, second := open(t, dir), open(t, dir)
	if err := Lock(t.Context(), first, func() { t.Error("the first waits") }); err != nil {
		t.Fatal(err)
	}
	waits, locked := make(chan struct{}), make(chan error)
	go func() { locked <- Lock(t.Context(), second, func() { close(waits) }) }()
	<-waits
	select {
	case err := <-locked:
		t.Fatalf("both have the lock (%v)", err)
	default:
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-locked; err != nil {
		t.Error(err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	dir := t.TempDir()
	first, second := open(t, dir), open(t, dir)
	if err := Lock(t.Context(), first, nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := Lock(ctx, second, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	third := open(t, dir)
	if err := Lock(t.Context(), third, nil); err != nil {
		t.Errorf("who gave up has the lock: %v", err)
	}
	if err := third.Close(); err != nil {
		t.Error(err)
	}
}
