package operator

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/console"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/drill"
	"aloft.dev/aloft/internal/drill/archive"
	"aloft.dev/aloft/internal/drill/report"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/load"
	"aloft.dev/aloft/internal/view"
)

// Defaults of a drill's load, and its limits, those of the command line.
const (
	defaultRate = 50
	defaultCalm = 10 * time.Second
	maxRate     = 100_000
	maxFailure  = 24 * time.Hour
)

// experiment is a kind of drill, with what it does.
type experiment struct {
	Name drill.Experiment
	What string
}

// experiments say what the experiments do.
var experiments = []experiment{
	{drill.Zone, "isolate one zone: its servers and its load balancer node fall silent"},
	{drill.Instance, "terminate one server, which shuts down in order"},
	{drill.Power, "cut one server's power: it and its connections vanish"},
	{drill.App, "stop the application on one server"},
	{drill.Freeze, "suspend the application on one server, with its connections open"},
	{drill.Overload, "raise the load until requests fail"},
}

// drillsData is the data of the page of drills.
type drillsData struct {
	App         string
	Experiments []experiment
	Places      []string // servers and zones
	Rate        int
	CalmSeconds int
	Problems    []problem // why there are no places
	Past        []archive.Entry
	Run         *runData
}

// drillsPage shows the form of a drill, and past drills.
func (o *Operator) drillsPage(r *http.Request) (console.View, error) {
	data := drillsData{
		App: o.App, Experiments: experiments, Rate: defaultRate, CalmSeconds: int(defaultCalm.Seconds()),
	}
	status, err := o.Actions.Status(r.Context())
	if err != nil {
		data.Problems = explain(err)
	} else {
		data.Places = places(status)
	}
	if data.Past, err = o.Archive.List(); err != nil {
		return console.View{}, err
	}
	if current := o.current(); current != nil {
		shown := current.data()
		data.Run = &shown
	}
	return console.View{Title: "Drills of " + o.App, Current: "drills", Sections: []console.Section{
		{ID: "latest", Template: "latestrun.html", Data: data},
		{ID: "choose", Template: "drillform.html", Data: data, Fixed: true},
		{ID: "past", Template: "pastdrills.html", Data: data},
	}}, nil
}

// places returns the names that a drill can be aimed at.
func places(s *apply.Status) []string {
	var servers, zones []string
	for _, m := range s.Machines {
		servers, zones = append(servers, m.Name), append(zones, m.Zone)
	}
	slices.Sort(zones)
	return append(servers, slices.Compact(zones)...)
}

// parseDrill reads the options of a drill from a form.
func parseDrill(form url.Values) (drill.Options, error) {
	var problems diag.List
	number := func(name string, standard, least, most float64) float64 {
		text := form.Get(name)
		if text == "" {
			return standard
		}
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || n < least || n > most || n != n {
			problems.Add(name, "", "expected a number from %g to %g, got %q", least, most, text)
		}
		return n
	}
	o := drill.Options{Experiment: drill.Experiment(form.Get("experiment")), At: form.Get("at")}
	if !slices.Contains(drill.Experiments, o.Experiment) {
		problems.Add("experiment", "", "there is no experiment %q", o.Experiment)
	}
	o.Rate = number("rate", defaultRate, 1, maxRate)
	seconds := number("calm", defaultCalm.Seconds(), 1, time.Hour.Seconds())
	o.Calm = time.Duration(seconds * float64(time.Second))
	seconds = number("duration", 0, 0, maxFailure.Seconds())
	o.Duration = time.Duration(seconds * float64(time.Second))
	o.Force, o.ChangeACLs = form.Get("force") != "", form.Get("acls") != ""
	return o, problems.Err()
}

// previewData describes what a drill will do.
type previewData struct {
	App      string
	TypeName bool
	Options  drill.Options
	What     string
	drill.Preview
	BoundText, DurationText, CalmText string
	StepText                          string // of an overload, if it was chosen
	Problems                          []problem
}

// title names the drill.
func title(e drill.Experiment, victim string) string { return "Drill " + string(e) + ": " + victim }

// previewPage shows what a drill will do, with its bound, and asks for a confirmation.
func (o *Operator) previewPage(r *http.Request) (console.View, error) {
	data := previewData{App: o.App, TypeName: o.TypeName}
	var err error
	if data.Options, err = parseDrill(r.URL.Query()); err == nil {
		data.Preview, err = o.Actions.Preview(r.Context(), data.Options)
	}
	if err != nil {
		data.Problems = explain(err)
	}
	for _, e := range experiments {
		if e.Name == data.Options.Experiment {
			data.What = e.What
		}
	}
	data.BoundText = view.Duration(data.Bound.Total())
	data.DurationText, data.CalmText = view.Duration(data.Duration), view.Duration(data.Options.Calm)
	if data.Options.Experiment == drill.Overload && data.Options.Duration > 0 {
		data.StepText = view.Duration(data.Options.Duration)
	}
	name := "Drill"
	if err == nil {
		name = title(data.Options.Experiment, data.Victim)
	}
	return console.View{Title: name, Current: "drills", Sections: []console.Section{
		{ID: "preview", Template: "preview.html", Data: data, Fixed: true},
	}}, nil
}

// startDrill starts the drill of a form.
func (o *Operator) startDrill(r *http.Request) (string, error) {
	options, err := parseDrill(r.PostForm)
	if err != nil {
		return "", err
	}
	if err := o.confirm(r.PostForm.Get("confirm")); err != nil {
		return "", err
	}
	preview, err := o.Actions.Preview(r.Context(), options)
	if err != nil {
		return "", err
	}
	started := &run{title: title(options.Experiment, preview.Victim), noun: "drill", undoes: true}
	return "run", o.start(started, func(ctx context.Context, r *run) error {
		options.Live = r.live
		result, err := o.Actions.Drill(ctx, options, r.event)
		if err != nil {
			return err
		}
		id, err := o.Archive.Add(result)
		if err != nil {
			r.event(event.Event{Time: time.Now(), Kind: event.Note, Message: err.Error()})
		}
		r.finished(id, resultOf(result, r.data().Traffic))
		return nil
	})
}

// resultOf returns the load of a drill by its report.
func resultOf(result drill.Result, shown *traffic) *traffic {
	t := &traffic{Sent: result.Sent, Failed: result.Failed}
	for _, kind := range load.Kinds {
		if n := result.FailedByKind[string(kind)]; n > 0 {
			t.ByKind = append(t.ByKind, kindCount{kind, n})
		}
	}
	if shown != nil {
		t.Columns, t.Highest = shown.Columns, shown.Highest
	}
	return t
}

// reportData is the data of the page of a past drill.
type reportData struct {
	archive.Entry
	Rows      [][2]string
	Latencies []latency
	Terms     []report.BoundPath
}

// latency is that of a part of a drill.
type latency struct {
	When string
	report.Percentiles
}

// entry returns the past drill that a field names.
func (o *Operator) entry(id string) (archive.Entry, error) {
	e, err := o.Archive.Get(id)
	if errors.Is(err, fs.ErrNotExist) {
		return e, console.ErrNotFound
	}
	return e, err
}

// reportPage shows the report of a past drill.
func (o *Operator) reportPage(r *http.Request) (console.View, error) {
	e, err := o.entry(r.URL.Query().Get("id"))
	if err != nil {
		return console.View{}, err
	}
	data := reportData{Entry: e, Rows: e.Result.Rows(), Terms: e.Result.BoundPaths, Latencies: []latency{
		{"before", e.Result.Latency.Before}, {"during", e.Result.Latency.During}, {"after", e.Result.Latency.After},
	}}
	return console.View{
		Title: title(drill.Experiment(e.Result.Experiment), e.Result.Victim), Current: "drills",
		Sections: []console.Section{{ID: "report", Template: "report.html", Data: data, Fixed: true}},
	}, nil
}

// picture serves the picture of a past drill.
func (o *Operator) picture(w http.ResponseWriter, r *http.Request) {
	o.serveFile(w, r, "image/svg+xml", o.Archive.Picture)
}

// document serves the report of a past drill as the command line prints it with --json.
func (o *Operator) document(w http.ResponseWriter, r *http.Request) {
	o.serveFile(w, r, "application/json", o.Archive.Report)
}

func (o *Operator) serveFile(
	w http.ResponseWriter, r *http.Request, contentType string, read func(id string) ([]byte, error),
) {
	data, err := read(r.URL.Query().Get("id"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", contentType)
	_, _ = w.Write(data) // the browser may have gone
}

// comparison is two things side by side.
type comparison struct {
	A, B  string // their titles
	IDs   [2]string
	Rows  []comparedRow
	Equal int // rows that do not differ
}

// comparedRow is one property of both.
type comparedRow struct {
	Name, A, B string
	Differs    bool
}

// add adds a property.
func (c *comparison) add(name, a, b string) {
	if a == "" && b == "" {
		return
	}
	c.Rows = append(c.Rows, comparedRow{name, a, b, a != b})
	if a == b {
		c.Equal++
	}
}

// compareDrillsPage shows two past drills side by side.
func (o *Operator) compareDrillsPage(r *http.Request) (console.View, error) {
	var both [2]archive.Entry
	c := comparison{}
	for i, name := range []string{"a", "b"} {
		e, err := o.entry(r.URL.Query().Get(name))
		if err != nil {
			return console.View{}, err
		}
		both[i], c.IDs[i] = e, e.ID
	}
	c.A, c.B = label(both[0]), label(both[1])
	values := map[string]string{}
	for _, row := range both[1].Result.Rows() {
		values[row[0]] = row[1]
	}
	for _, row := range both[0].Result.Rows() {
		c.add(row[0], row[1], values[row[0]])
		delete(values, row[0])
	}
	for _, row := range both[1].Result.Rows() { // those that the first has not
		if text, ok := values[row[0]]; ok {
			c.add(row[0], "", text)
		}
	}
	c.add("bound", verdict(both[0]), verdict(both[1]))
	return console.View{Title: "Two drills", Current: "drills", Sections: []console.Section{
		{ID: "compare", Template: "comparedrills.html", Data: c, Fixed: true},
	}}, nil
}

// label names a past drill in few words.
func label(e archive.Entry) string {
	return e.Result.Experiment + " " + e.Result.Victim + ", " +
		e.Result.Started.UTC().Format("2006-01-02 15:04:05") + " UTC"
}

// verdict says whether a drill kept its bound.
func verdict(e archive.Entry) string {
	if e.Result.Bound == 0 {
		return "none"
	}
	text := view.Duration(time.Duration(e.Result.Bound) * time.Millisecond)
	if e.Result.InsideBound {
		return text + ", kept"
	}
	return text + ", not kept: " + strconv.Itoa(e.Result.OutsideOfBound) + " requests failed outside of it"
}
