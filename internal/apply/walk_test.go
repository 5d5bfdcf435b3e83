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

// story records events and the order in which tasks ran.
type story struct {
	mu     sync.Mutex
	ran    []string
	events []event.Event
}

func (s *story) sink(e event.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
}

func (s *story) task(name string, err error, after ...*task) *task {
	return &task{address: name, message: "make " + name, after: after, run: func(ctx context.Context) error {
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ran = append(s.ran, name)
		return err
	}}
}

func TestAFailureHoldsBackOnlyWhatComesAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &story{}
		a := s.task("a", errors.New("no"))
		b := s.task("b", nil)
		tasks := []*task{a, b, s.task("after-a", nil, a), s.task("after-b", nil, b), s.task("after-both", nil, a, b)}
		began := time.Now()
		err := walk(t.Context(), tasks, s.sink)
		var list diag.List
		if !errors.As(err, &list) || len(list) != 1 || list[0].Where != "a" {
			t.Errorf("got %v", err)
		}
		slices.Sort(s.ran)
		if got := strings.Join(s.ran, " "); got != "a after-b b" {
			t.Errorf("ran %s", got)
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("took %s: what can be done at once is not", took)
		}
	})
}

func TestCancellingStopsCleanlyAndSaysHowToGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &story{}
		a := s.task("a", nil)
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		err := walk(ctx, []*task{a, s.task("b", nil, a)}, s.sink)
		var list diag.List
		if !errors.As(err, &list) || !strings.Contains(list[0].Hint, "goes on from here") || len(s.ran) != 0 {
			t.Errorf("got %v after %v", err, s.ran)
		}
	})
}

func TestEachTaskTellsItsBeginningItsEndAndItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &story{}
		if err := walk(t.Context(), []*task{s.task("a", nil)}, s.sink); err != nil {
			t.Fatal(err)
		}
		if len(s.events) != 2 || s.events[0].Kind != event.Start || s.events[1].Kind != event.Done ||
			s.events[1].Elapsed != time.Second {
			t.Errorf("got %+v", s.events)
		}
	})
}

func TestTasksThatWaitForEachOtherAreAnErrorAndNotAHang(t *testing.T) {
	s := &story{}
	a := s.task("a", nil)
	b := s.task("b", nil, a)
	a.after = []*task{b}
	if err := walk(t.Context(), []*task{a, b}, s.sink); err == nil {
		t.Error("no error")
	}
}
