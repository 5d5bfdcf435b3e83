package store

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"
)

// waiting returns how many changes wait for the next transaction of a batch.
func (b *batches) waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == nil {
		return 0
	}
	return len(b.next.changes)
}

func TestChangesThatWaitShareATransaction(t *testing.T) {
	const changes = 20
	s, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	commits := 0
	s.KeepHistory(func() (none time.Duration) { commits++; return none })
	var running sync.WaitGroup
	if err := s.Update(func(tx *Tx) error {
		Subnets.Put(tx, &Subnet{ID: "subnet-first", Region: "r"})
		for n := range changes {
			running.Go(func() {
				id := fmt.Sprintf("subnet-%d", n)
				if err := s.Batch(func(tx *Tx) { Subnets.Put(tx, &Subnet{ID: id, Region: "r"}) }); err != nil {
					t.Error(err)
				}
				if _, ok := Subnets.Get(s.View(), id); !ok {
					t.Errorf("%s is not there when Batch returns", id)
				}
			})
		}
		for s.batches.waiting() < changes {
			runtime.Gosched()
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	running.Wait()
	if commits != 2 {
		t.Errorf("the changes had %d transactions, want 2", commits)
	}
}

func TestABatchWithABadWriteCommitsNothing(t *testing.T) {
	s, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Batch(func(tx *Tx) {
		Subnets.Put(tx, &Subnet{ID: "subnet-1", Region: "r"})
		Subnets.Put(tx, &Subnet{Region: "r"}) // it has no key
	}); err == nil {
		t.Error("Batch returned no error")
	}
	if rows := Subnets.List(s.View()); len(rows) != 0 {
		t.Errorf("%d rows were stored", len(rows))
	}
	if err := s.Batch(func(tx *Tx) { Subnets.Put(tx, &Subnet{ID: "subnet-2"}) }); err != nil {
		t.Errorf("the next batch: %v", err)
	}
}
