package store_test

import (
	"path/filepath"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestARowWithoutAKeyFailsTheWholeUpdate(t *testing.T) {
	for name, write := range map[string]func(tx *store.Tx){
		"Put":  func(tx *store.Tx) { store.Subnets.Put(tx, &store.Subnet{Region: "r"}) },
		"Edit": func(tx *store.Tx) { store.Subnets.Edit(tx, "subnet-1", func(row *store.Subnet) { row.ID = "" }) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "db")
			s := open(t, path)
			err := s.Update(func(tx *store.Tx) error {
				store.Subnets.Put(tx, &store.Subnet{ID: "subnet-1", Region: "r"})
				write(tx)
				store.Subnets.Put(tx, &store.Subnet{ID: "subnet-2", Region: "r"})
				return nil
			})
			if err == nil || !strings.Contains(err.Error(), "put a row into table subnets") {
				t.Errorf("got %v, want an error that names the table", err)
			}
			if rows := store.Subnets.List(s.View()); len(rows) != 0 {
				t.Errorf("%d rows in memory, want none", len(rows))
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if rows := store.Subnets.List(open(t, path).View()); len(rows) != 0 {
				t.Errorf("%d rows on disk, want none", len(rows))
			}
		})
	}
}

func TestAnUpdateAfterAFailedOneSucceeds(t *testing.T) {
	s := open(t, "")
	if err := s.Update(func(tx *store.Tx) error { store.Subnets.Put(tx, &store.Subnet{}); return nil }); err == nil {
		t.Fatal("a row without a key is accepted")
	}
	put(t, s, &store.Subnet{ID: "subnet-1", Region: "r"})
	if rows := store.Subnets.InRegion(s.View(), "r"); len(rows) != 1 {
		t.Errorf("%d rows, want 1", len(rows))
	}
}
