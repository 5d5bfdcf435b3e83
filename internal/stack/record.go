package stack

// KindRecord is the kind of a DNS record of Amazon Route 53.
const KindRecord Kind = "record"

var recordKind = properties{
	kind: KindRecord, mayReferTo: []Kind{KindLoadBalancer, KindCertificate, KindListener}, untagged: true,
}

// RecordAddress returns the address of a name's record.
func RecordAddress(domain string) string { return "record-" + domain }

// AttrHostedZone is the id of a record's hosted zone.
const AttrHostedZone AttributeKey = "hosted zone"

// Record is an alias record, which leads from a name of the application to its load
// balancer.
type Record struct {
	Domain       string
	Zone         string // id of the hosted zone that owns the name
	LoadBalancer Ref
	Listener     Ref // that answers to the name
}

// Kind implements Body.
func (Record) Kind() Kind { return KindRecord }

// Title implements Body.
func (r Record) Title() string { return "record " + r.Domain + ", an alias of the load balancer" }

// Attributes implements Body.
func (r Record) Attributes() []Attribute {
	return []Attribute{
		fixed(text(AttrName, r.Domain)),
		fixed(text(AttrHostedZone, r.Zone)),
		fixed(ref(AttrLoadBalancer, r.LoadBalancer)),
	}
}

// Needs implements Body.
func (r Record) Needs() []Ref { return []Ref{r.Listener} }
