package store

import "strings"

// Index finds a table's rows by a property other than their key.
type Index[T any] struct {
	table Table[T]
	name  string
}

// List returns the rows that have the value, in the order of their keys.
func (i Index[T]) List(r Reader, value string) []*T {
	return i.collect(r, value, func(of string) bool { return of == value })
}

// within returns the rows whose value begins with a text, in the order of their values.
func (i Index[T]) within(r Reader, text string) []*T {
	return i.collect(r, text, func(of string) bool { return strings.HasPrefix(of, text) })
}

// collect returns the rows of the entries from a value on, for as long as their values match.
func (i Index[T]) collect(r Reader, from string, matches func(value string) bool) (found []*T) {
	content := i.table.content(r)
	content.byValue[i.name].Ascend(entry{value: from}, func(e entry) bool {
		if !matches(e.value) {
			return false
		}
		row, _ := content.byKey.Get(e.key)
		found = append(found, row)
		return true
	})
	return found
}

// Has reports whether a row has the value.
func (i Index[T]) Has(r Reader, value string) (has bool) {
	i.table.content(r).byValue[i.name].Ascend(entry{value: value}, func(e entry) bool {
		has = e.value == value
		return false
	})
	return has
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
