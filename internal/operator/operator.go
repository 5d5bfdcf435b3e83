// Package operator performs drills and rollbacks of one application that its user asks for on
// pages, and serves these pages. It runs in the process of aloft console, with the credentials
// of who runs that, and does what aloft drill and aloft rollback do.
package operator

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"net/http"
	"sync"
	"time"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/console"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/drill"
	"aloft.dev/aloft/internal/drill/archive"
	"aloft.dev/aloft/internal/environment"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/history"
)

//go:embed pages/*.html
var files embed.FS

// Templates returns the templates of the pages, for console.PagesConfig.
func Templates() fs.FS {
	pages, err := fs.Sub(files, "pages")
	if err != nil {
		panic(err) // the name is a constant
	}
	return pages
}

// Actions are the actions that users can take on the application.
type Actions interface {
	// Status returns the deployment's status.
	Status(ctx context.Context) (*apply.Status, error)
	// Preview returns what a drill will do, or why it cannot begin.
	Preview(ctx context.Context, o drill.Options) (drill.Preview, error)
	// Drill performs a drill.
	Drill(ctx context.Context, o drill.Options, events event.Sink) (drill.Result, error)
	// Releases returns the releases, the oldest first.
	Releases(ctx context.Context) ([]apply.Release, error)
	// Variables returns the variables of a release.
	Variables(ctx context.Context, r history.Record) (*environment.Environment, error)
	// Rollback returns to the release with a number.
	Rollback(ctx context.Context, number int, events event.Sink) error
}

// Config configures an Operator.
type Config struct {
	App, Region string
	TypeName    bool // who starts something types the application's name: users depend on it
	Actions     Actions
	Archive     archive.Archive
}

// Operator serves the pages and performs one action at a time.
type Operator struct {
	Config
	changes console.Changes
	ctx     context.Context //nolint:containedctx // of the actions, which outlive the requests that start them
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu  sync.Mutex
	run *run // the latest; nil: there was none
}

// errStopped is the cause of the end of an action that the user stopped.
var errStopped = errors.New("stopped")

// New returns an Operator. The caller calls Close.
func New(config Config) *Operator {
	o := &Operator{Config: config}
	o.ctx, o.cancel = context.WithCancel(context.Background())
	return o
}

// Close stops the action that is being performed and waits until it has undone what it changed.
func (o *Operator) Close() {
	o.mu.Lock()
	if o.run != nil {
		o.run.stop()
	}
	o.mu.Unlock()
	o.running.Wait()
	o.cancel()
}

// Register adds the pages.
func (o *Operator) Register(p *console.Pages) {
	p.Handle("drills", console.Page{Show: o.here(o.drillsPage), Watch: o.changes.Watch})
	p.Handle("drills/new", console.Page{Show: o.here(o.previewPage)})
	p.Handle("drills/report", console.Page{Show: o.here(o.reportPage)})
	p.Handle("drills/compare", console.Page{Show: o.here(o.compareDrillsPage)})
	p.Serve("drills/picture", o.picture)
	p.Serve("drills/json", o.document)
	p.Act("drills/start", o.startDrill)
	p.Handle("run", console.Page{Show: o.here(o.runPage), Watch: o.changes.Watch})
	p.Act("run/stop", o.stopRun)
	p.Handle("releases", console.Page{Show: o.here(o.releasesPage), Watch: o.changes.Watch})
	p.Handle("releases/compare", console.Page{Show: o.here(o.compareReleasesPage)})
	p.Handle("releases/rollback", console.Page{Show: o.here(o.rollbackPage)})
	p.Act("releases/rollback", o.startRollback)
}

// here shows a page of the application's region, and the way there in others.
func (o *Operator) here(show func(*http.Request) (console.View, error)) func(*http.Request) (console.View, error) {
	return func(r *http.Request) (console.View, error) {
		if r.PathValue("region") == o.Region {
			return show(r)
		}
		return console.View{Title: o.App, Sections: []console.Section{
			{ID: "elsewhere", Template: "elsewhere.html", Data: map[string]string{
				"App": o.App, "Region": o.Region, "URL": console.Path + o.Region + "/drills",
			}, Fixed: true},
		}}, nil
	}
}

// start performs an action in the background. It fails if another one is being performed.
func (o *Operator) start(r *run, work func(context.Context, *run) error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.run != nil && o.run.isRunning() {
		return diag.List{{
			Where: o.run.title, Summary: "is being performed", Hint: "wait until it has ended, or stop it",
		}}
	}
	ctx, cancel := context.WithCancelCause(o.ctx)
	r.began, r.cancel, r.changed = time.Now(), cancel, o.changes.Notify
	o.run = r
	o.running.Go(func() {
		defer cancel(nil)
		r.end(work(ctx, r))
	})
	o.changes.Notify()
	return nil
}

// current returns the latest action, or nil.
func (o *Operator) current() *run {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.run
}

// confirm returns an error if the user had to type the application's name and did not.
func (o *Operator) confirm(typed string) error {
	if !o.TypeName || typed == o.App {
		return nil
	}
	return diag.List{{
		Where: o.App, Summary: "was not typed to confirm it", Hint: "go back and type the application's name",
	}}
}

// explain returns what an error says to people.
func explain(err error) []problem {
	var all []problem
	for _, d := range awsapi.Explain("", err) {
		all = append(all, problem{d.Error(), d.Detail, d.Hint})
	}
	return all
}

// problem is a Diagnostic as pages show it.
type problem struct{ Text, Detail, Hint string }
