// Package preflight checks, before anything is created, what would stop a plan in
// the middle: missing permissions, exhausted quotas, zones without the instance type
// and subnets without room. It changes nothing.
package preflight

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

// limit is how long all checks together may take. A check that is not done by then
// counts as not made, because a slow answer must not stop a run.
const limit = 30 * time.Second

// attempts is how often a call is sent at most. An endpoint that does not offer a
// service may answer with errors that are repeated elsewhere.
const attempts = 3

// Caller is the identity that makes the calls.
type Caller struct {
	Account string
	ARN     string
}

// Config describes what is checked.
type Config struct {
	Client        *awsapi.Client
	App           string
	Caller        Caller
	Plan          *plan.Plan
	InstanceTypes []string     // of the servers, in order of preference
	ImageID       string       // of the base image
	Zones         []stack.Zone // of the servers, with what they offer
}

// State is the result of a check.
type State string

// The states.
const (
	OK         State = "ok"
	Failed     State = "failed"
	NotChecked State = "not checked" // the check is not permitted or not offered; Detail says why
)

// Check is one check with its result.
type Check struct {
	Name     string    `json:"check"`
	State    State     `json:"state"`
	Detail   string    `json:"detail"`
	Untried  []string  `json:"untried,omitempty"`  // actions of which EC2 cannot say whether they are allowed
	Problems diag.List `json:"problems,omitempty"` // if it failed
}

// Report lists checks in a fixed order.
type Report []Check

// Err returns the problems of all checks that failed, or nil if none failed.
func (r Report) Err() error {
	var all diag.List
	for _, c := range r {
		all = append(all, c.Problems...)
	}
	return all.Err()
}

// Run makes all checks that concern the plan, at the same time. It returns nil for a
// plan that creates nothing.
func Run(ctx context.Context, c Config) Report {
	if c.Plan.Count(plan.Create)+c.Plan.Count(plan.Replace) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	c.Client = c.Client.WithAttempts(attempts)
	checks := []func(context.Context) Check{c.identity, c.region, c.permissions}
	if c.creates(stack.KindServer) || c.creates(stack.KindScalingGroup) {
		checks = append(checks, c.instanceType)
	}
	if len(c.addressesNeeded()) > 0 {
		checks = append(checks, c.subnets)
	}
	for _, n := range c.needs() {
		checks = append(checks, n.check)
	}
	report := make(Report, len(checks))
	var group errgroup.Group
	for i, check := range checks {
		group.Go(func() error {
			report[i] = check(ctx)
			return nil
		})
	}
	_ = group.Wait() // no check returns an error
	return report
}

// created returns the changes that create resources of a kind.
func (c Config) created(kind stack.Kind) []plan.Change {
	var all []plan.Change
	for _, change := range c.Plan.Changes {
		if change.Kind == kind && (change.Action == plan.Create || change.Action == plan.Replace) {
			all = append(all, change)
		}
	}
	return all
}

func (c Config) creates(kind stack.Kind) bool { return len(c.created(kind)) > 0 }

// identity says who makes the calls. The ARN's second part is the partition of AWS:
// aws, aws-cn or aws-us-gov (AWS General Reference, "Amazon Resource Names").
func (c Config) identity(context.Context) Check {
	partition := ""
	if parts := strings.Split(c.Caller.ARN, ":"); len(parts) > 1 {
		partition = parts[1]
	}
	return Check{
		Name:   "identity",
		State:  OK,
		Detail: fmt.Sprintf("account %s as %s, in the partition %s", c.Caller.Account, c.Caller.ARN, partition),
	}
}

// notChecked returns a check that could not be made.
func notChecked(name string, err error) Check {
	why := awsapi.Message(err)
	var unreadable *smithy.DeserializationError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		why = fmt.Sprintf("there was no answer within %s", limit)
	case awsapi.IsForbidden(err):
		why = "the credentials do not allow " + awsapi.Action(err)
	case awsapi.IsUnsupported(err):
		why = "the endpoint does not offer " + awsapi.Action(err)
	case errors.As(err, &unreadable):
		why = "the endpoint's answer to " + awsapi.Action(err) + " is not AWS's"
	}
	return Check{Name: name, State: NotChecked, Detail: why}
}
