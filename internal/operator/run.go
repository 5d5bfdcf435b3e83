package operator

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"aloft.dev/aloft/internal/console"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/load"
	"aloft.dev/aloft/internal/view"
)

// keptEvents is how many events of an action are kept. The latest are.
const keptEvents = 300

// run is an action that is being performed, or was.
type run struct {
	title  string // "drill zone us-east-1c"
	noun   string // "drill"
	undoes bool   // it undoes what it changed when it is stopped
	began  time.Time

	cancel  context.CancelCauseFunc
	changed func()

	mu      sync.Mutex
	events  []event.Event
	traffic *traffic // of a drill
	stopped bool
	ended   time.Time // zero: not yet
	err     error
	report  string // id of the drill's report
}

func (r *run) isRunning() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended.IsZero()
}

// event is an event.Sink.
func (r *run) event(e event.Event) {
	r.mu.Lock()
	r.events = append(r.events, e)
	if len(r.events) > keptEvents {
		r.events = slices.Delete(r.events, 0, len(r.events)-keptEvents)
	}
	r.mu.Unlock()
	r.changed()
}

// live receives the load of a drill so far.
func (r *run) live(recording load.Recording) {
	now := newTraffic(recording)
	r.mu.Lock()
	r.traffic = now
	r.mu.Unlock()
	r.changed()
}

// stop ends the action. It returns before that has ended.
func (r *run) stop() {
	r.mu.Lock()
	r.stopped = r.stopped || r.ended.IsZero()
	r.mu.Unlock()
	r.cancel(errStopped)
	r.changed()
}

// finished records the report of a drill.
func (r *run) finished(id string, t *traffic) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report, r.traffic = id, t
}

func (r *run) end(err error) {
	r.mu.Lock()
	r.ended, r.err = time.Now(), err
	r.mu.Unlock()
	r.changed()
}

// runData is the data of the page of an action.
type runData struct {
	Title, Noun      string
	Began, Ended     time.Time
	Running          bool
	Stopping, Undoes bool
	Stopped          bool // and nothing went wrong
	Problems         []problem
	Events           []eventLine // the latest first
	Traffic          *traffic
	Report           string
}

// eventLine is an event in words.
type eventLine struct {
	At              time.Time
	Kind            event.Kind
	Address, Text   string
	Took, ClassName string
}

// eventClasses are the classes of events' lines.
var eventClasses = map[event.Kind]string{event.Done: "good", event.Fail: "bad", event.Note: "waiting"}

func (r *run) data() runData {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := runData{
		Title: r.title, Noun: r.noun, Began: r.began, Ended: r.ended, Running: r.ended.IsZero(),
		Stopping: r.stopped && r.ended.IsZero(), Undoes: r.undoes, Traffic: r.traffic, Report: r.report,
	}
	switch {
	case r.err == nil:
	case errors.Is(r.err, errStopped):
		d.Stopped = true
	default:
		d.Problems = explain(r.err)
	}
	for _, e := range slices.Backward(r.events) {
		if e.Kind == event.Output {
			continue
		}
		line := eventLine{
			At: e.Time, Kind: e.Kind, Address: e.Address, Text: e.Message, ClassName: eventClasses[e.Kind],
		}
		if e.Elapsed > 0 {
			line.Took = view.Duration(e.Elapsed)
		}
		d.Events = append(d.Events, line)
	}
	return d
}

// runPage shows the action that is being performed, or the latest.
func (o *Operator) runPage(*http.Request) (console.View, error) {
	r := o.current()
	if r == nil {
		return console.View{}, console.ErrNotFound
	}
	data := r.data()
	return console.View{Title: data.Title, Current: r.noun + "s", Sections: []console.Section{
		{ID: "run", Template: "run.html", Data: data},
	}}, nil
}

// stopRun stops the action that is being performed.
func (o *Operator) stopRun(*http.Request) (string, error) {
	if r := o.current(); r != nil {
		r.stop()
	}
	return "run", nil
}
