package iam

import (
	"cmp"
	"slices"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/api/page"
)

// The size of pages.
const (
	defaultItems = 100
	maxItems     = 1000
)

// markers starts the markers of the API's pages.
const markers page.Prefix = "after "

// list is a page of a list.
type list[T any] struct {
	items  []T
	more   bool
	marker *string // of the next page
}

// paginate returns the page that a request wants of the rows, in the order of a key.
func paginate[T any](rows []T, key func(T) string, marker *string, size *int32) (list[T], error) {
	if err := model.Between("maxItems", size, 1, maxItems); err != nil {
		return list[T]{}, err
	}
	last, ok := markers.Last(marker)
	if !ok {
		return list[T]{}, model.Errorf("Invalid Marker.")
	}
	slices.SortFunc(rows, func(a, b T) int { return cmp.Compare(key(a), key(b)) })
	items, next := page.First(markers, page.After(rows, last, key), int(constraint.Default(size, defaultItems)), key)
	return list[T]{items: items, more: next != nil, marker: next}, nil
}

// convert returns what describe makes of each item. Lists of responses are not nil.
func convert[T, U any](items []T, describe func(T) U) []U {
	out := make([]U, 0, len(items))
	for _, item := range items {
		out = append(out, describe(item))
	}
	return out
}

// itself is the key of texts.
func itself(text string) string { return text }
