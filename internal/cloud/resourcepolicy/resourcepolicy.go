// Package resourcepolicy has what the policies of buckets, topics and secrets have in common: which principals
// they may name. Package authorization carries the policies out.
package resourcepolicy

import (
	"slices"

	"aloft.dev/aloft/internal/cloud/policydocument"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Check refuses statements that the local cloud would not honour as not implemented. Principals of other accounts may
// exist.
func Check(document *policydocument.Document) error {
	for i := range document.Statements {
		s := &document.Statements[i]
		if len(s.NotPrincipals) > 0 {
			return wire.NotImplemented("policies of resources with NotPrincipal")
		}
		for kind, names := range s.Principals {
			if kind != "*" && kind != "AWS" && kind != "Service" {
				return wire.NotImplemented("policies of resources for the principal %s of type %s", names[0], kind)
			}
		}
	}
	return nil
}

// IsPublic reports whether a statement of a policy allows something to everybody, without conditions.
func IsPublic(document *policydocument.Document) bool {
	return slices.ContainsFunc(document.Statements, func(s policydocument.Statement) bool {
		return s.Allow && len(s.Conditions) == 0 &&
			(slices.Contains(s.Principals["*"], "*") || slices.Contains(s.Principals["AWS"], "*"))
	})
}
