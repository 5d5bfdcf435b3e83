package resource

import "context"

// pager is a paginator of the SDK.
type pager[Page, Options any] interface {
	HasMorePages() bool
	NextPage(context.Context, ...func(*Options)) (Page, error)
}

// collect reads all pages and gives the items of each, described.
func collect[Item, Page, Options, Described any](
	ctx context.Context,
	pages pager[Page, Options],
	items func(Page) []Item,
	describe func(Item) Described,
) ([]Described, error) {
	var all []Described
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, item := range items(page) {
			all = append(all, describe(item))
		}
	}
	return all, nil
}
