package apply

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
)

// recorder records events and the order in which tasks ran.
type recorder struct {
	mu     sync.Mutex
	ran    []string
	events []event.Event
}

func (r *recorder) sink(e event.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func (r *recorder) task(name string, err error, after ...*task) *task {
	return &task{address: name, message: "make " + name, after: after, run: func(ctx context.Context) error {
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.ran = append(r.ran, name)
		return err
	}}
}

func TestFailureStopsOnlyLaterTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &recorder{}
		a := s.task("a", errors.New("no"))
		b := s.task("b", nil)
		tasks := []*task{a, b, s.task("after-a", nil, a), s.task("after-b", nil, b), s.task("after-both", nil, a, b)}
		began := time.Now()
		err := runTasks(t.Context(), tasks, s.sink, nil)
		var list diag.List
		if !errors.As(err, &list) || len(list) != 1 || list[0].Where != "a" {
			t.Errorf("got %v", err)
		}
		slices.Sort(s.ran)
		if got := strings.Join(s.ran, " "); got != "a after-b b" {
			t.Errorf("ran %s", got)
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("took %s: independent tasks did not run concurrently", took)
		}
	})
}

func TestCanceledRunSaysHowToContinue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &recorder{}
		a := s.task("a", nil)
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		err := runTasks(ctx, []*task{a, s.task("b", nil, a)}, s.sink, nil)
		var list diag.List
		if !errors.As(err, &list) || !strings.Contains(list[0].Hint, "goes on from here") || len(s.ran) != 0 {
			t.Errorf("got %v after %v", err, s.ran)
		}
	})
}

func TestTasksEmitEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &recorder{}
		if err := runTasks(t.Context(), []*task{s.task("a", nil)}, s.sink, nil); err != nil {
			t.Fatal(err)
		}
		if len(s.events) != 2 || s.events[0].Kind != event.Start || s.events[1].Kind != event.Done ||
			s.events[1].Elapsed != time.Second {
			t.Errorf("got %+v", s.events)
		}
	})
}

func TestCycleIsAnError(t *testing.T) {
	s := &recorder{}
	a := s.task("a", nil)
	b := s.task("b", nil, a)
	a.after = []*task{b}
	if err := runTasks(t.Context(), []*task{a, b}, s.sink, nil); err == nil {
		t.Error("no error")
	}
}
