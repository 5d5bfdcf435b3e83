package access

import (
	"slices"

	"aloft.dev/aloft/internal/cloud/policydocument"
)

// Concerning returns the statements of a resource's policy that concern a principal: those that
// allow something to the principal itself or to everybody, and those that deny something to it. The indexes
// of statements stay the same. Statements that trust the principal's account allow it nothing by
// themselves, but let the policies of the account do so: delegated is for them.
func Concerning(policy *policydocument.Document, t Trustee) (own, delegated *policydocument.Document) {
	own, delegated = blank(policy), blank(policy)
	for i := range policy.Statements {
		s := policy.Statements[i]
		degree := t.degree(&s)
		if everybody(s.Principals) {
			degree = Trusted
		}
		switch {
		case degree == Untrusted:
		case degree == Trusted, !s.Allow:
			own.Statements[i] = s
		default:
			delegated.Statements[i] = s
		}
	}
	return own, delegated
}

// blank returns a document of as many statements, which apply to nothing.
func blank(policy *policydocument.Document) *policydocument.Document {
	return &policydocument.Document{
		Version: policy.Version, Statements: make([]policydocument.Statement, len(policy.Statements)),
	}
}

func everybody(principals map[string][]string) bool {
	return slices.Contains(principals["*"], "*") || slices.Contains(principals["AWS"], "*")
}
