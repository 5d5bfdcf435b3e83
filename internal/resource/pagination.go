package resource

import "context"

// pager is a paginator of the SDK.
type pager[Page, Options any] interface {
	HasMorePages() bool
	NextPage(context.Context, ...func(*Options)) (Page, error)
}

// collect returns the items of all pages.
func collect[Item, Page, Options any](
	ctx context.Context,
	pages pager[Page, Options],
	items func(Page) []Item,
) ([]Item, error) {
	var all []Item
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, items(page)...)
	}
	return all, nil
}

// describe returns a description of each item.
func describe[Item, Described any](items []Item, describe func(Item) Described) []Described {
	var all []Described
	for _, item := range items {
		all = append(all, describe(item))
	}
	return all
}
