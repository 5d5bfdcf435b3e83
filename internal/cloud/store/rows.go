package store

import (
	"slices"

	"github.com/tidwall/btree"
)

// content is the contents of a table, whatever the type of its rows. Once a View has it, nobody
// changes it: a transaction changes a copy, which shares all that stays the same.
type content interface {
	copy() content
	// replacement returns a channel that is closed when a commit replaces the content.
	replacement() chan struct{}
}

// rows is the content of a Table.
type rows[T any] struct {
	byKey    *btree.Map[string, *T]
	byValue  map[string]*btree.BTreeG[entry] // by the names of the indexes
	replaced chan struct{}
}

// entry is an index's entry for one value of one row.
type entry struct{ value, key string }

func (e entry) before(other entry) bool {
	if e.value != other.value {
		return e.value < other.value
	}
	return e.key < other.key
}

func (t Table[T]) empty() content {
	r := &rows[T]{
		byKey: &btree.Map[string, *T]{}, byValue: map[string]*btree.BTreeG[entry]{}, replaced: make(chan struct{}),
	}
	for name := range t.indexes {
		// A View's readers never write, and one transaction runs at a time.
		r.byValue[name] = btree.NewBTreeGOptions(entry.before, btree.Options{NoLocks: true})
	}
	return r
}

func (r *rows[T]) replacement() chan struct{} { return r.replaced }

func (r *rows[T]) copy() content {
	c := &rows[T]{
		byKey: r.byKey.Copy(), byValue: make(map[string]*btree.BTreeG[entry], len(r.byValue)),
		replaced: make(chan struct{}),
	}
	for name, entries := range r.byValue {
		c.byValue[name] = entries.Copy()
	}
	return c
}

// put stores the row with a key, or removes it if row is nil. It returns the row that was there,
// or nil.
func (r *rows[T]) put(key string, row *T, indexes map[string]func(*T) []string) (old *T) {
	if row == nil {
		old, _ = r.byKey.Delete(key)
	} else {
		old, _ = r.byKey.Set(key, row)
	}
	for name, values := range indexes {
		var before, after []string
		if old != nil {
			before = values(old)
		}
		if row != nil {
			after = values(row)
		}
		for _, value := range before {
			if !slices.Contains(after, value) {
				r.byValue[name].Delete(entry{value, key})
			}
		}
		for _, value := range after {
			if value != "" && !slices.Contains(before, value) {
				r.byValue[name].Set(entry{value, key})
			}
		}
	}
	return old
}
