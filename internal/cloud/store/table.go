package store

import (
	"encoding/json"
	"fmt"

	"github.com/hashicorp/go-memdb"
)

// Watchable is a table, as View.Changed takes it.
type Watchable interface{ name() string }

// Table is one kind of row, T, found by its key and by named indexes.
type Table[T any] struct {
	title   string
	key     func(*T) string
	indexes map[string]func(*T) []string
}

func newTable[T any](title string, key func(*T) string, indexes map[string]func(*T) []string) Table[T] {
	return Table[T]{title: title, key: key, indexes: indexes}
}

func (t Table[T]) name() string { return t.title }

// Get returns the row with the key, and whether there is one.
func (t Table[T]) Get(r Reader, key string) (*T, bool) {
	row, err := r.read().First(t.title, "id", key)
	if err != nil || row == nil {
		return nil, false
	}
	return row.(*T), true
}

// List returns all rows in the order of their keys.
func (t Table[T]) List(r Reader) []*T { return t.collect(r, "id") }

// By returns the rows that the named index files under value, in the order of
// their keys. It panics when the table has no such index: a programming error.
func (t Table[T]) By(r Reader, index, value string) []*T {
	if _, ok := t.indexes[index]; !ok {
		panic(fmt.Sprintf("store: table %s has no index %q", t.title, index))
	}
	return t.collect(r, index, value)
}

func (t Table[T]) collect(r Reader, index string, args ...any) []*T {
	it, err := r.read().Get(t.title, index, args...)
	if err != nil {
		panic(fmt.Sprintf("store: read table %s by %s: %v", t.title, index, err))
	}
	var rows []*T
	for raw := it.Next(); raw != nil; raw = it.Next() {
		rows = append(rows, raw.(*T))
	}
	return rows
}

// Put stores row, in place of the one with its key if there is one. The row
// must not be changed afterwards.
func (t Table[T]) Put(tx *Tx, row *T) {
	if err := tx.txn.Insert(t.title, row); err != nil {
		panic(fmt.Sprintf("store: put into table %s: %v", t.title, err))
	}
}

// Delete removes the row with the key, if there is one.
func (t Table[T]) Delete(tx *Tx, key string) {
	row, ok := t.Get(tx, key)
	if !ok {
		return
	}
	if err := tx.txn.Delete(t.title, row); err != nil {
		panic(fmt.Sprintf("store: delete from table %s: %v", t.title, err))
	}
}

// Edit stores a copy of the row with the key, as changed by edit, and tells
// whether there was such a row. edit must replace slices and maps, not write
// into them: they are shared with the old row.
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

// table is what the store itself needs of a Table, whatever its row.
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

func (t Table[T]) schema() *memdb.TableSchema {
	s := &memdb.TableSchema{Name: t.title, Indexes: map[string]*memdb.IndexSchema{
		"id": {Name: "id", Unique: true, Indexer: keyIndex[T](t.key)},
	}}
	for name, of := range t.indexes {
		s.Indexes[name] = &memdb.IndexSchema{Name: name, AllowMissing: true, Indexer: valuesIndex[T](of)}
	}
	return s
}

type keyIndex[T any] func(*T) string

func (k keyIndex[T]) FromObject(row any) (bool, []byte, error) {
	key := k(row.(*T))
	return key != "", terminated(key), nil
}

func (keyIndex[T]) FromArgs(args ...any) ([]byte, error) { return fromArgs(args) }

type valuesIndex[T any] func(*T) []string

func (v valuesIndex[T]) FromObject(row any) (bool, [][]byte, error) {
	var out [][]byte
	for _, value := range v(row.(*T)) {
		if value != "" {
			out = append(out, terminated(value))
		}
	}
	return len(out) > 0, out, nil
}

func (valuesIndex[T]) FromArgs(args ...any) ([]byte, error) { return fromArgs(args) }

func fromArgs(args []any) ([]byte, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("an index takes one value, got %d", len(args))
	}
	value, ok := args[0].(string)
	if !ok {
		return nil, fmt.Errorf("an index takes a string, got %T", args[0])
	}
	return terminated(value), nil
}

// terminated ends a value with a zero byte, so that no value is a prefix of
// another in the radix tree.
func terminated(value string) []byte { return append([]byte(value), 0) }

func schema() *memdb.DBSchema {
	s := &memdb.DBSchema{Tables: make(map[string]*memdb.TableSchema, len(tables))}
	for _, t := range tables {
		s.Tables[t.name()] = t.schema()
	}
	return s
}

func byName(name string) table {
	for _, t := range tables {
		if t.name() == name {
			return t
		}
	}
	panic("store: unknown table " + name)
}
