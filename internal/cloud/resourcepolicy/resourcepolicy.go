// Package resourcepolicy has what the policies of buckets, topics and secrets have in common: which principals
// they may name. Package authorization carries the policies out.
package resourcepolicy

import (
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/policydocument"
)

// UnsupportedError is the error for a statement that the local cloud would not honour.
type UnsupportedError struct{ what string }

func (e *UnsupportedError) Error() string { return e.what }

// Check refuses statements about principals that cannot reach a resource of an account here: those of other
// accounts, except others, and identity providers.
func Check(document *policydocument.Document, account string, others ...func(principal string) bool) error {
	for i := range document.Statements {
		s := &document.Statements[i]
		if len(s.NotPrincipals) > 0 {
			return &UnsupportedError{"policies of resources with NotPrincipal"}
		}
		for kind, names := range s.Principals {
			for _, name := range names {
				known := kind == "Service" || name == "*" || kind == "AWS" && isOf(account, name) ||
					slices.ContainsFunc(others, func(is func(string) bool) bool { return is(name) })
				if !known {
					return &UnsupportedError{"policies of resources for the principal " + name + " of type " + kind +
						", who is not of the account"}
				}
			}
		}
	}
	return nil
}

// isOf reports whether a principal is an account or of it. Unique ids tell no account.
func isOf(account, principal string) bool {
	if !strings.HasPrefix(principal, "arn:") {
		return principal == account || strings.HasPrefix(principal, "A")
	}
	parts := strings.SplitN(principal, ":", 6)
	return len(parts) == 6 && parts[4] == account
}

// IsPublic reports whether a statement of a policy allows something to everybody, without conditions.
func IsPublic(document *policydocument.Document) bool {
	return slices.ContainsFunc(document.Statements, func(s policydocument.Statement) bool {
		return s.Allow && len(s.Conditions) == 0 &&
			(slices.Contains(s.Principals["*"], "*") || slices.Contains(s.Principals["AWS"], "*"))
	})
}
