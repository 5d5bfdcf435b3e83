// Package console serves pages that show what stands in a cloud: its networks and machines
// with their health, what passes through load balancers, the calls of its APIs, and why one
// place cannot reach another. These pages only read. They need no script; with it they follow
// changes.
//
// What changes something is not in this package: an Actor, the process of a user who runs
// aloft console, serves the pages of drills and releases, and does what their forms ask for.
package console

import (
	"context"
	"embed"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/inventory"
	"aloft.dev/aloft/internal/reachability"
)

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
	// Facts returns what the cloud's kernel reports about a path; nil: nothing.
	Facts func(ctx context.Context, p *reachability.Path) (*reachability.Facts, error)
	// User returns who sent a request, if that is known. A session belongs to one user.
	User  func(*http.Request) (user string, known bool)
	Calls *Calls // nil: nobody can say which calls there were
	// Counts returns what load balancers have counted of each target; nil: they do not say.
	Counts func(context.Context) ([]Count, error)
	Now    func() time.Time
	Pages  PagesConfig // the tabs are set here
}

// Console serves the pages to the browsers that have used a link.
type Console struct {
	Config
	*Pages
	sessions sessions
	assets   http.Handler
	meter    meter
}

// New returns a console.
func New(config Config) (*Console, error) {
	config.Pages.Tabs = tabs(config.Calls != nil)
	pages, err := NewPages(config.Pages)
	if err != nil {
		return nil, err
	}
	c := &Console{Config: config, Pages: pages, sessions: newSessions(config.Now)}
	c.assets = http.StripPrefix(Path, http.FileServerFS(assetFiles))
	c.meter = meter{read: config.Counts, now: config.Now}
	c.Handle("topology", Page{c.topologyPage, c.Watch})
	c.Handle("timeline", Page{c.timelinePage, c.Watch})
	c.Handle("resource", Page{c.resourcePage, c.Watch})
	c.Handle("why", Page{c.whyPage, nil})
	if c.Calls != nil {
		c.Handle("calls", Page{c.callsPage, c.Calls.watch})
	}
	return c, nil
}

// tabs returns the menu of the pages.
func tabs(calls bool) []Tab {
	all := []Tab{{"topology", "Topology"}, {"timeline", "Timeline"}}
	if calls {
		all = append(all, Tab{"calls", "Calls"})
	}
	return append(all, Tab{"drills", "Drills"}, Tab{"releases", "Releases"}, Tab{"why", "Why"})
}

// LocalTabs returns the menu of the local cloud's pages.
func LocalTabs() []Tab { return tabs(true) }

// AddFallbacks adds the pages that are shown instead of an actor's while there is none.
func (c *Console) AddFallbacks() {
	c.Handle("releases", Page{c.releasesPage, c.Watch})
	c.Handle("drills", Page{drillsFallback, nil})
}

// drillsFallback says how drills are made possible.
func drillsFallback(*http.Request) (View, error) {
	return View{Title: "Drills", Current: "drills", Sections: []Section{
		{ID: "drills", Template: "noactor.html", Fixed: true},
	}}, nil
}

// Link returns the path of a page that opens the console for one browser, once and soon.
func (c *Console) Link(region string) (string, error) { return c.linkFor(region, nil) }

func (c *Console) linkFor(region string, actor *Actor) (string, error) {
	token, err := c.sessions.link(actor)
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
	switch path := strings.TrimPrefix(r.URL.Path, Path); {
	case strings.HasPrefix(path, "assets/"):
		c.assets.ServeHTTP(w, r)
	case path == "open":
		c.open(w, r)
	default:
		c.signedIn(w, r)
	}
}

// inventory reads what stands in a request's region.
func (c *Console) inventory(r *http.Request) (*inventory.Inventory, error) {
	region := r.PathValue("region")
	clients := c.clients(region)
	return inventory.Read(r.Context(), inventory.Source{Region: region, EC2: clients.ec2, ELB: clients.elb})
}
