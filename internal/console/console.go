// Package console serves pages that show what stands in a cloud: its networks and machines
// with their health, what passes through load balancers, the calls of its APIs, and why one
// place cannot reach another. The pages only read. They need no script; with it they follow
// changes.
package console

import (
	"context"
	"embed"
	"html/template"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/reachability"
)

// Path begins the paths of all pages.
const Path = "/_aloft/console/"

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed assets/*
var assetFiles embed.FS

// Config configures a console.
type Config struct {
	// AWS returns what clients of a region's services are created from.
	AWS func(region string) aws.Config
	// Watch returns a function that waits until something differs from what is now, or its
	// context ends.
	Watch func() (wait func(context.Context) error)
	// Facts returns what the cloud's kernel says of a path; nil: nothing.
	Facts func(ctx context.Context, p *reachability.Path) (*reachability.Facts, error)
	// User returns who sent a request, if that is known. A session belongs to one user.
	User  func(*http.Request) (user string, known bool)
	Calls *Calls
	Now   func() time.Time
	Log   *slog.Logger
}

// Console serves the pages.
type Console struct {
	Config
	sessions sessions
	mux      *http.ServeMux
	assets   http.Handler
	pages    *template.Template

	closing   chan struct{}
	closeOnce sync.Once
}

// New returns a console.
func New(config Config) (*Console, error) {
	pages, err := template.New("").Funcs(functions).ParseFS(pageFiles, "pages/*.html")
	if err != nil {
		return nil, err
	}
	c := &Console{Config: config, pages: pages, mux: http.NewServeMux(), closing: make(chan struct{})}
	c.sessions = newSessions(config.Now)
	c.assets = http.StripPrefix(Path, http.FileServerFS(assetFiles))
	c.mux.HandleFunc("GET "+Path+"open", c.open)
	for name, page := range map[string]page{
		"topology": {c.topologyPage, c.Watch}, "resource": {c.resourcePage, c.Watch},
		"calls": {c.callsPage, c.Calls.watch}, "releases": {c.releasesPage, c.Watch}, "why": {c.whyPage, nil},
	} {
		c.mux.Handle("GET "+Path+"{region}/"+name, c.signedIn(func(w http.ResponseWriter, r *http.Request) {
			c.serve(w, r, page)
		}))
		c.mux.Handle("GET "+Path+"{region}/"+name+"/live", c.signedIn(func(w http.ResponseWriter, r *http.Request) {
			c.stream(w, r, page)
		}))
	}
	return c, nil
}

// Close ends the streams of open pages.
func (c *Console) Close() { c.closeOnce.Do(func() { close(c.closing) }) }

// Link returns the path of a page that opens the console for one browser, once and soon.
func (c *Console) Link(region string) (string, error) {
	token, err := c.sessions.link()
	if err != nil {
		return "", err
	}
	return Path + "open?region=" + region + "&token=" + token, nil
}

// ServeHTTP serves one request for a path below Path.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	if refusal := refuse(r); refusal != "" {
		http.Error(w, refusal, http.StatusForbidden)
		return
	}
	if strings.HasPrefix(r.URL.Path, Path+"assets/") {
		c.assets.ServeHTTP(w, r)
		return
	}
	c.mux.ServeHTTP(w, r)
}

// validRegion matches names of regions.
var validRegion = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
