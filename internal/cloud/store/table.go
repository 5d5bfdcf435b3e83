package store

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"

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

// content returns what the table holds for a reader.
func (t Table[T]) content(r Reader) *rows[T] { return r.content(t.title).(*rows[T]) }

// Get returns the row with the key and reports whether it exists.
func (t Table[T]) Get(r Reader, key string) (*T, bool) { return t.content(r).byKey.Get(key) }

// List returns all rows in the order of their keys.
func (t Table[T]) List(r Reader) []*T { return t.content(r).byKey.Values() }

// noRegion is the region of rows that belong to other rows.
func noRegion[T any](*T) identity.Region { return "" }

// InRegion returns the region's rows in the order of their keys. It looks at all rows: nearly all
// are of one region, and an index would take as much memory as the rows themselves.
func (t Table[T]) InRegion(r Reader, region identity.Region) []*T {
	return slices.DeleteFunc(t.List(r), func(row *T) bool { return t.region(row) != region })
}

// From iterates over the rows whose keys are not before a key, in the order of their keys. It
// does not see what a transaction changes meanwhile.
func (t Table[T]) From(r Reader, key string) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		byKey := t.content(r).byKey
		if _, writing := r.(*Tx); writing {
			byKey = byKey.Copy()
		}
		byKey.Ascend(key, func(_ string, row *T) bool { return yield(row) })
	}
}

// Put stores the row. It replaces the row with the same key, if one exists. The
// caller must not change the row afterwards. A row without a key makes the
// transaction fail: Update returns the error and commits nothing.
func (t Table[T]) Put(tx *Tx, row *T) {
	key := t.key(row)
	if key == "" {
		tx.fail(fmt.Errorf("put a row into table %s: it has no key", t.title))
		return
	}
	old := tx.writable(t.title).(*rows[T]).put(key, row, t.indexes)
	tx.record(t.title, key, old != nil, row)
}

// Delete removes the row with the key, if it exists.
func (t Table[T]) Delete(tx *Tx, key string) {
	if _, ok := t.Get(tx, key); !ok {
		return
	}
	tx.writable(t.title).(*rows[T]).put(key, nil, t.indexes)
	tx.record(t.title, key, true, nil)
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
	empty() content
	load(tx *Tx, value []byte) error
}

// load puts a row as it is on disk.
func (t Table[T]) load(tx *Tx, value []byte) error {
	row := new(T)
	if err := json.Unmarshal(value, row); err != nil {
		return err
	}
	t.Put(tx, row)
	return nil
}
