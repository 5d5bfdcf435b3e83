package preflight

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
)

// trialsAtOnce limits the dry runs in flight, because EC2 throttles bursts.
const trialsAtOnce = 8

// trial is the dry run of an action. EC2 answers DryRunOperation if the credentials
// allow it and UnauthorizedOperation if not (Amazon EC2 API Reference, "Common query
// parameters", DryRun).
type trial struct {
	action string // "ec2:CreateVpc"
	run    func(context.Context, *ec2.Client) error
}

// permissions tries all calls of EC2 with which the plan creates, changes and deletes.
// The other services offer no dry run.
func (c Config) permissions(ctx context.Context) Check {
	const name = "permissions"
	trials := c.trials()
	errs := make([]error, len(trials))
	var group errgroup.Group
	group.SetLimit(trialsAtOnce)
	for i, t := range trials {
		group.Go(func() error {
			errs[i] = t.run(ctx, c.Client.EC2)
			return nil
		})
	}
	_ = group.Wait() // no trial returns an error
	var allowed int
	var denied, untried []string
	var cause error
	for i, t := range trials {
		switch err := errs[i]; {
		case awsapi.Code(err) == "DryRunOperation":
			allowed++
		case awsapi.IsForbidden(err):
			cause = err
			denied = append(denied, fmt.Sprintf("%s: %s: %s", t.action, awsapi.Code(err), awsapi.Message(err)))
		default: // what it would change does not exist yet, or the request failed
			untried = append(untried, t.action)
		}
	}
	if len(denied) > 0 {
		return failed(name, &diag.Diagnostic{
			Where:   name,
			Summary: fmt.Sprintf("the credentials do not allow %d of the actions that the plan needs", len(denied)),
			Detail:  strings.Join(denied, "\n"),
			Hint:    "ask for these permissions; aloft policy deploy prints a policy with all that aloft up needs",
			Cause:   cause,
		})
	}
	detail := fmt.Sprintf("EC2 allows all %d actions that the plan needs", allowed)
	if len(untried) > 0 {
		detail = fmt.Sprintf("EC2 allows %d of the %d actions that the plan needs; it cannot try the others, "+
			"because what they concern does not exist yet", allowed, len(trials))
	}
	state := OK
	if allowed == 0 {
		state = NotChecked
	}
	return Check{Name: name, State: state, Detail: detail, Untried: untried}
}

// trials returns one trial for each action of the plan, sorted by action.
func (c Config) trials() []trial {
	var all []trial
	for _, change := range c.Plan.Changes {
		if change.Action != plan.Delete {
			all = append(all, c.changing(change)...)
		}
		if change.Action == plan.Delete || change.Action == plan.Replace {
			for _, f := range change.Retire {
				all = append(all, deleting(f)...)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b trial) int { return strings.Compare(a.action, b.action) })
	return slices.CompactFunc(all, func(a, b trial) bool { return a.action == b.action })
}
