package page

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const prefix = Prefix("test-after:")

func self(row string) string { return row }

// pages reads rows page by page and calls between after each page.
func pages(t *testing.T, rows []string, size int, between func() []string) (out [][]string) {
	t.Helper()
	var token *string
	for {
		last, ok := prefix.Last(token)
		if !ok {
			t.Fatalf("token %q is refused", aws.ToString(token))
		}
		var first []string
		first, token = First(prefix, After(rows, last, self), size, self)
		if out = append(out, slices.Clone(first)); token == nil {
			return out
		}
		if between != nil {
			rows = between()
		}
	}
}

func TestPagesHoldEachRowOnce(t *testing.T) {
	for size, want := range map[int][][]string{
		1: {{"a"}, {"b"}, {"c"}, {"d"}},
		2: {{"a", "b"}, {"c", "d"}},
		3: {{"a", "b", "c"}, {"d"}},
		4: {{"a", "b", "c", "d"}},
		5: {{"a", "b", "c", "d"}},
	} {
		got := pages(t, []string{"a", "b", "c", "d"}, size, nil)
		if !slices.EqualFunc(got, want, slices.Equal[[]string]) {
			t.Errorf("size %d: got %v, want %v", size, got, want)
		}
	}
	if first, next := First(prefix, nil, 2, self); len(first) != 0 || next != nil {
		t.Errorf("no rows: got %v, %v", first, next)
	}
}

func TestRowsCreatedAndDeletedBetweenPagesNeitherRepeatNorHideOthers(t *testing.T) {
	got := pages(t, []string{"b", "c", "d"}, 2, func() []string { return []string{"a", "b", "d"} })
	if want := [][]string{{"b", "c"}, {"d"}}; !slices.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTokensOfOthersAreRefused(t *testing.T) {
	for _, token := range []*string{aws.String("!"), aws.String("AAAA"), Prefix("other:").Token("a")} {
		if key, ok := prefix.Last(token); ok {
			t.Errorf("%s: got key %q", *token, key)
		}
	}
	for _, token := range []*string{nil, aws.String("")} {
		if key, ok := prefix.Last(token); key != "" || !ok {
			t.Errorf("no token: got %q, %v", key, ok)
		}
	}
}
