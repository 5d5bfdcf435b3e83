package store

import (
	"bytes"
	"fmt"

	"github.com/hashicorp/go-memdb"
)

// keyIndexName is the name of the index that every table has. memdb requires it.
const keyIndexName = "id"

// Index finds a table's rows by a property other than their key.
type Index[T any] struct {
	table Table[T]
	name  string
}

// List returns the rows that have the value, in the order of their keys.
func (i Index[T]) List(r Reader, value string) []*T { return i.table.collect(r, i.name, value) }

// within returns the rows whose value begins with a text, in the order of their values.
func (i Index[T]) within(r Reader, text string) []*T {
	return i.table.collect(r, i.name+"_prefix", text)
}

// Has reports whether a row has the value.
func (i Index[T]) Has(r Reader, value string) bool {
	row, err := r.read().First(i.table.title, i.name, value)
	return err == nil && row != nil
}

// indexBy adds an index of one value per row. Rows whose value is empty are not
// in it. Only the declarations of tables may call it.
func (t Table[T]) indexBy(name string, value func(*T) string) Index[T] {
	return t.indexByAll(name, func(row *T) []string { return []string{value(row)} })
}

// indexByAll adds an index of any number of values per row.
func (t Table[T]) indexByAll(name string, values func(*T) []string) Index[T] {
	t.indexes[name] = values
	return Index[T]{table: t, name: name}
}

// schema returns memdb's description of all tables.
func schema() *memdb.DBSchema {
	s := &memdb.DBSchema{Tables: make(map[string]*memdb.TableSchema, len(tables))}
	for _, t := range tables {
		s.Tables[t.name()] = t.schema()
	}
	return s
}

func (t Table[T]) schema() *memdb.TableSchema {
	s := &memdb.TableSchema{Name: t.title, Indexes: map[string]*memdb.IndexSchema{
		keyIndexName: {Name: keyIndexName, Unique: true, Indexer: keyIndexer[T](t.key)},
	}}
	for name, values := range t.indexes {
		s.Indexes[name] = &memdb.IndexSchema{Name: name, AllowMissing: true, Indexer: valuesIndexer[T](values)}
	}
	return s
}

type keyIndexer[T any] func(*T) string

func (k keyIndexer[T]) FromObject(row any) (bool, []byte, error) {
	key := k(row.(*T))
	return key != "", terminated(key), nil
}

func (keyIndexer[T]) FromArgs(args ...any) ([]byte, error) { return fromArgs(args) }

type valuesIndexer[T any] func(*T) []string

func (v valuesIndexer[T]) FromObject(row any) (bool, [][]byte, error) {
	var out [][]byte
	for _, value := range v(row.(*T)) {
		if value != "" {
			out = append(out, terminated(value))
		}
	}
	return len(out) > 0, out, nil
}

func (valuesIndexer[T]) FromArgs(args ...any) ([]byte, error) { return fromArgs(args) }

func (valuesIndexer[T]) PrefixFromArgs(args ...any) ([]byte, error) {
	value, err := fromArgs(args)
	return bytes.TrimSuffix(value, []byte{0}), err
}

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

// terminated appends a zero byte to the value, so that no value is a prefix of
// another in the radix tree.
func terminated(value string) []byte { return append([]byte(value), 0) }
