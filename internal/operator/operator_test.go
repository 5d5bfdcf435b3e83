package operator_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/console"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/drill"
	"aloft.dev/aloft/internal/drill/archive"
	"aloft.dev/aloft/internal/drill/report"
	"aloft.dev/aloft/internal/environment"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/load"
	"aloft.dev/aloft/internal/operator"
)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// recording is the load of a drill that lost two requests of five.
var recording = load.Recording{Started: noon, Samples: []load.Sample{
	{At: time.Second, Kind: load.OK}, {At: 2 * time.Second, Kind: load.Timeout},
	{At: 2500 * time.Millisecond, Kind: load.Refused}, {At: 3 * time.Second, Kind: load.OK},
	{At: 4 * time.Second, Kind: load.OK},
}}

var settings = report.Settings{
	Interval: 5 * time.Second, Timeout: 2 * time.Second, Unhealthy: 2, Healthy: 2, Zones: 3, Targets: 3,
}

// shop is an application whose drills and rollbacks last until a test lets them end.
type shop struct {
	finish    chan error
	performed atomic.Pointer[string]
}

func (s *shop) note(text string) { s.performed.Store(&text) }

func (s *shop) Status(context.Context) (*apply.Status, error) {
	return &apply.Status{Machines: []apply.Machine{
		{Name: "server-1", Zone: "us-east-1a"}, {Name: "server-2", Zone: "us-east-1b"},
	}}, nil
}

func (s *shop) Preview(_ context.Context, o drill.Options) (drill.Preview, error) {
	if o.At == "server-9" {
		return drill.Preview{}, diag.List{{Where: "server-9", Summary: "no such server or zone is running"}}
	}
	return drill.Preview{
		Victim: "us-east-1b", Machines: []string{"server-2"}, Bound: settings.Bound(string(o.Experiment)),
		Duration: 23 * time.Second,
	}, nil
}

func (s *shop) wait(ctx context.Context) error {
	select {
	case err := <-s.finish:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *shop) Drill(ctx context.Context, o drill.Options, events event.Sink) (drill.Result, error) {
	s.note(fmt.Sprintf("%s %s %s %t %t", o.Experiment, o.At, o.Duration, o.Force, o.ChangeACLs))
	events(event.Event{Time: noon, Kind: event.Note, Address: o.At, Message: "isolated"})
	o.Live(recording)
	if err := s.wait(ctx); err != nil {
		return drill.Result{}, err
	}
	return drill.Result{Report: report.New(report.Facts{
		Experiment: string(o.Experiment), Victim: o.At, Recording: recording, Injected: time.Second,
		Bound: settings.Bound(string(o.Experiment)), Settings: settings,
	})}, nil
}

func (s *shop) Releases(context.Context) ([]apply.Release, error) {
	record := func(n int, name string, port int) history.Record {
		return history.Record{
			Number: n, Release: name, Source: "commit " + name, By: "ada@desk", Started: noon,
			Ended: noon.Add(time.Minute), Result: history.Released, Settings: history.Settings{Port: port},
			Runtime: "Node.js " + name, Spec: map[string]string{"app": "1", "port": fmt.Sprint(port)},
		}
	}
	return []apply.Release{
		{Record: record(1, "aaaa", 3000), HasImage: true},
		{Record: record(2, "bbbb", 3000)},
		{Record: record(3, "cccc", 4000), HasImage: true, Serves: true},
	}, nil
}

func (s *shop) Variables(_ context.Context, r history.Record) (*environment.Environment, error) {
	if r.Number == 2 {
		return nil, diag.List{{Where: "release 2", Summary: "its environment is gone"}}
	}
	return &environment.Environment{Spec: map[string]string{
		"LEVEL": fmt.Sprint("hunter", r.Number), "SAME": "hunter", "ONLY_" + r.Release: "hunter",
	}}, nil
}

func (s *shop) Rollback(ctx context.Context, number int, _ event.Sink) error {
	s.note("rollback " + string(rune('0'+number)))
	return s.wait(ctx)
}

// desk is a client of an operator's pages, which are not protected here.
type desk struct {
	*shop
	*operator.Operator
	url    string
	client *http.Client
}

func newDesk(t *testing.T, typeName bool) *desk {
	t.Helper()
	s := &shop{finish: make(chan error)}
	o := operator.New(operator.Config{
		App: "shop", Region: "us-east-1", TypeName: typeName, Actions: s, Archive: archive.Archive{Dir: t.TempDir()},
	})
	t.Cleanup(o.Close)
	pages, err := console.NewPages(console.PagesConfig{
		Templates: operator.Templates(), Tabs: console.LocalTabs(), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	o.Register(pages)
	server := httptest.NewServer(pages)
	t.Cleanup(server.Close)
	t.Cleanup(pages.Close)
	return &desk{s, o, server.URL + console.Path + "us-east-1/", server.Client()}
}

// read returns the body of a response with a status.
func read(t *testing.T, want int, response *http.Response, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if closeErr := response.Body.Close(); err != nil || closeErr != nil || response.StatusCode != want {
		t.Fatalf("%s, %v\n%s", response.Status, err, body)
	}
	return string(body)
}

func (d *desk) get(t *testing.T, want int, page string) string {
	t.Helper()
	response, err := d.client.Get(d.url + page)
	return read(t, want, response, err)
}

func (d *desk) post(t *testing.T, want int, action string, form url.Values) string {
	t.Helper()
	response, err := d.client.PostForm(d.url+action, form)
	return read(t, want, response, err)
}

// until waits until a page has a text.
func (d *desk) until(t *testing.T, page, text string) string {
	t.Helper()
	response, err := d.client.Get(d.url + page + "/live")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var seen strings.Builder
	for part := make([]byte, 1<<16); !strings.Contains(seen.String(), text); {
		n, err := response.Body.Read(part)
		seen.Write(part[:n])
		if err != nil {
			t.Fatalf("%v before %q in\n%s", err, text, seen.String())
		}
	}
	return d.get(t, http.StatusOK, page)
}

func contains(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%q is not in\n%s", word, text)
		}
	}
}

var zone = url.Values{"experiment": {"zone"}, "at": {"us-east-1b"}, "rate": {"20"}, "calm": {"3"}}

func TestDrillIsPreviewedWatchedAndKept(t *testing.T) {
	t.Parallel()
	d := newDesk(t, false)
	contains(t, d.get(t, 200, "drills"), `<option value="us-east-1b">`, `<option value="server-1">`, "No drill of shop")
	contains(t, d.get(t, 200, "drills/new?"+zone.Encode()), "<b>13s</b>", "server-2", "20 requests a second",
		"at most 23s", "2 health checks in a row fail", `name="at" value="us-east-1b"`, "Start the drill")
	if d.performed.Load() != nil {
		t.Error("a drill was started by looking at it")
	}
	contains(t, d.post(t, 200, "drills/start", zone), "Drill zone: us-east-1b", "Stop it")
	contains(t, d.until(t, "run", `id=\"failed\"`), "<b id=\"sent\">5</b>", `class="lost">2</b>`, "refused 1",
		"isolated")
	contains(t, d.post(t, 409, "drills/start", zone), "is being performed")
	d.finish <- nil
	page := d.until(t, "run", "Its report")
	id := page[strings.Index(page, "report?id=")+len("report?id="):]
	id = id[:strings.Index(id, `"`)]
	contains(t, d.get(t, 200, "drills"), id, "✓ kept")
	contains(t, d.get(t, 200, "drills/report?id="+id), "5 sent, 2 failed (refused 1, timeout 1)",
		"60.000 % over the run", "inside the bound", "10000 ms", "img class=\"drill\"")
	contains(t, d.get(t, 200, "drills/picture?id="+id), "<svg", "Drill: zone us-east-1b")
	contains(t, d.get(t, 200, "drills/json?id="+id), `"sent": 5`, `"failed": 2`)
	contains(t, d.get(t, 200, "drills/compare?a="+id+"&b="+id), "availability", "13s, kept")
	d.get(t, 404, "drills/report?id=20261129T120000.000Z-none")
	d.get(t, 404, "drills/picture?id=../x")
}

// hidden matches the fields that a page hands on.
var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

func TestWhatIsChosenIsWhatIsPerformed(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"experiment=zone": "zone us-east-1b 0s false false",
		"experiment=zone&duration=2.5&force=1&acls=1": "zone us-east-1b 2.5s true true",
		"experiment=overload&duration=7":              "overload  7s false false",
	} {
		d := newDesk(t, false)
		page := d.get(t, 200, "drills/new?"+query)
		if forced := strings.Contains(page, "no healthy server is left"); forced != strings.Contains(want, "true") {
			t.Errorf("%s: the page says that it is forced: %t", query, forced)
		}
		if step := strings.Contains(page, "lasts 7"); step != strings.Contains(want, "7s") {
			t.Errorf("%s: the page has a step: %t", query, step)
		}
		form := url.Values{}
		for _, field := range hidden.FindAllStringSubmatch(page, -1) {
			form.Set(field[1], field[2])
		}
		d.post(t, 200, "drills/start", form)
		d.until(t, "run", "isolated")
		if got := *d.performed.Load(); got != want {
			t.Errorf("%s: performed %q, want %q", query, got, want)
		}
	}
}

func TestDrillIsStopped(t *testing.T) {
	t.Parallel()
	d := newDesk(t, false)
	d.get(t, 404, "run")
	d.post(t, 200, "drills/start", zone)
	d.post(t, 200, "run/stop", nil)
	contains(t, d.until(t, "run", "It was stopped."), "What it changed is restored.", "5</b> sent")
}

func TestDrillThatFailsSaysWhy(t *testing.T) {
	t.Parallel()
	d := newDesk(t, false)
	d.post(t, 200, "drills/start", zone)
	d.finish <- errors.New("the disk is <full>")
	contains(t, d.until(t, "run", "It failed."), `role="alert"`, "the disk is &lt;full&gt;")
}

func TestDrillThatCannotBeginIsNotStarted(t *testing.T) {
	t.Parallel()
	d := newDesk(t, false)
	for field, value := range map[string]string{
		"experiment": "explode", "rate": "0", "calm": "x", "at": "server-9", "duration": "-1",
	} {
		form := url.Values{"experiment": {"app"}, field: {value}}
		contains(t, d.get(t, 200, "drills/new?"+form.Encode()), `role="alert"`, "Choose again")
		contains(t, d.post(t, 409, "drills/start", form), "Nothing was started")
	}
	if d.performed.Load() != nil {
		t.Errorf("started %s", *d.performed.Load())
	}
}

func TestNameIsTypedWhereUsersDependOnIt(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	contains(t, d.get(t, 200, "drills/new?"+zone.Encode()), "Type its name, shop,")
	contains(t, d.get(t, 200, "releases/rollback?to=1"), "Type its name, shop,")
	contains(t, d.post(t, 409, "drills/start", zone), "was not typed")
	contains(t, d.post(t, 409, "releases/rollback", url.Values{"to": {"1"}, "confirm": {"Shop"}}), "was not typed")
	d.post(t, 200, "releases/rollback", url.Values{"to": {"1"}, "confirm": {"shop"}})
	d.finish <- nil
	contains(t, d.until(t, "run", "It has ended"), "Rollback to release 1")
	if got := *d.performed.Load(); got != "rollback 1" {
		t.Errorf("performed %q", got)
	}
}

func TestReleasesAreComparedAndRolledBackTo(t *testing.T) {
	t.Parallel()
	d := newDesk(t, false)
	page := d.get(t, 200, "releases")
	contains(t, page, "released, serves", "commit bbbb", "releases/rollback?to=1", "gone")
	for _, number := range []string{"2", "3"} { // no image; serves
		if strings.Contains(page, "rollback?to="+number) {
			t.Errorf("release %s can be rolled back to", number)
		}
		contains(t, d.get(t, 200, "releases/rollback?to="+number), "cannot be rolled back to")
		contains(t, d.post(t, 409, "releases/rollback", url.Values{"to": {number}}), "cannot be rolled back to")
	}
	contains(t, d.get(t, 200, "releases/compare?a=1&b=3"),
		"≠ port", "≠ source", `<th scope="row">by</th>`, "release 3", "≠ runtime", "Node.js cccc",
		`≠ aloft.yaml, port</th><td>set</td><td>set to something else`, "≠ variable LEVEL</th><td>set</td>",
		"≠ variable ONLY_aaaa</th><td>set</td><td>–</td>", "≠ variable ONLY_cccc</th><td>–</td><td>set</td>")
	for _, never := range []string{"hunter", "SAME", "aloft.yaml, app"} {
		if strings.Contains(d.get(t, 200, "releases/compare?a=1&b=3"), never) {
			t.Errorf("the comparison has %q", never)
		}
	}
	contains(t, d.get(t, 200, "releases/compare?a=1&b=2"), "≠ variables", "release 2: its environment is gone")
	d.get(t, 404, "releases/compare?a=1&b=9")
	contains(t, d.get(t, 200, "releases/rollback?to=1"), "≠ port", "Roll back to release 1")
}

func TestPagesOfOtherRegionsLeadToTheApplication(t *testing.T) {
	t.Parallel()
	d := newDesk(t, false)
	d.url = strings.Replace(d.url, "us-east-1", "eu-west-1", 1)
	contains(t, d.get(t, 200, "drills"), `shop is in <a href="/_aloft/console/us-east-1/drills">`)
}

func TestCloseStopsWhatIsPerformed(t *testing.T) {
	t.Parallel()
	d := newDesk(t, false)
	d.post(t, 200, "drills/start", zone)
	d.Close()
	contains(t, d.get(t, 200, "run"), "It was stopped.")
}
