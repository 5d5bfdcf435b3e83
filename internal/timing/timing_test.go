package timing

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var began = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// task returns a task that ran from one second of the run to another.
func task(id, from, to int, after ...int) Task {
	return Task{
		ID: id, Address: string(rune('a' + id)), After: after,
		Started: began.Add(time.Duration(from) * time.Second), Ended: began.Add(time.Duration(to) * time.Second),
	}
}

func TestCriticalPath(t *testing.T) {
	for name, test := range map[string]struct {
		tasks  []Task
		ids    []int
		length time.Duration
	}{
		"nothing":           {},
		"one task":          {[]Task{task(0, 0, 3)}, []int{0}, 3 * time.Second},
		"the longer of two": {[]Task{task(0, 0, 3), task(1, 0, 5)}, []int{1}, 5 * time.Second},
		"a chain": {
			[]Task{task(0, 0, 3), task(1, 3, 4, 0), task(2, 4, 9, 1)}, []int{0, 1, 2}, 9 * time.Second,
		},
		"waits do not count": {[]Task{task(0, 0, 3), task(1, 5, 6, 0)}, []int{0, 1}, 4 * time.Second},
		"the longer branch": {
			[]Task{task(0, 0, 9), task(1, 0, 2), task(2, 9, 10, 0, 1)}, []int{0, 2}, 10 * time.Second,
		},
		"a task that did not end": {[]Task{task(1, 0, 2, 7)}, []int{1}, 2 * time.Second},
	} {
		ids, length := CriticalPath(test.tasks)
		if !cmp.Equal(ids, test.ids) || length != test.length {
			t.Errorf("%s: path %v of %s, want %v of %s", name, ids, length, test.ids, test.length)
		}
	}
}

func TestReportAddsUpTheGraphs(t *testing.T) {
	var r Recorder
	first := r.Graph("first")
	first.Add(task(1, 2, 4))
	first.Add(task(0, 1, 6))
	r.Graph("serve").Add(task(0, 7, 8))
	want := Report{
		Took:         10 * time.Second,
		CriticalPath: 6 * time.Second,
		Tasks: []TaskReport{
			{Graph: "first", Address: "a", Start: time.Second, Took: 5 * time.Second, Critical: true},
			{Graph: "first", Address: "b", Start: 2 * time.Second, Took: 2 * time.Second},
			{Graph: "serve", Address: "a", Start: 7 * time.Second, Took: time.Second, Critical: true},
		},
	}
	if diff := cmp.Diff(want, r.Report(began, began.Add(10*time.Second))); diff != "" {
		t.Error(diff)
	}
}

func TestNilRecorderRecordsNothing(t *testing.T) {
	var r *Recorder
	r.Graph("first").Add(task(0, 0, 1))
	if got := r.Report(began, began.Add(time.Second)); len(got.Tasks) != 0 || got.Took != time.Second {
		t.Errorf("report %+v", got)
	}
}
