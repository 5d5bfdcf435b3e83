package stack

import "strings"

// KeyPair lets people, and Aloft itself, into the machines. The private key
// never leaves the user's machine.
type KeyPair struct {
	KeyName     string
	Fingerprint string // SHA256:… of the public key; "" when any will do
}

// Kind is key-pair.
func (KeyPair) Kind() Kind { return KindKeyPair }

// Title describes it.
func (k KeyPair) Title() string { return "key pair " + k.KeyName }

// Attributes are its name and, where the user gave the key, the key.
func (k KeyPair) Attributes() []Attribute {
	all := []Attribute{fixed(text("name", k.KeyName))}
	if k.Fingerprint != "" {
		all = append(all, fixed(text("fingerprint", k.Fingerprint)))
	}
	return all
}

// Needs is nothing.
func (KeyPair) Needs() []Ref { return nil }

// Addresses of the machines that a release needs for a while and that never get
// a request of the load balancer.
const (
	AddressBuilder   = "builder"   // the release is made on it
	AddressCandidate = "candidate" // the first machine of the image, on which it is proven
)

// Transient tells of an address that it is a builder's or a candidate's: a
// machine that goes when its work is done.
func Transient(address string) bool { return address == AddressBuilder || address == AddressCandidate }

// Server is a machine of one release. A builder is one on which a release is
// made when there is no image of it.
type Server struct {
	Type    string
	Subnet  Ref
	Groups  []Ref
	KeyPair Ref
	KeyName string
	Routes  Ref // what takes its packets to the internet
	Image   Ref // what it starts from; a builder has none
	Release string
	Builder bool
	Proof   bool   // it stands when its application was proven on it
	Where   string // the zone, for people
}

// Kind is server.
func (Server) Kind() Kind { return KindServer }

// Title describes it.
func (s Server) Title() string { return s.Type + " in " + s.Where }

// Attributes are what it is, what it serves, and that it runs.
func (s Server) Attributes() []Attribute {
	all := []Attribute{
		fixed(
			ref("subnet", s.Subnet),
		), fixed(text("type", s.Type)), fixed(text("key pair", s.KeyName)), fixed(text("release", s.Release)),
		refs("security groups", s.Groups), text("built", "yes"), text("state", "running"),
	}
	if s.Proof {
		all = append(all, text("proven", "yes"))
	}
	return all
}

// Needs are what it cannot start without.
func (s Server) Needs() []Ref {
	needs := []Ref{s.KeyPair, s.Routes}
	if s.Image.Address != "" {
		needs = append(needs, s.Image)
	}
	return needs
}

// Image is a release: base image and application, ready to start. It is made of
// the machine that Builder refers to, and is there already when there is none.
type Image struct {
	ImageName string
	Release   string
	Base      string // "debian-12"
	Builder   Ref
}

// Kind is image.
func (Image) Kind() Kind { return KindImage }

// Title describes it.
func (i Image) Title() string {
	if i.Builder.Address == "" {
		return "image " + i.ImageName
	}
	return "image " + i.ImageName + " of " + i.Builder.Address
}

// Attributes are its release, and that it can be used.
func (i Image) Attributes() []Attribute {
	return []Attribute{fixed(text("release", i.Release)), text("state", "available")}
}

// Needs is the machine that it is made of.
func (i Image) Needs() []Ref {
	if i.Builder.Address == "" {
		return nil
	}
	return []Ref{i.Builder}
}

// ServerOf gives the server that a target stands for: "target-2" → "server-2".
func ServerOf(target string) string {
	return "server-" + strings.TrimPrefix(target, "target-")
}
