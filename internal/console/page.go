package console

import (
	"bytes"
	"context"
	"errors"
	"html/template"
	"net/http"
	"regexp"
	"time"

	"aloft.dev/aloft/internal/inventory"
	"aloft.dev/aloft/internal/reachability"
)

// page is one kind of page.
type page struct {
	// show returns what a request shows.
	show func(r *http.Request) (view, error)
	// watch returns a function that waits until the page may differ; nil: it never does.
	watch func() (wait func(context.Context) error)
}

// view is what one page shows.
type view struct {
	Title    string
	Current  string // the name of the page
	Sections []section
}

// section is a part of a page that is rendered, and replaced, as a whole.
type section struct {
	ID       string
	Template string
	Data     any
	Fixed    bool // it does not follow changes
}

// errNotFound is the error of a page whose subject does not exist.
var errNotFound = errors.New("not found")

// document is what the layout shows.
type document struct {
	view
	Region, Base string
	LiveURL      string
	Rendered     []renderedSection
}

type renderedSection struct {
	ID   string
	HTML template.HTML
}

// serve serves a page.
func (c *Console) serve(w http.ResponseWriter, r *http.Request, p page) {
	v, err := p.show(r)
	if errors.Is(err, errNotFound) {
		c.problem(w, http.StatusNotFound, "Not found", "There is nothing with this id in the region now.")
		return
	}
	if err != nil {
		c.failed(w, err)
		return
	}
	region := r.PathValue("region")
	d := document{view: v, Region: region, Base: Path + region + "/"}
	if p.watch != nil {
		d.LiveURL = r.URL.Path + "/live?" + r.URL.RawQuery
	}
	for _, s := range v.Sections {
		html, err := c.render(s, region)
		if err != nil {
			c.failed(w, err)
			return
		}
		d.Rendered = append(d.Rendered, renderedSection{s.ID, template.HTML(html)})
	}
	c.write(w, http.StatusOK, d)
}

// part is the data of a section's template.
type part struct {
	Data   any
	Region string
	Base   string
}

// render renders a section. html/template has escaped what the result holds.
func (c *Console) render(s section, region string) (string, error) {
	var out bytes.Buffer
	err := c.pages.ExecuteTemplate(&out, s.Template, part{s.Data, region, Path + region + "/"})
	return out.String(), err
}

// problem serves a page that says what is wrong.
func (c *Console) problem(w http.ResponseWriter, status int, title, text string) {
	c.write(w, status, document{
		view:     view{Title: title},
		Rendered: []renderedSection{{"problem", template.HTML("<p>" + template.HTMLEscapeString(text) + "</p>")}},
	})
}

// failed serves the page for an error of the cloud.
func (c *Console) failed(w http.ResponseWriter, err error) {
	if !errors.Is(err, context.Canceled) {
		c.Log.Warn("serve a page of the console", "error", err)
	}
	c.problem(w, http.StatusBadGateway, "The cloud did not answer", err.Error())
}

func (c *Console) write(w http.ResponseWriter, status int, d document) {
	var out bytes.Buffer
	if err := c.pages.ExecuteTemplate(&out, "layout.html", d); err != nil {
		c.Log.Error("render a page of the console", "error", err)
		http.Error(w, "The page could not be rendered.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // the browser may have gone
}

// inventory reads what stands in a request's region.
func (c *Console) inventory(r *http.Request) (*inventory.Inventory, error) {
	region := r.PathValue("region")
	clients := c.clients(region)
	return inventory.Read(r.Context(), inventory.Source{Region: region, EC2: clients.ec2, ELB: clients.elb})
}

// functions are those of the templates.
var functions = template.FuncMap{
	"time":  func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"clock": func(t time.Time) string { return t.UTC().Format("15:04:05") + " UTC" },
	"day":   func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" },
	"link":  func(i Item, base string) linkedItem { return linkedItem{i, base} },
	"mood":  mood,
	"hop":   func(h reachability.Hop) Item { return Item{Health: mood(h.State), State: string(h.State)} },
	"verdict": func(s reachability.State) string {
		return map[reachability.State]string{
			reachability.Allows: "can be reached", reachability.Blocks: "cannot be reached",
			reachability.Unknown: "nobody can say",
		}[s]
	},
	"linkable": func(id string) bool { return resourceID.MatchString(id) },
}

// linkedItem is an item with the beginning of its page's address.
type linkedItem struct {
	Item Item
	Base string
}

// mood is the health of a hop.
func mood(s reachability.State) Health {
	return map[reachability.State]Health{
		reachability.Allows: Good, reachability.Blocks: Bad, reachability.Unknown: Waiting,
	}[s]
}

// resourceID matches the ids of resources that pages exist for.
var resourceID = regexp.MustCompile(`^(i|eni|rtb|acl|sg|igw|nat|vpc|subnet)-[0-9a-f]+$|:(loadbalancer|targetgroup)/`)
