package store

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"

	"github.com/hashicorp/go-memdb"

	"aloft.dev/aloft/internal/cloud/identity"
)

// Watchable is a table whose changes View.Changed can wait for.
type Watchable interface{ name() string }

// Table contains rows of one type, T. Each row has a unique key and a region.
type Table[T any] struct {
	title   string
	key     func(*T) string
	region  func(*T) identity.Region
	indexes map[string]func(*T) []string
}

// newTable returns a table. title is also the name of its bucket on disk.
func newTable[T any](title string, key func(*T) string, region func(*T) identity.Region) Table[T] {
	return Table[T]{title: title, key: key, region: region, indexes: map[string]func(*T) []string{}}
}

func (t Table[T]) name() string { return t.title }

// Get returns the row with the key and reports whether it exists.
func (t Table[T]) Get(r Reader, key string) (*T, bool) {
	row, err := r.read().First(t.title, keyIndexName, key)
	if err != nil || row == nil {
		return nil, false
	}
	return row.(*T), true
}

// List returns all rows in the order of their keys.
func (t Table[T]) List(r Reader) []*T { return t.collect(r, keyIndexName) }

// noRegion is the region of rows that belong to other rows.
func noRegion[T any](*T) identity.Region { return "" }

// InRegion returns the region's rows in the order of their keys. It looks at all rows: nearly all
// are of one region, and an index would take as much memory as the rows themselves.
func (t Table[T]) InRegion(r Reader, region identity.Region) []*T {
	return slices.DeleteFunc(t.List(r), func(row *T) bool { return t.region(row) != region })
}

func (t Table[T]) collect(r Reader, index string, args ...any) []*T {
	it, err := r.read().Get(t.title, index, args...)
	if err != nil {
		// memdb reports an unknown table or index and an argument that is not
		// one string. Table's and Index's methods cannot ask for these.
		return nil
	}
	var rows []*T
	for raw := it.Next(); raw != nil; raw = it.Next() {
		rows = append(rows, raw.(*T))
	}
	return rows
}

// From iterates over the rows whose keys are not before a key, in the order of their keys.
func (t Table[T]) From(r Reader, key string) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		rows, err := r.read().LowerBound(t.title, keyIndexName, key)
		if err != nil {
			return // as in collect
		}
		for raw := rows.Next(); raw != nil; raw = rows.Next() {
			if !yield(raw.(*T)) {
				return
			}
		}
	}
}

// Put stores the row. It replaces the row with the same key, if one exists. The
// caller must not change the row afterwards. A row without a key makes the
// transaction fail: Update returns the error and commits nothing.
func (t Table[T]) Put(tx *Tx, row *T) {
	if err := tx.txn.Insert(t.title, row); err != nil {
		tx.fail(fmt.Errorf("put a row into table %s: %w", t.title, err))
	}
}

// Delete removes the row with the key, if it exists.
func (t Table[T]) Delete(tx *Tx, key string) {
	row, ok := t.Get(tx, key)
	if !ok {
		return
	}
	if err := tx.txn.Delete(t.title, row); err != nil {
		tx.fail(fmt.Errorf("delete %s from table %s: %w", key, t.title, err))
	}
}

// Edit stores a copy of the row with the key after edit has changed the copy.
// It reports whether the row exists. edit must replace slices and maps instead
// of writing into them, because the copy shares them with the old row.
func (t Table[T]) Edit(tx *Tx, key string, edit func(row *T)) bool {
	old, ok := t.Get(tx, key)
	if !ok {
		return false
	}
	row := *old
	edit(&row)
	t.Put(tx, &row)
	return true
}

// table is a Table of any row type, as the store itself uses it.
type table interface {
	name() string
	schema() *memdb.TableSchema
	decode([]byte) (any, error)
	keyOf(row any) string
}

func (t Table[T]) decode(value []byte) (any, error) {
	row := new(T)
	if err := json.Unmarshal(value, row); err != nil {
		return nil, err
	}
	return row, nil
}

func (t Table[T]) keyOf(row any) string { return t.key(row.(*T)) }
