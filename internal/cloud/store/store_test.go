package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/cloud/store"
)

func open(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func put(t *testing.T, s *store.Store, rows ...*store.Subnet) {
	t.Helper()
	if err := s.Update(func(tx *store.Tx) error {
		for _, row := range rows {
			store.Subnets.Put(tx, row)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func ids(rows []*store.Subnet) []string {
	var out []string
	for _, r := range rows {
		out = append(out, r.ID)
	}
	return out
}

func TestCommittedRowsAreThereAfterReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, path)
	put(
		t,
		s,
		&store.Subnet{ID: "subnet-1", Region: "r", VPCID: "vpc-1", Tags: store.Tags{"k": "v"}},
		&store.Subnet{ID: "subnet-2", Region: "r", VPCID: "vpc-2"},
	)
	if err := s.Update(func(tx *store.Tx) error { store.Subnets.Delete(tx, "subnet-2"); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	want := []*store.Subnet{{ID: "subnet-1", Region: "r", VPCID: "vpc-1", Tags: store.Tags{"k": "v"}}}
	same := cmp.Comparer(func(a, b store.Subnet) bool { return a.ID == b.ID && cmp.Equal(a.Tags, b.Tags) })
	if diff := cmp.Diff(want, store.Subnets.List(s.View()), same); diff != "" {
		t.Error(diff)
	}
}

func TestOpeningADatabaseInUseReturnsErrLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	open(t, path)
	if _, err := store.Open(path); !errors.Is(err, store.ErrLocked) {
		t.Errorf("got %v, want ErrLocked", err)
	}
}

func TestAFailedUpdateCommitsNothing(t *testing.T) {
	s := open(t, "")
	boom := errors.New("boom")
	err := s.Update(func(tx *store.Tx) error {
		store.Subnets.Put(tx, &store.Subnet{ID: "subnet-1", Region: "r", VPCID: "v"})
		return boom
	})
	if !errors.Is(err, boom) {
		t.Errorf("got %v, want boom", err)
	}
	if got := store.Subnets.List(s.View()); len(got) != 0 {
		t.Errorf("got rows %v, want none", got)
	}
}

func TestAnIndexFindsRowsThatTheSameTransactionWrote(t *testing.T) {
	s := open(t, "")
	put(
		t,
		s,
		&store.Subnet{ID: "subnet-1", Region: "r", VPCID: "vpc-1"},
		&store.Subnet{ID: "subnet-2", Region: "r", VPCID: "vpc-10"},
	)
	err := s.Update(func(tx *store.Tx) error {
		store.Subnets.Put(tx, &store.Subnet{ID: "subnet-3", Region: "r", VPCID: "vpc-1"})
		if diff := cmp.Diff([]string{"subnet-1", "subnet-3"}, ids(store.SubnetsByVPC.List(tx, "vpc-1"))); diff != "" {
			t.Error(diff)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !cmp.Equal(ids(store.SubnetsByVPC.List(s.View(), "vpc-10")), []string{"subnet-2"}) {
		t.Error("vpc-1 is mistaken for vpc-10 or the reverse")
	}
}

func TestAViewIsImmutableAndReportsTheFirstChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "")
		view := s.View()
		done := make(chan error, 1)
		go func() { done <- view.Changed(context.Background(), store.VPCs, store.Subnets) }()
		synctest.Wait()
		select {
		case <-done:
			t.Fatal("Changed returned before a change")
		default:
		}
		put(t, s, &store.Subnet{ID: "subnet-1", Region: "r", VPCID: "vpc-1"})
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if len(store.Subnets.List(view)) != 0 {
			t.Error("the view contains the later change")
		}
	})
}
