package stack_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aloft.dev/aloft/internal/stack"
)

func TestTheRecordTellsTheSpecsTagsFromThoseOfOthers(t *testing.T) {
	all := stack.WithRecord(map[string]string{"team": "a", "Cost Centre": "4711"})
	all["owner"] = "somebody else"
	tags, complete := stack.Recorded(all)
	if diff := cmp.Diff([]string{"Cost Centre=4711", "team=a"}, stack.TagTexts(tags)); diff != "" || !complete {
		t.Error(diff, complete)
	}
	delete(all, "team")
	if tags, complete = stack.Recorded(all); len(tags) != 1 || complete {
		t.Errorf("%v, complete: %v, although one is gone", tags, complete)
	}
	if tags, complete = stack.Recorded(map[string]string{"team": "a"}); len(tags) != 0 || !complete {
		t.Errorf("without a record: %v, complete: %v", tags, complete)
	}
	if stack.WithRecord(nil) != nil {
		t.Error("no tags have a record")
	}
}

func TestTheRecordIsATagsValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tags := rapid.MapOfN(rapid.StringN(1, 128, 512), rapid.Just(""), 1, 42).Draw(t, "tags")
		all := stack.WithRecord(tags)
		if record := all[stack.TagKeys]; len(record) > 256 || strings.Trim(record, "0123456789abcdef") != "" {
			t.Errorf("%d characters: %q", len(record), record)
		}
		if again, complete := stack.Recorded(all); !complete || !cmp.Equal(again, tags) {
			t.Errorf("%v, complete: %v", again, complete)
		}
	})
}
