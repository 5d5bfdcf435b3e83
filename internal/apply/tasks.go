package apply

import (
	"context"
	"fmt"
	"slices"
	"time"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/timing"
)

// task is one operation on one resource. It starts after all tasks in after have
// succeeded.
type task struct {
	address, step, message string
	emitsEvents            bool // run emits events itself
	after                  []*task
	run                    func(context.Context) error
}

// follows makes the task start after others. It ignores nil.
func (t *task) follows(others ...*task) {
	for _, other := range others {
		if other != nil && other != t && !slices.Contains(t.after, other) {
			t.after = append(t.after, other)
		}
	}
}

// runTasks runs tasks concurrently, as far as their order allows. A task that fails
// keeps only the tasks after it from running. No task starts after ctx has ended.
// All failures are returned as a diag.List. times records how long the tasks took; it
// may be nil.
func runTasks(ctx context.Context, tasks []*task, events event.Sink, times *timing.Graph) error {
	var problems diag.List
	waiting := map[*task]int{} // number of tasks that it waits for
	next := map[*task][]*task{}
	for _, t := range tasks {
		waiting[t] = len(t.after)
		for _, before := range t.after {
			next[before] = append(next[before], t)
		}
	}
	type result struct {
		task    *task
		started time.Time
		err     error
	}
	results := make(chan result)
	running, done := 0, 0
	start := func(t *task) {
		running++
		started := time.Now()
		go func() { results <- result{t, started, t.runTracked(ctx, events)} }()
	}
	for _, t := range tasks {
		if waiting[t] == 0 {
			start(t)
		}
	}
	for running > 0 {
		r := <-results
		running--
		times.Add(r.task.timing(tasks, r.started))
		if r.err != nil {
			problems = append(problems, explain(r.task.address, r.err)...)
			continue
		}
		done++
		for _, t := range next[r.task] {
			if waiting[t]--; waiting[t] == 0 && ctx.Err() == nil {
				start(t)
			}
		}
	}
	left := len(tasks) - done
	switch {
	case left > 0 && ctx.Err() != nil:
		return diag.List{{
			Summary: fmt.Sprintf("stopped, with %d of %d done", done, len(tasks)),
			Hint:    runAgain,
			Cause:   context.Cause(ctx),
		}}
	case left > 0 && len(problems) == 0:
		return fmt.Errorf("%d of %d tasks wait for each other", left, len(tasks))
	}
	return problems.Err()
}

// runTracked runs the task and emits events for its start and end.
func (t *task) runTracked(ctx context.Context, events event.Sink) error {
	if t.emitsEvents {
		return t.run(ctx)
	}
	failure := func(err error) string {
		if list := explain(t.address, err); ctx.Err() == nil && len(list) > 0 {
			return list[0].Summary
		}
		return err.Error()
	}
	e := event.Event{Address: t.address, Step: t.step, Message: t.message}
	return events.Track(e, failure, func() error { return t.run(ctx) })
}

// timing describes the task, which ends now, as one of tasks.
func (t *task) timing(tasks []*task, started time.Time) timing.Task {
	out := timing.Task{
		ID: slices.Index(tasks, t), Address: t.address, Message: t.message, Started: started, Ended: time.Now(),
	}
	for _, before := range t.after {
		out.After = append(out.After, slices.Index(tasks, before))
	}
	return out
}
