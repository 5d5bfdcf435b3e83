package golden

import (
	"fmt"
	"path/filepath"
	"testing"
)

// recorder is a test that only notes its errors.
type recorder struct {
	testing.TB

	errors []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func TestCheck(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "file")
	before := *update
	t.Cleanup(func() { *update = before })
	for _, step := range []struct {
		update bool
		got    string
		errors int
	}{{true, "a", 0}, {false, "a", 0}, {false, "b", 1}, {true, "b", 0}, {false, "b", 0}} {
		*update = step.update
		r := &recorder{TB: t}
		if Check(r, file, step.got); len(r.errors) != step.errors {
			t.Errorf("%+v: errors %q", step, r.errors)
		}
	}
}
