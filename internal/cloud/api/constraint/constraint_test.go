package constraint

import (
	"errors"
	"maps"
	"strconv"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

const model = Model("ValidationError")

func TestErrorsHaveAWSsMessages(t *testing.T) {
	n := int32(7)
	for _, c := range []struct {
		err  error
		want string
	}{
		{model.Null("name"), "Value null at 'name' failed to satisfy constraint: Member must not be null"},
		{model.Required("name", false), "Value null at 'name' failed to satisfy constraint: Member must not be null"},
		{
			model.Empty("name"),
			"Value '' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 1",
		},
		{
			model.TooLong("body", 1024),
			"Value at 'body' failed to satisfy constraint: Member must have length less than or equal to 1024",
		},
		{
			model.OutOfRange("size", 7, 1, 5),
			"Value '7' at 'size' failed to satisfy constraint: Member must have value less than or equal to 5",
		},
		{
			model.OutOfRange("size", 0, 1, 5),
			"Value '0' at 'size' failed to satisfy constraint: Member must have value greater than or equal to 1",
		},
		{
			model.TextTooLong("name", "abc", 2),
			"Value 'abc' at 'name' failed to satisfy constraint: Member must have length less than or equal to 2",
		},
		{
			model.ListSize("names", nil, 2),
			"Value '[]' at 'names' failed to satisfy constraint: Member must have length greater than or equal to 1",
		},
		{
			model.ListSize("names", []string{"a", "b", "c"}, 2),
			"Value '[a, b, c]' at 'names' failed to satisfy constraint: Member must have length less than or equal " +
				"to 2",
		},
		{
			model.Size("key", 3, 2),
			"Value at 'key' failed to satisfy constraint: Member must have length less than or equal to 2",
		},
		{
			model.OutOfSet("type", "x", "a", "b"),
			"Value 'x' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [a, b]",
		},
		{
			model.Between("size", &n, 8, 9),
			"Value '7' at 'size' failed to satisfy constraint: Member must have value greater than or equal to 8",
		},
		{
			model.Between("size", &n, 5, 6),
			"Value '7' at 'size' failed to satisfy constraint: Member must have value less than or equal to 6",
		},
		{
			model.Refuse("name", "100%d", "satisfy regular expression pattern: %s", `\d+`),
			`Value '100%d' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: \d+`,
		},
		{
			model.RefuseWithoutValue("key", "have at most %d lines", 5),
			"Value at 'key' failed to satisfy constraint: Member must have at most 5 lines",
		},
	} {
		refusal, ok := errors.AsType[*wire.Error](c.err)
		if want := "1 validation error detected: " + c.want; !ok || refusal.Code != "ValidationError" ||
			refusal.Message != want {
			t.Errorf("got %v, want %s", c.err, want)
		}
	}
}

func TestOneErrorNamesAllViolations(t *testing.T) {
	first, second := model.Empty("name"), model.Null("size")
	for want, err := range map[string]error{
		first.Error(): model.All(nil, first),
		"ValidationError: 2 validation errors detected: Value '' at 'name' failed to satisfy constraint: Member must " +
			"have length greater than or equal to 1; Value null at 'size' failed to satisfy constraint: Member must " +
			"not be null": model.All(first, nil, second),
	} {
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	if err := model.All(nil); err != nil {
		t.Errorf("got %v for no violations", err)
	}
}

func TestValidValuesAreAccepted(t *testing.T) {
	n := int32(7)
	for _, err := range []error{
		model.Required("name", true), model.Between("size", nil, 8, 9), model.Between("size", &n, 7, 7),
		model.Size("key", 1, 1), model.ListSize("names", []string{"a"}, 1),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if got := Default(&n, 3); got != 7 {
		t.Errorf("given 7, got %d", got)
	}
	if got := Default[int32](nil, 3); got != 3 {
		t.Errorf("given nothing, got %d", got)
	}
}

type tag struct{ key, value *string }

func text(s string) *string { return &s }

func merge(rules TagRules, old store.Tags, added ...tag) (store.Tags, error) {
	return MergeTags(rules, old, added, func(t tag) (*string, *string) { return t.key, t.value })
}

func TestMergedTagsReplaceOldOnes(t *testing.T) {
	old := store.Tags{"a": "1", "b": "2"}
	got, err := merge(TagRules{}, old, tag{text("b"), text("3")}, tag{text(strings.Repeat("ä", 128)), nil})
	if want := (store.Tags{"a": "1", "b": "3", strings.Repeat("ä", 128): ""}); err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if !maps.Equal(old, store.Tags{"a": "1", "b": "2"}) {
		t.Errorf("the old tags have become %v", old)
	}
}

func TestTagsThatViolateTheRulesAreRefused(t *testing.T) {
	rules := TagRules{
		Code:          "ValidationException",
		Reserved:      errors.New("reserved"),
		TooMany:       errors.New("too many"),
		ValueRequired: true,
	}
	const key, value = "ValidationException: Tag keys have 1 to 128 characters.", "ValidationException: Tag values " +
		"have at most 256 characters."
	full := store.Tags{}
	for n := range MaxTags {
		full[strconv.Itoa(n)] = ""
	}
	for want, refused := range map[string][]tag{
		key:        {{nil, text("")}, {text(""), text("")}, {text(strings.Repeat("ä", 129)), text("")}},
		value:      {{text("new"), nil}, {text("new"), text(strings.Repeat("ä", 257))}},
		"reserved": {{text("AWS:x"), text("")}},
		"too many": {{text("new"), text("")}},
	} {
		for _, one := range refused {
			if _, err := merge(rules, full, one); err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		}
	}
	if got, err := merge(rules, full, tag{text("0"), text("again")}); err != nil || got["0"] != "again" {
		t.Errorf("a tag of the same key: %v, %v", got["0"], err)
	}
}

func TestTagsThatViolateTheModelAreRefused(t *testing.T) {
	rules := TagRules{
		Code: "ValidationException", Member: "tags", Pattern: "pattern", Reserved: errors.New("reserved"),
	}
	long, longer := strings.Repeat("k", 129), strings.Repeat("v", 257)
	const failed = "' failed to satisfy constraint: Member must "
	for _, c := range []struct{ key, value, want string }{
		{"a b_.:/=+-@ä", "", ""},
		{"", "", "Value '' at 'tags.2.member.key" + failed + "have length greater than or equal to 1"},
		{
			long, "", "Value '" + long + "' at 'tags.2.member.key" + failed +
				"have length less than or equal to 128",
		},
		{
			"a", longer, "Value '" + longer + "' at 'tags.2.member.value" + failed +
				"have length less than or equal to 256",
		},
		{"a#", "", "Value 'a#' at 'tags.2.member.key" + failed + "satisfy regular expression pattern: pattern"},
		{
			"", "*", "Value '' at 'tags.2.member.key" + failed + "have length greater than or equal to 1; " +
				"Value '*' at 'tags.2.member.value" + failed + "satisfy regular expression pattern: pattern",
		},
		{"aws:a", "", "reserved"},
	} {
		_, err := merge(rules, nil, tag{text("first"), nil}, tag{&c.key, &c.value})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasSuffix(err.Error(), c.want)) {
			t.Errorf("%s, %s: got %v, want %s", c.key, c.value, err, c.want)
		}
	}
}

func TestTagLengthsAreInCharacters(t *testing.T) {
	key, value := strings.Repeat("ä", 128), strings.Repeat("ä", 256)
	if err := model.CheckTag(key, value); err != nil {
		t.Error(err)
	}
	for want, tag := range map[string][2]string{
		"ValidationError: Tag keys must be between 1 and 128 characters long":         {key + "ä", value},
		"ValidationError: Tag values cannot be longer than 256 characters":            {key, value + "ä"},
		"ValidationError: Tag keys beginning with 'aws:' are reserved for system use": {"Aws:x", ""},
	} {
		if err := model.CheckTag(tag[0], tag[1]); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
