// Package store is the local cloud's database: typed, indexed tables in memory
// with transactions. A commit is on disk before readers can see it.
//
// API handlers write the desired state. Control loops read it, change the planes
// to match, and write the observed state, which has fields of its own in each
// row. A stored row is immutable: to change one, Put a copy.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hashicorp/go-memdb"
	"go.etcd.io/bbolt"
)

// ErrLocked is returned when another process has the database open.
var ErrLocked = errors.New("the database is in use by another process")

// Store is a database. Use Open to get one.
type Store struct {
	mem     *memdb.MemDB
	disk    *bbolt.DB // nil: memory only
	reserve reserve
	past    history
	batches batches
}

// Open opens the database file at path and loads its rows. It creates a missing
// file and migrates a file of an older schema version. If path is empty, the
// store is in memory only, for tests. The error wraps ErrLocked if another
// process has the file open. That error, and those for a damaged file, a newer
// schema version and a failed migration, are a *diag.Diagnostic.
func Open(path string) (*Store, error) {
	mem, err := memdb.NewMemDB(schema())
	if err != nil {
		return nil, fmt.Errorf("build the store's schema: %w", err)
	}
	s := &Store{mem: mem}
	if path == "" {
		return s, nil
	}
	if s.disk, err = openFile(path, s.reserve.open); err != nil {
		return nil, err
	}
	if err := migrate(s.disk, migrations); err != nil {
		return nil, errors.Join(err, s.disk.Close())
	}
	if err := s.load(); err != nil {
		return nil, errors.Join(damaged(path, err), s.disk.Close())
	}
	return s, nil
}

// Close closes the database file.
func (s *Store) Close() error {
	if s.disk == nil {
		return nil
	}
	return s.disk.Close()
}

func (s *Store) load() error {
	txn := s.mem.Txn(true)
	defer txn.Abort()
	err := s.disk.View(func(tx *bbolt.Tx) error {
		for _, t := range tables {
			bucket := tx.Bucket([]byte(t.name()))
			if bucket == nil {
				continue
			}
			if err := bucket.ForEach(func(key, value []byte) error {
				row, err := t.decode(value)
				if err != nil {
					return fmt.Errorf("load %s %s: %w", t.name(), key, err)
				}
				return txn.Insert(t.name(), row)
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	txn.Commit()
	return nil
}

// Reader is a consistent view of all tables: a View or a Tx.
type Reader interface{ read() *memdb.Txn }

// View is an immutable snapshot of all tables.
type View struct{ txn *memdb.Txn }

func (s *View) read() *memdb.Txn { return s.txn }

// View returns a snapshot of the tables. It need not be closed.
func (s *Store) View() *View { return &View{txn: s.mem.Txn(false)} }

// Changed waits until one of the tables differs from the view or ctx ends. It
// returns at once if a table already differs.
func (s *View) Changed(ctx context.Context, of ...Watchable) error {
	ws := memdb.NewWatchSet()
	for _, t := range of {
		it, err := s.txn.Get(t.name(), "id")
		if err != nil {
			return fmt.Errorf("watch %s: %w", t.name(), err)
		}
		ws.Add(it.WatchCh())
	}
	return ws.WatchCtx(ctx)
}

// Tx is a transaction. It sees its own writes.
type Tx struct {
	txn *memdb.Txn
	err error // of the first write that failed
}

// fail makes Update return err and commit nothing, unless an earlier write failed.
func (tx *Tx) fail(err error) {
	if tx.err == nil {
		tx.err = err
	}
}

func (tx *Tx) read() *memdb.Txn { return tx.txn }

// Update runs change in a transaction and commits its writes, first to disk and
// then for readers. If change returns an error, Update commits nothing and
// returns that error as it is. If a write fails, Update commits nothing and
// returns the write's error. It wraps syscall.ENOSPC if the disk is full: then
// rows can still be changed and deleted, but not added. Only one transaction runs at a time, so change must
// not do anything slow.
func (s *Store) Update(change func(tx *Tx) error) error {
	txn := s.mem.Txn(true)
	defer txn.Abort()
	txn.TrackChanges()
	tx := &Tx{txn: txn}
	if err := change(tx); err != nil {
		return err
	}
	if tx.err != nil {
		return tx.err
	}
	changes := txn.Changes()
	if err := s.persist(changes); err != nil {
		return err
	}
	if len(changes) > 0 {
		s.remember()
	}
	txn.Commit()
	return nil
}

// persist writes the changes to disk in one transaction.
func (s *Store) persist(changes memdb.Changes) error {
	if s.disk == nil || len(changes) == 0 {
		return nil
	}
	err := s.disk.Update(func(tx *bbolt.Tx) error {
		if err := s.reserve.complete(tx); err != nil && adds(changes) {
			return err
		}
		for _, c := range changes {
			if err := persistChange(tx, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write the change to disk: %w", err)
	}
	return nil
}

func persistChange(tx *bbolt.Tx, c memdb.Change) error {
	t := tableNamed(c.Table)
	if t == nil {
		return fmt.Errorf("table %s is unknown", c.Table)
	}
	bucket, err := tx.CreateBucketIfNotExists([]byte(c.Table))
	if err != nil {
		return err
	}
	if c.Deleted() {
		return bucket.Delete([]byte(t.keyOf(c.Before)))
	}
	value, err := json.Marshal(c.After)
	if err != nil {
		return err
	}
	return bucket.Put([]byte(t.keyOf(c.After)), value)
}
