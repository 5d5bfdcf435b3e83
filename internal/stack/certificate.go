package stack

import "strings"

// KindCertificate is the kind of a certificate of AWS Certificate Manager.
const KindCertificate Kind = "certificate"

var certificateKind = properties{kind: KindCertificate}

// AddressCertificate is the address of the application's certificate.
const AddressCertificate = "certificate"

// Attributes of a certificate.
const (
	AttrNames AttributeKey = "names"
)

// StateIssued is the state of a certificate that listeners can use.
const StateIssued = "issued"

// Certificate is a certificate for the application's names. It exists once it is issued,
// which needs records in DNS that prove the control of the names.
type Certificate struct{ Names []string }

// Kind implements Body.
func (Certificate) Kind() Kind { return KindCertificate }

// Title implements Body.
func (c Certificate) Title() string { return "certificate for " + strings.Join(c.Names, ", ") }

// Attributes implements Body.
func (c Certificate) Attributes() []Attribute {
	names := Attribute{Key: AttrNames, Fixed: true}
	for _, name := range c.Names {
		names.Terms = append(names.Terms, Term{Text: name})
	}
	return []Attribute{names, text(AttrState, StateIssued)}
}

// Needs implements Body.
func (Certificate) Needs() []Ref { return nil }
