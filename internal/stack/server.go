package stack

import (
	"fmt"
	"strings"
)

// KindServer is the kind of an instance that Aloft launches itself.
const KindServer Kind = "server"

var serverKind = properties{
	kind: KindServer, replaceable: true,
	mayReferTo: []Kind{
		KindSubnet, KindSecurityGroup, KindKeyPair, KindConnectEndpoint,
		KindRouteTable, KindImage, KindEnvironment, KindInstanceProfile,
	},
}

// Attributes of a server.
const (
	AttrSubnet AttributeKey = "subnet"
	AttrBuilt  AttributeKey = "built"  // the release is installed on it
	AttrProven AttributeKey = "proven" // the application was seen to serve on it
)

// StateRunning is the AttrState of a running instance.
const StateRunning = "running"

// Addresses of the instances that exist only while a release is made. The load
// balancer never sends them requests.
const (
	AddressBuilder   = "builder"   // the release is built on it
	AddressCandidate = "candidate" // the first instance of the image; the release is proven on it
)

// Transient reports whether the address is that of the builder or the candidate,
// which are deleted when their work is done.
func Transient(address string) bool { return address == AddressBuilder || address == AddressCandidate }

func serverAddress(n int) string { return fmt.Sprintf("server-%d", n) }

// TargetOf returns the address of the target that registers a server: "server-2" →
// "target-2".
func TargetOf(server string) string { return "target-" + strings.TrimPrefix(server, "server-") }

// Place is a subnet in which an instance may be launched.
type Place struct {
	Subnet Ref
	Zone   string
}

// Server is an instance that runs one release. A builder is one on which a
// release without an image is built. It is launched with the first of its types, in
// the first of its places, for which there is capacity: all types in one place come
// before the next place.
type Server struct {
	Types  []string
	Places []Place
	Groups []Ref
	Access
	Routes  []Ref // the route tables to the internet
	Image   Ref   // the release's image; zero for a builder
	Release string
	Builder bool
	Proof   bool // it counts as created once the application was proven on it
	// Launched reports whether it has to be launched from Image. Otherwise it may also be
	// the machine that Image was made of.
	Launched bool
	Identity
	Private   bool // it has no public address
	Transient bool // it exists only while a release is made, with one environment
}

// Kind implements Body.
func (Server) Kind() Kind { return KindServer }

// Title implements Body. It mentions that a server may move to another zone, but not
// that the builder and the candidate may, which serve nobody.
func (s Server) Title() string {
	title := preference(s.Types) + " in " + s.Places[0].Zone
	if len(s.Places) > 1 && !s.Builder && !s.Proof {
		title += " or another zone"
	}
	return title
}

// preference lists alternatives in their order: "t3.micro, else t3a.micro".
func preference(list []string) string { return strings.Join(list, ", else ") }

// Attributes implements Body.
func (s Server) Attributes() []Attribute {
	subnet, types := ref(AttrSubnet, s.Places[0].Subnet), text(AttrType, s.Types[0])
	for _, p := range s.Places[1:] {
		subnet = subnet.or(Term{Ref: p.Subnet})
	}
	for _, t := range s.Types[1:] {
		types = types.or(Term{Text: t})
	}
	all := []Attribute{
		fixed(subnet),
		fixed(types),
		fixed(s.Access.attribute()),
		fixed(text(AttrRelease, s.Release)),
		refs(AttrSecurityGroups, s.Groups),
		{Key: AttrBuilt, Terms: []Term{{Text: Yes}}, Fixed: s.Launched},
		text(AttrState, StateRunning),
	}
	for _, a := range s.Identity.attributes() {
		// Without an endpoint nobody reaches a private server to restart it.
		a.Fixed = (s.Transient || s.Private && s.Endpoint.Address == "") && a.Key == AttrEnvironment
		all = append(all, a)
	}
	if s.Proof {
		all = append(all, text(AttrProven, Yes))
	}
	return all
}

// Needs implements Body.
func (s Server) Needs() []Ref {
	needs := append(s.launchNeeds(), s.Routes...)
	if s.Proof && s.Endpoint.Address != "" {
		needs = append(needs, s.Endpoint)
	}
	for _, p := range s.Places[1:] {
		needs = append(needs, p.Subnet)
	}
	if s.Image.Address != "" {
		needs = append(needs, s.Image)
	}
	return needs
}
