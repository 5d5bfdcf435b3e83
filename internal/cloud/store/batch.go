package store

import "sync"

// batches collects changes that share a transaction.
type batches struct {
	mu   sync.Mutex
	next *batch // that the next callers join; nil: they begin one
}

// batch is the changes of one transaction.
type batch struct {
	changes []func(tx *Tx)
	done    chan struct{}
	err     error // valid when done is closed
}

// join adds a change to the batch that runs next. begun reports whether the change is
// its first.
func (b *batches) join(change func(tx *Tx)) (joined *batch, begun bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if begun = b.next == nil; begun {
		b.next = &batch{done: make(chan struct{})}
	}
	b.next.changes = append(b.next.changes, change)
	return b.next, begun
}

// close lets nobody join the next batch any longer.
func (b *batches) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next = nil
}

// Batch runs change in a transaction that it shares with the changes of other callers who
// wait for one at the same time, and returns when the transaction is committed. The
// changes run one after another and see each other's writes. If a write fails, Batch
// commits nothing and returns the write's error to all of them, as Update does.
func (s *Store) Batch(change func(tx *Tx)) error {
	b, begun := s.batches.join(change)
	if !begun {
		<-b.done
		return b.err
	}
	defer close(b.done)
	b.err = s.Update(func(tx *Tx) error {
		s.batches.close() // others have joined while this transaction waited for its turn
		for _, change := range b.changes {
			change(tx)
		}
		return nil
	})
	return b.err
}
