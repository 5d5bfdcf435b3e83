package console

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// keptCalls is how many calls are kept.
const keptCalls = 2000

// shownCalls is how many calls a page shows.
const shownCalls = 200

// Call is a call of an API.
type Call struct {
	At        time.Time
	Service   string
	Operation string
	Region    string
	Code      string // "OK", or that of the error
	Took      time.Duration
}

// Failed reports whether the call was answered with an error.
func (c Call) Failed() bool { return c.Code != "OK" }

// Millis returns how long the call took.
func (c Call) Millis() float64 { return float64(c.Took.Microseconds()) / 1000 }

// Calls keeps the latest calls. The zero value is ready to use.
type Calls struct {
	mu      sync.Mutex
	kept    []Call // a ring once it is full
	next    int
	changes Changes
}

// Add records a call.
func (c *Calls) Add(call Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.kept) < keptCalls {
		c.kept = append(c.kept, call)
	} else {
		c.kept[c.next] = call
		c.next = (c.next + 1) % keptCalls
	}
	c.changes.Notify()
}

// latest returns the latest calls that match, newest first.
func (c *Calls) latest(match func(Call) bool) []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	ordered := slices.Concat(c.kept[c.next:], c.kept[:c.next])
	var found []Call
	for _, call := range slices.Backward(ordered) {
		if match(call) {
			if found = append(found, call); len(found) == shownCalls {
				break
			}
		}
	}
	return found
}

// watch returns a function that waits for the next call.
func (c *Calls) watch() func(context.Context) error { return c.changes.Watch() }

// callsData is what the page of calls shows.
type callsData struct {
	Filter string
	Errors bool
	Calls  []Call
}

func (c *Console) callsPage(r *http.Request) (View, error) {
	data := callsData{Filter: strings.TrimSpace(r.FormValue("filter")), Errors: r.FormValue("errors") != ""}
	words := strings.Fields(strings.ToLower(data.Filter))
	data.Calls = c.Calls.latest(func(call Call) bool {
		if data.Errors && !call.Failed() {
			return false
		}
		text := strings.ToLower(call.Service + " " + call.Operation + " " + call.Code + " " + call.Region)
		return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) })
	})
	return View{Title: "Calls", Current: "calls", Sections: []Section{
		{ID: "filter", Template: "callsfilter.html", Data: data, Fixed: true},
		{ID: "calls", Template: "calls.html", Data: data},
	}}, nil
}
