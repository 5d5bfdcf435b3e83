package apply

import (
	"fmt"
	"slices"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// isProtected reports whether a resource was protected by the spec of an earlier run.
func isProtected(f plan.Found) bool { return f.Status.Tags[stack.TagProtected] != "" }

// protectionProblems refuses a plan that deletes or replaces what is protected. A second
// resource at an address, which a killed run left, serves nobody.
func (s *survey) protectionProblems() (problems diag.List) {
	for _, c := range s.plan.Changes {
		_, kept := s.plan.Kept[c.Address]
		if c.Kind.Replaceable() || c.Action == plan.Delete && kept || !slices.ContainsFunc(c.Retire, isProtected) {
			continue
		}
		problems.Add(c.Address, "restore it in aloft.yaml; if it may go, add --unprotect",
			"is protected, and the plan would %s it: %s", c.Action, c.Title)
	}
	return problems
}

// protectedProblem refuses to delete an application that is protected.
func protectedProblem(app string, found []plan.Found) error {
	n := 0
	for _, f := range found {
		if isProtected(f) {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return diag.List{{
		Where:   app,
		Summary: fmt.Sprintf("is protected (protect: true in its aloft.yaml), with %d resources", n),
		Hint:    "if all of it may go, add --unprotect",
	}}
}
