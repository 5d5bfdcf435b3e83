package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/policy"
	"aloft.dev/aloft/internal/view"
)

type policyOptions struct {
	*global
	groups  []string
	explain bool
	part    int
}

func newPolicyCommand(g *global, run func(context.Context, *policyOptions) error) *cobra.Command {
	o := &policyOptions{global: g}
	c := &cobra.Command{
		Use:   "policy [GROUP...]",
		Short: "Print the least IAM policy that the commands need",
		Long: `Prints an IAM policy for groups of commands, or for all of them:

  read       plan, cost, status, releases, verify, why, console, env list, export
  deploy     up, promote, rollback, scale, env
  operate    ssh, logs, drill
  teardown   down

A group contains everything that its commands call. --explain lists the actions instead,
with the groups that need them, and why AWS demands those that Aloft never calls.

AWS limits the size of a managed policy. If a policy is larger, the command says so, and
--part prints it in parts. A user or role needs all of them.`,
		Example: `  aloft policy > policy.json
  aws iam create-policy --policy-name aloft --policy-document file://policy.json
  aloft policy read operate
  aloft policy deploy --part 1 > deploy-1.json
  aloft policy deploy --explain`,
		ValidArgs: policy.Names(),
		RunE: func(c *cobra.Command, args []string) error {
			o.groups = args
			return run(c.Context(), o)
		},
	}
	c.Flags().BoolVar(&o.explain, "explain", false, "list the actions with their groups and reasons")
	c.Flags().IntVar(&o.part, "part", 0, "print `PART` 1, 2, … of a policy that is too large for one managed policy")
	return c
}

func runPolicy(_ context.Context, o *policyOptions) error {
	groups, err := policy.Parse(o.groups)
	if err != nil {
		return diag.List{{
			Where: "aloft policy", Summary: err.Error(), Hint: "the groups are " + strings.Join(policy.Names(), ", "),
			Cause: err,
		}}
	}
	switch actions := policy.Actions(groups); {
	case o.explain && o.json:
		return view.JSON(o.Out, map[string]any{"actions": actions})
	case o.explain:
		rows := [][]string{{"ACTION", "GROUPS", "WHY"}}
		for _, a := range actions {
			rows = append(rows, []string{a.Name, strings.Join(a.Groups, ", "), a.Why})
		}
		o.style(o.Out).Table(o.Out, rows)
		return nil
	}
	parts := policy.Parts(groups, policy.Partition(o.region))
	switch {
	case o.part < 0 || o.part > len(parts):
		return diag.List{{
			Where: "aloft policy", Summary: fmt.Sprintf("there is no part %d of this policy", o.part),
			Hint: fmt.Sprintf("the parts are 1 to %d", len(parts)),
		}}
	case o.part > 0:
		return view.JSON(o.Out, parts[o.part-1])
	}
	whole := policy.Of(groups, policy.Partition(o.region))
	if len(parts) > 1 {
		_, _ = fmt.Fprintf(o.Err, "The policy has %d characters, more than the %d of a managed policy. "+
			"It fits an inline policy of a role; or print it in %d parts with --part.\n",
			whole.Length(), policy.MaxLength, len(parts))
	}
	return view.JSON(o.Out, whole)
}
