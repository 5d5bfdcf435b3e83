package console

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unique"
)

// keptCalls is how many calls are kept: an hour's with 14 a second.
const keptCalls = 50_000

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

// names are the words of a call. Most calls share theirs with others.
type names struct{ service, operation, region, code string }

// maxName is the length of the longest name that is kept. A client may send any.
const maxName = 64

func short(name string) string { return strings.Clone(name[:min(len(name), maxName)]) }

// keptCall is a Call in few bytes.
type keptCall struct {
	at    int64 // nanoseconds since 1970
	took  time.Duration
	names unique.Handle[names]
}

func (k keptCall) call() Call {
	n := k.names.Value()
	return Call{
		At: time.Unix(0, k.at), Service: n.service, Operation: n.operation, Region: n.region, Code: n.code,
		Took: k.took,
	}
}

// Calls keeps the latest calls. The zero value is ready to use.
type Calls struct {
	mu      sync.Mutex
	kept    []keptCall // a ring once it is full
	next    int
	changes Changes
}

// Add records a call.
func (c *Calls) Add(call Call) {
	kept := keptCall{call.At.UnixNano(), call.Took, unique.Make(names{
		short(call.Service), short(call.Operation), short(call.Region), short(call.Code),
	})}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.kept) < keptCalls {
		c.kept = append(c.kept, kept)
	} else {
		c.kept[c.next] = kept
		c.next = (c.next + 1) % keptCalls
	}
	c.changes.Notify()
}

// backward passes the calls, the latest first, to a function until that returns false.
func (c *Calls) backward(each func(Call) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.kept {
		if !each(c.kept[(c.next+len(c.kept)-1-i)%len(c.kept)].call()) {
			return
		}
	}
}

// latest returns the latest calls that match, newest first.
func (c *Calls) latest(match func(Call) bool) (found []Call) {
	c.backward(func(call Call) bool {
		if match(call) {
			found = append(found, call)
		}
		return len(found) < shownCalls
	})
	return found
}

// since passes the calls since a time to a function, the latest first.
func (c *Calls) since(from time.Time, each func(Call)) {
	c.backward(func(call Call) bool {
		if call.At.Before(from) {
			return false
		}
		each(call)
		return true
	})
}

// oldest returns when the oldest call that is kept was, and whether earlier ones gave way.
func (c *Calls) oldest() (at time.Time, full bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.kept) < keptCalls {
		return time.Time{}, false
	}
	return c.kept[c.next].call().At, true
}

// watch returns a function that waits for the next call.
func (c *Calls) watch() func(context.Context) error { return c.changes.Watch() }

// callsData is the data of the page of calls.
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
