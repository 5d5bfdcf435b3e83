package operator

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/console"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/environment"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/view"
)

// release is a release as the page shows it.
type release struct {
	apply.Release
	Took      string
	Class     string // of its result
	CanReturn bool   // a rollback can return to it
	More      string // what else there is to say
}

// releasesData is the data of the page of releases.
type releasesData struct {
	App      string
	Releases []release // the latest first
	Run      *runData
}

// resultClasses are the classes of results.
var resultClasses = map[history.Result]string{
	history.Released: "good", history.Failed: "bad", history.InProgress: "waiting", history.RollingBack: "waiting",
}

func newRelease(r apply.Release) release {
	shown := release{Release: r, Class: resultClasses[r.Result]}
	if !r.Ended.IsZero() {
		shown.Took = view.Duration(r.Ended.Sub(r.Started))
	}
	shown.CanReturn = r.HasImage && r.Served() && !r.Serves
	var more []string
	if r.From != "" {
		more = append(more, "promoted from stage "+r.From)
	}
	if r.Change != "" {
		more = append(more, r.Change+" changed")
	}
	if r.Reason != "" {
		more = append(more, r.Reason)
	}
	shown.More = strings.Join(more, "; ")
	return shown
}

// releasesPage shows the history of releases.
func (o *Operator) releasesPage(r *http.Request) (console.View, error) {
	all, err := o.Actions.Releases(r.Context())
	if err != nil {
		return console.View{}, err
	}
	data := releasesData{App: o.App}
	for _, one := range slices.Backward(all) {
		data.Releases = append(data.Releases, newRelease(one))
	}
	if current := o.current(); current != nil {
		shown := current.data()
		data.Run = &shown
	}
	return console.View{Title: "Releases of " + o.App, Current: "releases", Sections: []console.Section{
		{ID: "latest", Template: "latestrun.html", Data: data},
		{ID: "releases", Template: "history.html", Data: data},
	}}, nil
}

// find returns the releases whose numbers fields name.
func (o *Operator) find(r *http.Request, fields ...string) ([]apply.Release, error) {
	all, err := o.Actions.Releases(r.Context())
	if err != nil {
		return nil, err
	}
	var found []apply.Release
	for _, field := range fields {
		number, err := strconv.Atoi(r.FormValue(field))
		i := slices.IndexFunc(all, func(one apply.Release) bool { return one.Number == number })
		if err != nil || i < 0 {
			return nil, console.ErrNotFound
		}
		found = append(found, all[i])
	}
	return found, nil
}

// compareRecords returns what the records of two releases say.
func compareRecords(a, b apply.Release) comparison {
	c := comparison{A: fmt.Sprintf("release %d", a.Number), B: fmt.Sprintf("release %d", b.Number)}
	text := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	when := func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" }
	c.add("content", a.Release, b.Release)
	c.add("source", a.Source, b.Source)
	c.add("runtime that the source asks for", a.Runtime, b.Runtime)
	c.add("image", a.Image, b.Image)
	c.add("by", a.By, b.By)
	c.add("started", when(a.Started), when(b.Started))
	c.add("result", string(a.Result), string(b.Result))
	c.add("reason", a.Reason, b.Reason)
	c.add("promoted from stage", a.From, b.From)
	c.add("changed besides", a.Change, b.Change)
	c.add("environment, version", text(int(a.Settings.Environment)), text(int(b.Settings.Environment)))
	c.add("port", text(a.Settings.Port), text(b.Settings.Port))
	c.add("machine type", a.Settings.Type, b.Settings.Type)
	c.add("other machine types", strings.Join(a.Settings.Others, ", "), strings.Join(b.Settings.Others, ", "))
	c.add("health check, path", a.Settings.Path, b.Settings.Path)
	c.add("health check, expected status", a.Settings.Matcher, b.Settings.Matcher)
	c.add("health check, interval in s", text(a.Settings.Interval), text(b.Settings.Interval))
	c.add("health check, time-out in s", text(a.Settings.Timeout), text(b.Settings.Timeout))
	c.add("checks to return", text(a.Settings.Healthy), text(b.Settings.Healthy))
	c.add("checks to leave", text(a.Settings.Unhealthy), text(b.Settings.Unhealthy))
	c.add("access", access(a.Settings.Access), access(b.Settings.Access))
	return c
}

// access says how a release's servers are logged in to.
func access(way string) string {
	if way == "" {
		return "ssh"
	}
	return way
}

// compareReleases returns what differs between two releases. Of variables that is the names, never
// the values.
func (o *Operator) compareReleases(ctx context.Context, a, b apply.Release) comparison {
	c := compareRecords(a, b)
	c.addNames("aloft.yaml, ", a.Spec, b.Spec)
	if a.Spec == nil || b.Spec == nil {
		recorded := map[bool]string{false: "recorded", true: "not recorded"}
		c.add("settings of aloft.yaml", recorded[a.Spec == nil], recorded[b.Spec == nil])
	}
	before, problemBefore := o.Actions.Variables(ctx, a.Record)
	after, problemAfter := o.Actions.Variables(ctx, b.Record)
	if problemBefore != nil || problemAfter != nil {
		c.add("variables", readable(problemBefore), readable(problemAfter))
		return c
	}
	for _, name := range environment.Changed(*before, *after) {
		c.addChange("variable "+name, slices.Contains(before.Names(), name), slices.Contains(after.Names(), name))
	}
	return c
}

// readable says whether something could be read.
func readable(err error) string {
	if err == nil {
		return "readable"
	}
	all := explain(err)
	return strings.TrimSuffix(all[0].Text+": "+all[0].Detail, ": ")
}

// addNames adds the names whose values differ.
func (c *comparison) addNames(prefix string, a, b map[string]string) {
	if a == nil || b == nil {
		return
	}
	all := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(all)
	for _, name := range slices.Compact(all) {
		before, was := a[name]
		after, is := b[name]
		if before != after {
			c.addChange(prefix+name, was, is)
		} else {
			c.Equal++
		}
	}
}

// addChange adds a property that differs and whose values are not shown.
func (c *comparison) addChange(name string, was, is bool) {
	row := comparedRow{Name: name, Differs: true}
	switch {
	case was && is:
		row.A, row.B = "set", "set to something else"
	case was:
		row.A = "set"
	default:
		row.B = "set"
	}
	c.Rows = append(c.Rows, row)
}

// compareReleasesPage shows two releases side by side.
func (o *Operator) compareReleasesPage(r *http.Request) (console.View, error) {
	both, err := o.find(r, "a", "b")
	if err != nil {
		return console.View{}, err
	}
	compared := o.compareReleases(r.Context(), both[0], both[1])
	return console.View{Title: "Two releases", Current: "releases", Sections: []console.Section{
		{ID: "compare", Template: "comparereleases.html", Data: compared, Fixed: true},
	}}, nil
}

// rollbackData is the data of the page that confirms a rollback.
type rollbackData struct {
	App      string
	TypeName bool
	To       release
	Compared *comparison // with what serves; nil: nothing serves
}

// rollbackPage shows what a rollback changes, and asks for a confirmation.
func (o *Operator) rollbackPage(r *http.Request) (console.View, error) {
	found, err := o.find(r, "to")
	if err != nil {
		return console.View{}, err
	}
	data := rollbackData{App: o.App, TypeName: o.TypeName, To: newRelease(found[0])}
	all, err := o.Actions.Releases(r.Context())
	if err != nil {
		return console.View{}, err
	}
	for _, one := range all {
		if one.Serves {
			c := o.compareReleases(r.Context(), one, found[0])
			data.Compared = &c
		}
	}
	return console.View{
		Title: fmt.Sprintf("Roll back to release %d", found[0].Number), Current: "releases",
		Sections: []console.Section{{ID: "rollback", Template: "rollback.html", Data: data, Fixed: true}},
	}, nil
}

// startRollback starts the rollback of a form.
func (o *Operator) startRollback(r *http.Request) (string, error) {
	found, err := o.find(r, "to")
	if err != nil {
		return "", err
	}
	if err := o.confirm(r.PostForm.Get("confirm")); err != nil {
		return "", err
	}
	to := found[0]
	if !newRelease(to).CanReturn {
		return "", diag.List{{
			Where: fmt.Sprintf("release %d", to.Number), Summary: "cannot be rolled back to",
			Hint: "choose one that came into service, has an image and does not serve",
		}}
	}
	started := &run{title: fmt.Sprintf("Rollback to release %d", to.Number), noun: "release"}
	return "run", o.start(started, func(ctx context.Context, r *run) error {
		return o.Actions.Rollback(ctx, to.Number, r.event)
	})
}
