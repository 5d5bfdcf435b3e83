// Package adoption lists what an account has that looks like an application which Aloft has not
// made, and says what it would take to run the application with Aloft. It changes nothing.
package adoption

import (
	"cmp"
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/spec"
)

// Kind is a kind of resource as people read it.
type Kind string

// The kinds, in the order of a report.
const (
	LoadBalancer   Kind = "load balancer"
	TargetGroup    Kind = "target group"
	ScalingGroup   Kind = "Auto Scaling group"
	LaunchTemplate Kind = "launch template"
	Instance       Kind = "instance"
	SecurityGroup  Kind = "security group"
	VPC            Kind = "VPC"
	HostedZone     Kind = "hosted zone"
	Record         Kind = "DNS record"
	Certificate    Kind = "certificate"
)

var kinds = []Kind{
	LoadBalancer, TargetGroup, ScalingGroup, LaunchTemplate, Instance, SecurityGroup, VPC, HostedZone, Record,
	Certificate,
}

// Fate describes what happens to a resource if Aloft runs the application.
type Fate string

// The fates.
const (
	Used     Fate = "used"     // aloft.yaml can name it, and Aloft leaves it as it is
	Replaced Fate = "replaced" // Aloft makes one of its own beside it
	Moved    Fate = "moved"    // a person moves it, when the new application serves
)

// Item is a resource that looks like a part of the application.
type Item struct {
	Kind   Kind     `json:"kind"`
	ID     string   `json:"id"`
	Name   string   `json:"name,omitempty"`
	Likely bool     `json:"likely"` // it is more than a port that agrees
	Why    []string `json:"why"`    // what makes it look like the application
	Fate   Fate     `json:"fate"`
	Takes  string   `json:"takes"` // what it takes, as a sentence for people
}

// Report describes what an account has, and how the application's aloft.yaml would describe it.
type Report struct {
	App    string `json:"app"`
	Region string `json:"region"`
	Items  []Item `json:"items"`
	// Spec is the part of an aloft.yaml with the settings of what stands; "" if nothing likely
	// has any.
	Spec string `json:"spec"`
	// Unchecked are the calls that the credentials or the endpoint do not allow.
	Unchecked []string `json:"unchecked,omitempty"`
}

// List looks for an application in an account. Its calls only read.
func List(ctx context.Context, c *awsapi.Client, s *spec.Spec) (*Report, error) {
	a, err := read(ctx, c, s)
	if err != nil {
		return nil, err
	}
	f := newFinder(s, a)
	f.seed()
	f.seedNames()
	f.follow()
	if err := f.read(ctx, c); err != nil {
		return nil, err
	}
	f.followTargets()
	f.surroundings()
	r := &Report{App: s.App, Region: c.Region, Items: f.sorted(), Unchecked: a.unchecked}
	r.Spec = settings(f)
	return r, nil
}

// finder decides which resources of an account look like the application.
type finder struct {
	spec    *spec.Spec
	name    *regexp.Regexp
	account *account
	items   map[string]*Item // by kind and id
}

func newFinder(s *spec.Spec, a *account) *finder {
	names := regexp.QuoteMeta(strings.ToLower(s.App))
	if program := strings.ToLower(s.Program()); program != s.App {
		names += "|" + regexp.QuoteMeta(program)
	}
	return &finder{
		spec: s, account: a, items: map[string]*Item{},
		name: regexp.MustCompile(`(^|[^a-z0-9])(` + names + `)($|[^a-z0-9])`),
	}
}

func key(kind Kind, id string) string { return string(kind) + " " + id }

// has reports whether a resource looks like the application by more than a port.
func (f *finder) has(kind Kind, id string) bool {
	item := f.items[key(kind, id)]
	return item != nil && item.Likely
}

// thing is a resource of the account.
type thing struct {
	kind     Kind
	id, name string
	tags     map[string]string
}

// add adds a thing that is likely a part of the application, with a reason. It reports whether
// that is new.
func (f *finder) add(t thing, why string) bool {
	item := f.guess(t, why)
	if item == nil || item.Likely {
		return false
	}
	item.Likely = true
	return true
}

// guess adds a thing with a reason that alone says little. It returns nil for what Aloft has
// made.
func (f *finder) guess(t thing, why string) *Item {
	if t.id == "" || ofAloft(t.tags) {
		return nil
	}
	item := f.items[key(t.kind, t.id)]
	if item == nil {
		item = &Item{Kind: t.kind, ID: t.id, Name: t.name}
		item.Fate, item.Takes = fateOf(t.kind)
		f.items[key(t.kind, t.id)] = item
	}
	if !slices.Contains(item.Why, why) {
		item.Why = append(item.Why, why)
	}
	return item
}

// addNamed adds a thing if its name or one of its tags looks like the application.
func (f *finder) addNamed(t thing) {
	if f.name.MatchString(strings.ToLower(t.name)) {
		f.add(t, "its name")
		return
	}
	for _, key := range slices.Sorted(maps.Keys(t.tags)) {
		if f.name.MatchString(strings.ToLower(t.tags[key])) {
			f.add(t, "its tag "+key+"="+t.tags[key])
			return
		}
	}
}

// sorted returns the items by kind: likely ones first, then by name.
func (f *finder) sorted() []Item {
	all := []Item{}
	for _, item := range f.items {
		slices.Sort(item.Why)
		all = append(all, *item)
	}
	unlikely := func(i Item) int {
		if i.Likely {
			return 0
		}
		return 1
	}
	slices.SortFunc(all, func(a, b Item) int {
		return cmp.Or(
			cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)),
			cmp.Compare(unlikely(a), unlikely(b)), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID),
		)
	})
	return all
}
