package apply

import (
	"context"
	"fmt"
	"time"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
)

// task is one piece of work on one resource. It starts when all tasks that it
// comes after are done.
type task struct {
	address, step, message string
	tellsItself            bool // the story of its parts: nothing is told of the whole
	after                  []*task
	run                    func(context.Context) error
}

// walk does the tasks, as many at once as their order allows. A task that fails
// holds back only those that come after it. When the context ends, nothing new
// starts. All that failed comes back as a diag.List.
func walk(ctx context.Context, tasks []*task, events event.Sink) error {
	var problems diag.List
	waits := map[*task]int{}
	next := map[*task][]*task{}
	for _, t := range tasks {
		waits[t] = len(t.after)
		for _, before := range t.after {
			next[before] = append(next[before], t)
		}
	}
	type result struct {
		task *task
		err  error
	}
	results := make(chan result)
	running, done := 0, 0
	start := func(t *task) {
		running++
		go func() { results <- result{t, perform(ctx, t, events)} }()
	}
	for _, t := range tasks {
		if waits[t] == 0 {
			start(t)
		}
	}
	for running > 0 {
		r := <-results
		running--
		if r.err != nil {
			problems = append(problems, explain(r.task.address, r.err)...)
			continue
		}
		done++
		for _, t := range next[r.task] {
			if waits[t]--; waits[t] == 0 && ctx.Err() == nil {
				start(t)
			}
		}
	}
	if left := len(tasks) - done; ctx.Err() != nil && left > 0 {
		return diag.List{
			{
				Summary: fmt.Sprintf("stopped, with %d of %d done", done, len(tasks)),
				Hint:    "run the same command again: it goes on from here",
				Cause:   context.Cause(ctx),
			},
		}
	} else if len(problems) == 0 && left > 0 {
		return fmt.Errorf("%d of %d tasks wait for each other", left, len(tasks))
	}
	return problems.Err()
}

// perform does one task and tells its story.
func perform(ctx context.Context, t *task, events event.Sink) error {
	if t.tellsItself {
		return t.run(ctx)
	}
	began := time.Now()
	tell := func(kind event.Kind, message string) {
		now := time.Now()
		e := event.Event{Time: now, Kind: kind, Address: t.address, Step: t.step, Message: message}
		if kind != event.Start {
			e.Elapsed = now.Sub(began)
		}
		events(e)
	}
	tell(event.Start, t.message)
	if err := t.run(ctx); err != nil {
		why := err.Error()
		if list := explain(t.address, err); ctx.Err() == nil && len(list) > 0 {
			why = list[0].Summary
		}
		tell(event.Fail, why)
		return err
	}
	tell(event.Done, t.message)
	return nil
}
