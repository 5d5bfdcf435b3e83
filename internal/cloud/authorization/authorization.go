// Package authorization decides what users and sessions may do in the local cloud. It
// finds out what a call is about, which policies apply to the caller, and asks package
// access. The account's own access key may do everything.
//
// The policies of buckets, topics and secrets count too: see resourcepolicy.go.
//
// Calls are described by tables, one per service. They name the fields of an input that
// name resources. What a table does not say, no policy allows by resource: an operation
// without an entry needs a policy that allows every action on every resource, and one
// whose resources are unknown needs a policy that allows it on every resource. A denial
// of any resource then denies the call.
//
// The resources and condition keys are those of the AWS Service Authorization Reference,
// "Actions, resources, and condition keys for AWS services". Besides the global keys, the
// local cloud has the keys for tags and those that the tables mention.
package authorization

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"aloft.dev/aloft/internal/cloud/access"
	"aloft.dev/aloft/internal/cloud/seal"
	"aloft.dev/aloft/internal/cloud/session"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Config configures an Authorizer.
type Config struct {
	Store    *store.Store
	Sessions *session.Issuer
	Seal     *seal.Key // of the secrets of users' access keys; nil: no user has one
	// Managed returns the document of a policy that AWS manages; nil: there are none.
	Managed func(arn string) (document string, ok bool)
	Now     func() time.Time // nil: time.Now
	Log     *slog.Logger     // nil: discarded
}

// Authorizer authorizes calls. Its methods are safe for concurrent use.
type Authorizer struct {
	Config
	parsed documents
}

// New returns an authorizer.
func New(c Config) *Authorizer {
	if c.Managed == nil {
		c.Managed = func(string) (string, bool) { return "", false }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Seal == nil {
		c.Seal = seal.NewRandomKey()
	}
	return &Authorizer{Config: c}
}

// Around runs an operation if its caller may call it. It is meant for wire.Config, before
// everything else that surrounds operations: a denied call shows nothing about the
// resources that it names.
func (a *Authorizer) Around(
	ctx context.Context, call wire.Call, next func(context.Context) (any, error),
) (any, error) {
	shared, err := a.authorize(ctx, call)
	if err != nil {
		return nil, err
	}
	if shared != nil {
		ctx = wire.WithShared(ctx, shared)
	}
	return next(ctx)
}

// Authorize returns the error of a call that the caller of ctx may not make.
func (a *Authorizer) Authorize(ctx context.Context, call wire.Call) error {
	_, err := a.authorize(ctx, call)
	return err
}

// authorize returns the ARNs of the resources of other accounts that the call is about, all of which are shared
// with the caller, or the error of a call that the caller of ctx may not make.
func (a *Authorizer) authorize(ctx context.Context, call wire.Call) (shared []string, err error) {
	caller := wire.CallerFrom(ctx)
	owner := caller.Principal.Owner()
	if owner && (caller.AccessKeyID == "" || !sharing[call.Service]) {
		return nil, nil
	}
	if err := checkSession(caller.Principal.Session, call); err != nil {
		return nil, err
	}
	view := a.Store.View()
	p, err := a.principal(view, caller)
	if err != nil {
		return nil, a.failed(ctx, call, err)
	}
	if !owner {
		a.recordUse(ctx, p, call.Service)
	}
	for _, need := range newSubject(view, caller, call).needs() {
		guarded := guardedBy(view, need)
		switch {
		case guarded.account != "" && guarded.account != caller.Region.Account():
			if err := a.checkForeign(ctx, call.Service, p, need, guarded); err != nil {
				return nil, err
			}
			shared = append(shared, guarded.arn)
		case !owner:
			if err := a.checkOwn(ctx, call.Service, p, need, guarded.policy); err != nil {
				return nil, err
			}
		}
	}
	return shared, nil
}

// failed denies a call whose caller's policies cannot be evaluated.
func (a *Authorizer) failed(ctx context.Context, call wire.Call, err error) error {
	a.Log.LogAttrs(ctx, slog.LevelWarn, "deny a call", slog.String("request", wire.CallerFrom(ctx).RequestID),
		slog.String("service", call.Service), slog.String("operation", call.Operation), slog.Any("error", err))
	need := need{action: actionOf(call)}
	return denial(call.Service, wire.CallerFrom(ctx).Principal, need, access.Decision{Layer: access.Identity})
}

// need is one permission that a call needs.
type need struct {
	action   string
	resource string              // ARN or "*"
	unknown  bool                // the resource is not known
	creates  bool                // it is the caller's once the operation has created it
	granted  bool                // nothing but a denial prevents it
	keys     map[string][]string // condition keys besides the principal's
}

// check returns the error of a call that lacks a permission.
func (a *Authorizer) check(ctx context.Context, service string, p *principal, n need) error {
	request := a.request(p, n)
	decision := p.policies.Evaluate(request)
	if decision.Allowed || n.granted && p.policies.WithinLimits(request) {
		return nil
	}
	return a.deny(ctx, service, p, n, decision)
}

// request returns what a principal wants to do.
func (a *Authorizer) request(p *principal, n need) access.Request {
	keys := p.keys(a.Now())
	for key, values := range n.keys {
		keys[key] = values
	}
	return access.Request{
		Action: n.action, Resources: []string{n.resource}, Unknown: n.unknown, Context: keys, Modelled: modelled,
	}
}

func (a *Authorizer) deny(ctx context.Context, service string, p *principal, n need, decision access.Decision) error {
	a.log(ctx, p, n, decision)
	return denial(service, withUser(p.caller), n, decision)
}

func (a *Authorizer) log(ctx context.Context, p *principal, n need, decision access.Decision) {
	a.Log.LogAttrs(ctx, slog.LevelDebug, "deny a call", slog.String("request", p.caller.RequestID),
		slog.String("action", n.action), slog.String("layer", string(decision.Layer)))
}

// PassRole returns an error unless the caller of ctx may pass a role to an AWS service,
// such as "ec2.amazonaws.com". asked is the service that the client called.
func (a *Authorizer) PassRole(ctx context.Context, asked string, role *store.Role, to string) error {
	caller := wire.CallerFrom(ctx)
	if caller.Principal.Owner() {
		return nil
	}
	p, err := a.principal(a.Store.View(), caller)
	if err != nil {
		return a.failed(ctx, wire.Call{Service: asked, Operation: "PassRole"}, err)
	}
	return a.check(ctx, asked, p, passRole(role, to))
}

// passRole is the permission to pass a role to a service.
func passRole(role *store.Role, to string) need {
	return need{action: "iam:PassRole", resource: role.ARN, keys: withTags(
		map[string][]string{"iam:PassedToService": {to}}, "iam", role.Tags,
	)}
}

// policyError is why the policies of a principal cannot be evaluated.
func policyError(name string, err error) error {
	return fmt.Errorf("read the policy %s: %w", name, err)
}
