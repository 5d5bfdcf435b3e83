// Package store is the local cloud's database: typed, indexed tables in memory
// with transactions. A commit is on disk before readers can see it.
//
// API handlers write the desired state. Control loops read it, change the planes
// to match, and write the observed state, which has fields of its own in each
// row. A stored row is immutable: to change one, Put a copy.
package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"go.etcd.io/bbolt"
)

// ErrLocked is returned when another process has the database open.
var ErrLocked = errors.New("the database is in use by another process")

// Store is a database. Use Open to get one.
type Store struct {
	writing sync.Mutex // held by the transaction that runs
	current atomic.Pointer[View]
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
func Open(path string) (_ *Store, err error) {
	s := &Store{}
	empty := &View{contents: make(map[string]content, len(tables))}
	for _, t := range tables {
		empty.contents[t.name()] = t.empty()
	}
	s.current.Store(empty)
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
	tx := &Tx{base: s.View()}
	err := s.disk.View(func(disk *bbolt.Tx) error {
		for _, t := range tables {
			bucket := disk.Bucket([]byte(t.name()))
			if bucket == nil {
				continue
			}
			if err := bucket.ForEach(func(key, value []byte) error {
				if err := t.load(tx, value); err != nil {
					return fmt.Errorf("load %s %s: %w", t.name(), key, err)
				}
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, tx.err); err != nil {
		return err
	}
	s.commit(tx)
	return nil
}

// Reader is a consistent view of all tables: a View or a Tx.
type Reader interface {
	// content returns what the table with a name holds.
	content(table string) content
}

// View is an immutable snapshot of all tables.
type View struct{ contents map[string]content }

func (s *View) content(table string) content { return s.contents[table] }

// View returns a snapshot of the tables. It need not be closed.
func (s *Store) View() *View { return s.current.Load() }

// Changed waits until one of the tables differs from the view or ctx ends. It
// returns at once if a table already differs.
func (s *View) Changed(ctx context.Context, of ...Watchable) error {
	cases := []reflect.SelectCase{{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ctx.Done())}}
	for _, t := range of {
		replaced := reflect.ValueOf(s.content(t.name()).replacement())
		cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: replaced})
	}
	if chosen, _, _ := reflect.Select(cases); chosen == 0 {
		return ctx.Err()
	}
	return nil
}

// Update runs change in a transaction and commits its writes, first to disk and
// then for readers. If change returns an error, Update commits nothing and
// returns that error as it is. If a write fails, Update commits nothing and
// returns the write's error. It wraps syscall.ENOSPC if the disk is full: then
// rows can still be changed and deleted, but not added. Only one transaction runs at a time, so change must
// not do anything slow.
func (s *Store) Update(change func(tx *Tx) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	tx := &Tx{base: s.View()}
	if err := change(tx); err != nil {
		return err
	}
	if tx.err != nil || len(tx.changes) == 0 {
		return tx.err
	}
	if err := s.persist(tx.changes); err != nil {
		return err
	}
	s.remember()
	s.commit(tx)
	return nil
}

// commit makes readers see what a transaction wrote.
func (s *Store) commit(tx *Tx) {
	next := &View{contents: maps.Clone(tx.base.contents)}
	maps.Copy(next.contents, tx.written)
	s.current.Store(next)
	for name := range tx.written {
		close(tx.base.content(name).replacement())
	}
}

// persist writes the changes to disk in one transaction.
func (s *Store) persist(changes []change) error {
	if s.disk == nil {
		return nil
	}
	err := s.disk.Update(func(tx *bbolt.Tx) error {
		if err := s.reserve.complete(tx); err != nil && slices.ContainsFunc(changes, change.adds) {
			return err
		}
		for _, c := range changes {
			if err := c.persist(tx); err != nil {
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
