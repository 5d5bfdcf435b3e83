package console

import (
	"bytes"
	"context"
	"errors"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"aloft.dev/aloft/internal/diag"
)

// Path begins the paths of all pages.
const Path = "/_aloft/console/"

// tokenHeader is the header in which a page's handler receives the token of the page's forms.
const tokenHeader = "Aloft-Form-Token"

// tokenField is the field of forms with their token.
const tokenField = "token"

// Page is one kind of page.
type Page struct {
	// Show returns what a request shows.
	Show func(r *http.Request) (View, error)
	// Watch returns a function that waits until the page may differ; nil: it never does.
	Watch func() (wait func(context.Context) error)
}

// View is the data of one page.
type View struct {
	Title    string
	Current  string // the name of the tab that it belongs to
	Sections []Section
	Moving   bool // it shows numbers that change by themselves, so it is rendered more often
}

// Section is a part of a page that is rendered, and replaced, as a whole.
type Section struct {
	ID       string
	Template string
	Data     any
	Fixed    bool // it does not follow changes
}

// ErrNotFound is the error of a page whose subject does not exist.
var ErrNotFound = errors.New("not found")

// Tab is an entry of the menu of pages.
type Tab struct{ Name, Title string }

// PagesConfig configures Pages.
type PagesConfig struct {
	Templates fs.FS // besides those of this package: *.html; nil: none
	Tabs      []Tab
	Refresh   time.Duration // how often a page is rendered although nothing has changed; 0: 10 s
	Log       *slog.Logger
}

// Pages renders and serves pages. Who may see them is decided before: see Console.
type Pages struct {
	PagesConfig
	mux       *http.ServeMux
	templates *template.Template

	closing   chan struct{}
	closeOnce sync.Once
}

// NewPages returns Pages without a page.
func NewPages(config PagesConfig) (*Pages, error) {
	templates, err := template.New("").Funcs(functions).ParseFS(pageFiles, "pages/*.html")
	if err == nil && config.Templates != nil {
		templates, err = templates.ParseFS(config.Templates, "*.html")
	}
	if err != nil {
		return nil, err
	}
	if config.Refresh == 0 {
		config.Refresh = defaultRefresh
	}
	return &Pages{
		PagesConfig: config, templates: templates, mux: http.NewServeMux(), closing: make(chan struct{}),
	}, nil
}

// Handle adds a page below the path of each region.
func (p *Pages) Handle(name string, page Page) {
	p.Serve(name, func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, page) })
	if page.Watch != nil {
		p.Serve(name+"/live", func(w http.ResponseWriter, r *http.Request) { p.stream(w, r, page) })
	}
}

// Serve adds what is not a page, as a picture, below the path of each region.
func (p *Pages) Serve(name string, handler http.HandlerFunc) {
	p.mux.HandleFunc("GET "+Path+"{region}/"+name, handler)
}

// Act adds an action that a form of a page asks for: Request.PostForm is its fields. do returns
// the page to show then, as a path below that of the region.
func (p *Pages) Act(name string, do func(r *http.Request) (to string, err error)) {
	p.mux.HandleFunc("POST "+Path+"{region}/"+name, func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
		to, err := "", r.ParseForm()
		if err == nil {
			to, err = do(r)
		}
		if err != nil {
			p.refused(w, r, err)
			return
		}
		http.Redirect(w, r, Path+r.PathValue("region")+"/"+to, http.StatusSeeOther)
	})
}

// ServeHTTP serves a request for a page.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }

// Close ends the streams of open pages.
func (p *Pages) Close() { p.closeOnce.Do(func() { close(p.closing) }) }

// document is the data of the layout.
type document struct {
	View
	Region, Base string
	Tabs         []Tab
	LiveURL      string
	Rendered     []renderedSection
}

type renderedSection struct {
	ID   string
	HTML template.HTML
}

// serve serves a page.
func (p *Pages) serve(w http.ResponseWriter, r *http.Request, page Page) {
	v, err := page.Show(r)
	if errors.Is(err, ErrNotFound) {
		p.problem(w, r, http.StatusNotFound, "Not found", "There is nothing with this id in the region now.")
		return
	}
	if err != nil {
		p.failed(w, r, err)
		return
	}
	d := p.document(r, v)
	if page.Watch != nil {
		d.LiveURL = r.URL.Path + "/live?" + r.URL.RawQuery
	}
	for _, s := range v.Sections {
		html, err := p.render(s, r)
		if err != nil {
			p.failed(w, r, err)
			return
		}
		d.Rendered = append(d.Rendered, renderedSection{s.ID, template.HTML(html)})
	}
	p.write(w, http.StatusOK, d)
}

// document returns the document of a view without its sections.
func (p *Pages) document(r *http.Request, v View) document {
	d := document{View: v}
	if region := r.PathValue("region"); validRegion.MatchString(region) {
		d.Region, d.Base, d.Tabs = region, Path+region+"/", p.Tabs
	}
	return d
}

// part is the data of a section's template.
type part struct {
	Data   any
	Region string
	Base   string
	Token  string // of forms that change something
}

// render renders a section. html/template has escaped what the result holds.
func (p *Pages) render(s Section, r *http.Request) (string, error) {
	var out bytes.Buffer
	region := r.PathValue("region")
	err := p.templates.ExecuteTemplate(&out, s.Template, part{
		Data: s.Data, Region: region, Base: Path + region + "/", Token: r.Header.Get(tokenHeader),
	})
	return out.String(), err
}

// problem serves a page that says what is wrong.
func (p *Pages) problem(w http.ResponseWriter, r *http.Request, status int, title, text string) {
	d := p.document(r, View{Title: title})
	d.Rendered = []renderedSection{{"problem", template.HTML("<p>" + template.HTMLEscapeString(text) + "</p>")}}
	p.write(w, status, d)
}

// failed serves the page for an error of the cloud.
func (p *Pages) failed(w http.ResponseWriter, r *http.Request, err error) {
	if !errors.Is(err, context.Canceled) {
		p.Log.Warn("serve a page of the console", "error", err)
	}
	p.problem(w, r, http.StatusBadGateway, "The cloud did not answer", err.Error())
}

// refused serves the page for an action that was not begun.
func (p *Pages) refused(w http.ResponseWriter, r *http.Request, err error) {
	text := ""
	for _, d := range diag.From(err) {
		text += d.Error() + ". "
		for _, more := range []string{d.Detail, d.Hint} {
			if more != "" {
				text += more + ". "
			}
		}
	}
	p.problem(w, r, http.StatusConflict, "Nothing was started", text)
}

func (p *Pages) write(w http.ResponseWriter, status int, d document) {
	var out bytes.Buffer
	if err := p.templates.ExecuteTemplate(&out, "layout.html", d); err != nil {
		p.Log.Error("render a page of the console", "error", err)
		http.Error(w, "The page could not be rendered.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // the browser may have gone
}
