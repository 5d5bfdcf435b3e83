package activekey_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/cloud/activekey"
)

func TestKeysAreActiveForAMinute(t *testing.T) {
	now := time.Unix(0, 0)
	s := &activekey.Set{Now: func() time.Time { return now }}
	s.Push("i-1", "admin", "first")
	now = now.Add(30 * time.Second)
	s.Push("i-1", "admin", "second")
	s.Push("i-1", "root", "other")
	s.Push("i-2", "admin", "elsewhere")
	for _, step := range []struct {
		after time.Duration
		want  map[string][]string
	}{
		{0, map[string][]string{"admin": {"first", "second"}, "root": {"other"}}},
		{29 * time.Second, map[string][]string{"admin": {"first", "second"}, "root": {"other"}}},
		{time.Second, map[string][]string{"admin": {"second"}, "root": {"other"}}},
		{30 * time.Second, nil},
	} {
		now = now.Add(step.after)
		if diff := cmp.Diff(step.want, s.Of("i-1")); diff != "" {
			t.Errorf("after %s more: %s", step.after, diff)
		}
	}
}

func TestAUserHasFewActiveKeys(t *testing.T) {
	var s activekey.Set
	for i := range 100 {
		s.Push("i-1", "admin", fmt.Sprint(i))
	}
	keys := s.Of("i-1")["admin"]
	if len(keys) != 64 || keys[63] != "99" {
		t.Errorf("%d keys, the last is %s", len(keys), keys[len(keys)-1])
	}
}
