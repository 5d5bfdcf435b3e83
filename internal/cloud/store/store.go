// Package store keeps the local cloud's rows: typed tables in memory, indexed
// and transactional, with every commit durable on disk before it is seen.
//
// API handlers write what is wanted; the control loops read it, make it so and
// write what they observed. Wanted and observed are different fields of a row.
// Rows are immutable once stored: a change is a copy that is Put.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-memdb"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// ErrLocked tells that another process has the database open.
var ErrLocked = errors.New("the database is in use by another process")

// Store is a set of tables. Use Open.
type Store struct {
	mem  *memdb.MemDB
	disk *bbolt.DB // nil: memory only
}

// Open opens the database file at path, makes it when it is missing, and loads
// its rows. An empty path gives a store in memory alone, for tests.
// It returns ErrLocked (wrapped) when another process holds the file.
func Open(path string) (*Store, error) {
	mem, err := memdb.NewMemDB(schema())
	if err != nil {
		return nil, fmt.Errorf("build the store's schema: %w", err)
	}
	s := &Store{mem: mem}
	if path == "" {
		return s, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("create the folder of %s: %w", path, err)
	}
	s.disk, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second, FreelistType: bbolt.FreelistMapType})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("open %s: %w", path, ErrLocked)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if err := migrate(s.disk, migrations); err != nil {
		return nil, errors.Join(err, s.disk.Close())
	}
	if err := s.load(); err != nil {
		return nil, errors.Join(err, s.disk.Close())
	}
	return s, nil
}

// Close releases the database file.
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

// A Reader is a consistent view of all tables: a View or a running Tx.
type Reader interface{ read() *memdb.Txn }

// View is the tables at one moment.
type View struct{ txn *memdb.Txn }

func (s *View) read() *memdb.Txn { return s.txn }

// View returns the tables as they are now. It needs no release.
func (s *Store) View() *View { return &View{txn: s.mem.Txn(false)} }

// Changed waits until one of the tables differs from the view, or ctx ends.
// It returns at once when it already does.
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

// Tx is a running change. It sees its own writes.
type Tx struct{ txn *memdb.Txn }

func (tx *Tx) read() *memdb.Txn { return tx.txn }

// Update runs change and commits what it wrote: first to disk, then for
// readers. When change returns an error nothing is kept and the error is
// returned as it is. Changes run one after the other: do nothing slow in one.
func (s *Store) Update(change func(tx *Tx) error) error {
	txn := s.mem.Txn(true)
	defer txn.Abort()
	txn.TrackChanges()
	if err := change(&Tx{txn: txn}); err != nil {
		return err
	}
	if err := s.persist(txn.Changes()); err != nil {
		return err
	}
	txn.Commit()
	return nil
}

func (s *Store) persist(changes memdb.Changes) error {
	if s.disk == nil || len(changes) == 0 {
		return nil
	}
	err := s.disk.Update(func(tx *bbolt.Tx) error {
		for _, c := range changes {
			t := byName(c.Table)
			bucket, err := tx.CreateBucketIfNotExists([]byte(c.Table))
			if err != nil {
				return err
			}
			if c.Deleted() {
				if err := bucket.Delete([]byte(t.keyOf(c.Before))); err != nil {
					return err
				}
				continue
			}
			value, err := json.Marshal(c.After)
			if err != nil {
				return err
			}
			if err := bucket.Put([]byte(t.keyOf(c.After)), value); err != nil {
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
