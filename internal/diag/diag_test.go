package diag_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"aloft.dev/aloft/internal/diag"
)

func TestDiagnosticIsAnErrorWithPlaceAndCause(t *testing.T) {
	d := &diag.Diagnostic{Where: "aloft.yaml:7:3", Summary: "is wrong", Detail: "detail", Cause: fs.ErrNotExist}
	if got, want := d.Error(), "aloft.yaml:7:3: is wrong"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := (&diag.Diagnostic{Summary: "is wrong"}).Error(), "is wrong"; got != want {
		t.Errorf("without a place: got %q, want %q", got, want)
	}
	if !errors.Is(d, fs.ErrNotExist) {
		t.Error("the cause is not wrapped")
	}
}

func TestListIsAnErrorWithOneLinePerProblem(t *testing.T) {
	var list diag.List
	if err := list.Err(); err != nil {
		t.Errorf("an empty list is the error %v", err)
	}
	list.Add("server-1", "repair it", "is %s", "broken")
	list.Add("", "", "no region")
	if err := list.Err(); err == nil || err.Error() != "server-1: is broken\nno region" {
		t.Errorf("got %v", err)
	}
	if list[0].Hint != "repair it" {
		t.Errorf("got the hint %q", list[0].Hint)
	}
}

func TestFromReturnsTheDiagnosticsInAnError(t *testing.T) {
	one := &diag.Diagnostic{Where: "a", Summary: "b"}
	two := diag.List{one, {Summary: "c"}}
	plain := errors.New("disk full")
	for name, test := range map[string]struct {
		err  error
		want diag.List
	}{
		"nil":                  {nil, nil},
		"a diagnostic":         {one, diag.List{one}},
		"a wrapped diagnostic": {fmt.Errorf("up: %w", one), diag.List{one}},
		"a wrapped list":       {fmt.Errorf("up: %w", two), two},
		"another error":        {plain, diag.List{{Summary: "disk full", Cause: plain}}},
	} {
		got := diag.From(test.err)
		if len(got) != len(test.want) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
			continue
		}
		for i := range got {
			if *got[i] != *test.want[i] {
				t.Errorf("%s: got %+v, want %+v", name, *got[i], *test.want[i])
			}
		}
	}
}

func TestDiagnosticAsJSONOmitsWhatIsEmptyAndTheCause(t *testing.T) {
	list := diag.List{{Summary: "no", Cause: fs.ErrExist}, {Where: "a", Summary: "b", Detail: "c", Hint: "d"}}
	got, err := json.Marshal(list)
	const want = `[{"summary":"no"},{"where":"a","summary":"b","detail":"c","hint":"d"}]`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}
