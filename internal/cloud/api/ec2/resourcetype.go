package ec2

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// resourceType describes a type of resource: its table, its ids and errors, and its
// filters.
type resourceType[T any] struct {
	table         store.Table[T]
	kind          types.ResourceType
	prefix        string // "vpc-"
	notFoundCode  string // "InvalidVpcID.NotFound"
	notFoundText  string // message of that error before the id: "The vpc ID"
	notFoundEnd   string // its end, if any
	malformedCode string // "InvalidGroupId.Malformed"; "": an id of any form is one that does not exist
	key           func(*T) (region identity.Region, id string)
	tags          func(*T) *store.Tags
	filters       filters[*T]
	// shared reports whether a row of another account is visible in a region; nil: none is.
	shared func(row *T, region identity.Region) bool
	// at returns a row as it appears at a time; nil: as it is stored.
	at func(row *T, at time.Time) *T
	// wellFormed reports whether an id has the form of the type's; nil: the prefix and hexadecimal
	// digits.
	wellFormed func(id string) bool
	// smallestPage is the least page size; 0: minResults.
	smallestPage int32
	// malformedText, if set, is the message of that error, with %s for the id.
	malformedText string
	// notFoundSeveral, if set, is the message of that error for several ids, with %s for them.
	notFoundSeveral string
	// notFoundMessage, if set, is the whole message of that error, with %s for the id.
	notFoundMessage string
}

// describeQuery holds the parameters that describe operations share.
type describeQuery struct {
	ids         []string
	idParameter string // the name of ids in errors
	filters     []types.Filter
	page        pageRequest
	at          time.Time // of the request
}

// checkID refuses an id that does not have the form of the type's.
func (t *resourceType[T]) checkID(id string) error {
	switch {
	case t.wellFormed == nil && identity.WellFormed(t.prefix, id), t.wellFormed != nil && t.wellFormed(id):
		return nil
	case t.malformedCode == "":
		return t.notFound(id)
	case t.malformedText != "":
		return wire.Errorf(t.malformedCode, t.malformedText, id)
	case strings.HasPrefix(id, t.prefix):
		return wire.Errorf(t.malformedCode, "Invalid id: \"%s\"", id)
	}
	return wire.Errorf(t.malformedCode, "Invalid id: \"%s\" (expecting \"%s...\")", id, t.prefix)
}

// get returns the row with the id that is visible in the region, or EC2's error for the type.
func (t *resourceType[T]) get(r store.Reader, region identity.Region, id string) (*T, error) {
	if err := t.checkID(id); err != nil {
		return nil, err
	}
	if row, ok := t.table.Get(r, id); ok && t.visible(row, region) {
		return t.seen(r, row, region), nil
	}
	return nil, t.notFound(id)
}

// visible reports whether a row is of a region, or is shared with its account.
func (t *resourceType[T]) visible(row *T, region identity.Region) bool {
	return t.owns(row, region) || t.shared != nil && t.shared(row, region)
}

// seen returns a row as it is seen in a region: each account has tags of its own on what is shared.
func (t *resourceType[T]) seen(r store.Reader, row *T, region identity.Region) *T {
	if t.owns(row, region) {
		return row
	}
	shared := *row
	*t.tags(&shared) = nil
	if own, ok := store.SharedTags.Get(r, region.Key(t.id(row))); ok {
		*t.tags(&shared) = own.Tags
	}
	return &shared
}

// owns reports whether a row is of a region.
func (t *resourceType[T]) owns(row *T, region identity.Region) bool {
	where, _ := t.key(row)
	return where == region
}

func (t *resourceType[T]) notFound(id string) error {
	if t.notFoundMessage != "" {
		return wire.Errorf(t.notFoundCode, t.notFoundMessage, id)
	}
	return wire.Errorf(t.notFoundCode, "%s '%s' does not exist%s", t.notFoundText, id, t.notFoundEnd)
}

// describe returns the rows that a describe operation selects, in the order of their
// ids, and the token of the next page.
func (t *resourceType[T]) describe(r store.Reader, region identity.Region, q describeQuery) ([]*T, *string, error) {
	if err := q.page.checkFrom(cmp.Or(t.smallestPage, minResults), q.idParameter, len(q.ids) > 0); err != nil {
		return nil, nil, err
	}
	if err := t.filters.check(q.filters); err != nil {
		return nil, nil, err
	}
	rows, err := t.find(r, region, q.ids)
	if err != nil {
		return nil, nil, err
	}
	var found []*T
	for _, row := range rows {
		if t.at != nil {
			row = t.at(row, q.at)
		}
		if t.filters.match(r, row, *t.tags(row), q.filters) {
			found = append(found, row)
		}
	}
	return paginate(q.page, found, t.id)
}

// find returns the rows with the ids, or all rows visible in the region if ids is empty.
func (t *resourceType[T]) find(r store.Reader, region identity.Region, ids []string) ([]*T, error) {
	switch {
	case len(ids) == 0 && t.shared == nil:
		return t.table.InRegion(r, region), nil
	case len(ids) == 0:
		rows := slices.DeleteFunc(t.table.List(r), func(row *T) bool { return !t.visible(row, region) })
		return list(rows, func(row *T) *T { return t.seen(r, row, region) }), nil
	}
	for _, id := range ids {
		if err := t.checkID(id); err != nil {
			return nil, err
		}
	}
	if err := t.severalNotFound(r, region, ids); err != nil {
		return nil, err
	}
	rows := make([]*T, 0, len(ids))
	seen := map[string]bool{}
	for _, id := range ids {
		row, err := t.get(r, region, id)
		if err != nil {
			return nil, err
		}
		if !seen[id] {
			rows = append(rows, row)
		}
		seen[id] = true
	}
	return rows, nil
}

// severalNotFound returns the error for several ids that do not exist, if the type has one.
func (t *resourceType[T]) severalNotFound(r store.Reader, region identity.Region, ids []string) error {
	if t.notFoundSeveral == "" {
		return nil
	}
	var unknown []string
	for _, id := range ids {
		if _, err := t.get(r, region, id); err != nil && !slices.Contains(unknown, id) {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) < 2 {
		return nil
	}
	return wire.Errorf(t.notFoundCode, t.notFoundSeveral, strings.Join(unknown, ", "))
}

func (t *resourceType[T]) id(row *T) string {
	_, id := t.key(row)
	return id
}

// dependencyViolation returns the error for deleting a resource that others use.
func dependencyViolation(kind, id string) error {
	return wire.Errorf("DependencyViolation", "The %s '%s' has dependencies and cannot be deleted.", kind, id)
}
