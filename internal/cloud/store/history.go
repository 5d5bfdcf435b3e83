package store

import (
	"context"
	"sort"
	"sync"
	"time"
)

// history holds snapshots of the recent past. A snapshot shares all rows that did
// not change with those after it.
type history struct {
	depth func() time.Duration // nil: none is kept

	mu     sync.Mutex
	states []state // in the order of their ends
}

// state is the contents of the tables until the time of the next commit.
type state struct {
	end  time.Time
	view *View
}

// KeepHistory makes the store remember what its tables held for as long as depth
// returns, which it asks at each commit. 0 remembers nothing. It must be called
// before the store is in use.
func (s *Store) KeepHistory(depth func() time.Duration) { s.past.depth = depth }

// ViewAt returns a snapshot of the tables as they were at a time, or the present if
// the store does not remember that nothing has changed since.
func (s *Store) ViewAt(at time.Time) *View {
	s.past.mu.Lock()
	defer s.past.mu.Unlock()
	first := sort.Search(len(s.past.states), func(i int) bool { return s.past.states[i].end.After(at) })
	if first == len(s.past.states) {
		return s.View()
	}
	return s.past.states[first].view
}

// ForgetHistory makes the present the only state that the store remembers, as if
// what it holds had always been there.
func (s *Store) ForgetHistory() {
	s.past.mu.Lock()
	defer s.past.mu.Unlock()
	s.past.states = nil
}

// remember keeps the present state, which a commit is about to replace.
func (s *Store) remember() {
	if s.past.depth == nil {
		return
	}
	depth := s.past.depth()
	s.past.mu.Lock()
	defer s.past.mu.Unlock()
	if depth <= 0 {
		s.past.states = nil
		return
	}
	now := time.Now()
	first := sort.Search(len(s.past.states), func(i int) bool { return s.past.states[i].end.After(now.Add(-depth)) })
	clear(s.past.states[:first]) // lets go of their rows before the slice grows into new memory
	s.past.states = append(s.past.states[first:], state{now, s.View()})
}

type viewKey struct{}

// WithView returns a context whose reads see a view instead of the present.
func WithView(ctx context.Context, view *View) context.Context {
	return context.WithValue(ctx, viewKey{}, view)
}

// Read returns the view that ctx carries, or a snapshot of the present.
func (s *Store) Read(ctx context.Context) *View {
	if view, ok := ctx.Value(viewKey{}).(*View); ok {
		return view
	}
	return s.View()
}
