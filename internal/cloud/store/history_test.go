package store_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/cloud/store"
)

func subnetsAt(s *store.Store, ago time.Duration) []string {
	return ids(store.Subnets.List(s.ViewAt(time.Now().Add(-ago))))
}

func TestTheStoreRemembersItsRecentStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "")
		depth := 10 * time.Second
		s.KeepHistory(func() time.Duration { return depth })
		want := func(ago time.Duration, want ...string) {
			t.Helper()
			if diff := cmp.Diff(want, subnetsAt(s, ago)); diff != "" {
				t.Errorf("%s ago (-want +got):\n%s", ago, diff)
			}
		}
		put(t, s, &store.Subnet{ID: "a", Region: "r"})
		time.Sleep(time.Second)
		put(t, s, &store.Subnet{ID: "b", Region: "r"})
		time.Sleep(time.Second)
		put(t, s, &store.Subnet{ID: "c", Region: "r"})
		time.Sleep(time.Second)
		want(0, "a", "b", "c")
		want(time.Second, "a", "b", "c")
		want(1500*time.Millisecond, "a", "b")
		want(2*time.Second, "a", "b")
		want(2500*time.Millisecond, "a")
		want(time.Minute)

		time.Sleep(depth)
		put(t, s, &store.Subnet{ID: "d", Region: "r"})
		want(time.Second, "a", "b", "c")
		want(time.Minute, "a", "b", "c") // what was longer ago is forgotten

		s.ForgetHistory()
		want(time.Second, "a", "b", "c", "d")

		depth = 0
		put(t, s, &store.Subnet{ID: "e", Region: "r"})
		want(time.Second, "a", "b", "c", "d", "e")
	})
}

func TestReadersSeeTheViewOfTheirContext(t *testing.T) {
	s := open(t, "")
	before := s.View()
	put(t, s, &store.Subnet{ID: "a", Region: "r"})
	if got := ids(store.Subnets.List(s.Read(t.Context()))); len(got) != 1 {
		t.Errorf("without a view: got %v, want the present", got)
	}
	if got := ids(store.Subnets.List(s.Read(store.WithView(t.Context(), before)))); len(got) != 0 {
		t.Errorf("with a view of the past: got %v", got)
	}
}

func TestStatesOfThePastAreReadWhileTheStoreChanges(t *testing.T) {
	s := open(t, "")
	s.KeepHistory(func() time.Duration { return time.Millisecond })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for ctx.Err() == nil {
				seen := subnetsAt(s, 500*time.Microsecond)
				if len(seen) > 0 && seen[0] != "a" {
					t.Errorf("read %v", seen)
				}
			}
		})
	}
	for i := range 500 {
		put(t, s, &store.Subnet{ID: "a", Region: "r", VPCID: time.Duration(i).String()})
	}
	cancel()
	readers.Wait()
}
