//go:build linux && root

package store_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/store"
)

// On a full disk a row is never half written, rows can be changed and deleted, and added again
// as soon as there is room.
func TestRealFullDiskStopsOnlyTransactionsThatAddRows(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("full", dir, "tmpfs", 0, "size=24m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	path := filepath.Join(dir, "db")
	s := open(t, path)
	put(t, s, &store.Subnet{ID: "subnet-a"}, &store.Subnet{ID: "subnet-b"})
	filler := filepath.Join(dir, "filler")
	fill(t, filler)

	// The first additions may find the reserve complete.
	added, err := 0, error(nil)
	for ; err == nil && added < 10_000; added++ {
		err = add(s, fmt.Sprintf("subnet-%d", added))
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("after %d additions to a full disk: %v", added, err)
	}
	for n := range 300 {
		if err := s.Update(func(tx *store.Tx) error {
			store.Subnets.Edit(tx, "subnet-a", func(row *store.Subnet) {
				row.VPCID = strings.Repeat("x", 1000) + fmt.Sprint(n)
			})
			return nil
		}); err != nil {
			t.Fatalf("change %d on a full disk: %v", n, err)
		}
	}
	if err := s.Update(func(tx *store.Tx) error { store.Subnets.Delete(tx, "subnet-b"); return nil }); err != nil {
		t.Fatalf("deletion on a full disk: %v", err)
	}
	before := ids(store.Subnets.List(s.View()))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	if after := ids(store.Subnets.List(s.View())); len(after) != added || len(before) != added {
		t.Errorf("%d additions succeeded; %d rows before, %d after reopening", added-1, len(before), len(after))
	}
	if err := add(s, "subnet-late"); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("addition to a full disk after reopening: %v", err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := add(s, "subnet-late"); err != nil {
		t.Errorf("addition when there is room again: %v", err)
	}
}

func add(s *store.Store, id string) error {
	return s.Update(func(tx *store.Tx) error {
		store.Subnets.Put(tx, &store.Subnet{ID: id, VPCID: strings.Repeat("x", 3000)})
		return nil
	})
}

// fill fills the disk of a new file.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
}
