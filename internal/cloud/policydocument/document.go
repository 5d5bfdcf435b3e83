// Package policydocument parses and validates the JSON documents of IAM policies.
//
// The rules are those of the IAM User Guide, "IAM JSON policy elements reference" and
// "Grammar of the IAM JSON policy language". Where AWS's words for an error are known,
// the errors have them, and add what AWS does not say: which statement and element is
// wrong.
package policydocument

import (
	"fmt"
	"regexp"
)

// Kind says what a document is for. It decides which elements a statement may have.
type Kind int

// The kinds of documents.
const (
	Identity Kind = iota // what an identity may do: managed and inline policies
	Trust                // who may assume a role
	Resource             // who may do what with a resource: a bucket of S3, a topic, a secret
	Service              // like Resource, but its resources need not be ARNs: who may write logs
)

// Versions of the policy language. A document without a version has the first. Policy
// variables need the current one, and so do managed policies.
const (
	firstVersion   = "2008-10-17"
	CurrentVersion = "2012-10-17"
)

// Document is a valid policy document.
type Document struct {
	Version    string
	Statements []Statement
}

// Statement is one statement of a document. Of Actions and NotActions, and of
// Resources and NotResources, at most one has elements.
type Statement struct {
	Sid                 string
	Allow               bool // false: the statement denies
	Actions, NotActions []string
	// Resources are "*" or ARNs with six parts. Parts that a document omits are "*".
	// In a document of kind Service they may be any text.
	Resources, NotResources []string
	// Principals are lists by type: AWS, Service or Federated. The principal "*" has
	// the type "*".
	Principals, NotPrincipals map[string][]string
	Conditions                []Condition // in the order of the document
}

// Condition compares the values of a key of the request.
type Condition struct {
	Operator string // as written, such as ForAllValues:StringLikeIfExists
	Key      string
	Values   []string // numbers and booleans as JSON writes them
}

// Parse parses and validates a document. Its errors are for the message of IAM's
// MalformedPolicyDocument. Parse does not check sizes, because they depend on where IAM
// keeps the document.
func Parse(kind Kind, text string) (*Document, error) {
	p := parser{kind: kind, sids: map[string]bool{}}
	members, err := object([]byte(text))
	if err != nil {
		return nil, p.invalidJSON(err)
	}
	return p.document(members)
}

// parser holds what the statements of a document share.
type parser struct {
	kind Kind
	sids map[string]bool
}

// ofResource reports that the document is about resources, not about a principal.
func (p *parser) ofResource() bool { return p.kind == Resource || p.kind == Service }

func (p *parser) invalidJSON(err error) error {
	switch p.kind {
	case Trust:
		return refuse("This policy contains invalid Json")
	case Resource, Service:
		return refuse("Policies must be valid JSON and the first byte must be '{'")
	case Identity:
	}
	return p.syntax("The document %v", err)
}

// syntax returns the error for a document that the grammar does not allow.
func (p *parser) syntax(format string, args ...any) error {
	if p.kind != Identity {
		return refuse(format, args...)
	}
	return refuse("Syntax errors in policy. "+format, args...)
}

// refusal is the message of an error. Unlike Go's own, messages of AWS are sentences.
type refusal string

func (r refusal) Error() string { return string(r) }

func refuse(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

func (p *parser) document(members []member) (*Document, error) {
	doc := &Document{Version: firstVersion}
	var statements []byte
	for _, m := range members {
		switch m.name {
		case "Version":
			version, ok := stringOf(m.value)
			if !ok || version != firstVersion && version != CurrentVersion {
				return nil, p.syntax("Version %s is not valid: it must be %q.", m.value, CurrentVersion)
			}
			doc.Version = version
		case "Id":
			if _, ok := stringOf(m.value); !ok {
				return nil, p.syntax("Id must be a string.")
			}
		case "Statement":
			statements = m.value
		default:
			return nil, p.syntax("Unknown field %s", m.name)
		}
	}
	if statements == nil {
		return nil, p.syntax("Missing required field Statement")
	}
	return doc, p.statements(doc, statements)
}

// statements parses one statement or a list of them into a document.
func (p *parser) statements(doc *Document, value []byte) error {
	list, ok := array(value)
	if !ok {
		list = append(list, value)
	}
	if len(list) == 0 {
		return p.syntax("Statement is empty.")
	}
	for i, text := range list {
		members, err := object(text)
		if err != nil {
			return p.syntax("Statement %d %v", i+1, err)
		}
		statement, err := p.statement(i+1, members)
		if err != nil {
			return err
		}
		doc.Statements = append(doc.Statements, *statement)
	}
	return nil
}

var sidForm = regexp.MustCompile(`^[0-9A-Za-z]*$`)

// checkSid refuses the ID of a statement that is malformed or taken. In policies of resources it may have other
// characters.
func (p *parser) checkSid(sid string) error {
	switch {
	case !p.ofResource() && !sidForm.MatchString(sid):
		return refuse("Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the "+
			"regular expression [0-9A-Za-z]*. The SID %q does not.", sid)
	case sid != "" && p.sids[sid]:
		return refuse("Statement IDs (SID) in a single policy must be unique. %s is there twice.", sid)
	}
	p.sids[sid] = true
	return nil
}
