// Package autoscaling serves the API of Amazon EC2 Auto Scaling in the local
// cloud: Auto Scaling groups, their launch sources, scaling policies, scheduled
// actions, lifecycle hooks and instance refreshes.
//
// Handlers validate a request and write what is desired. The scaling loop reads
// it and launches and terminates instances; Fleet carries out its calls to the
// other services. Responses, limits and errors follow the Amazon EC2 Auto Scaling
// API Reference and User Guide.
package autoscaling

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
)

// Templates is the part of Amazon EC2 that the API calls: regions and launch
// templates.
type Templates interface {
	// EnsureRegion creates a region's default resources on its first use. It
	// refuses regions that do not exist.
	EnsureRegion(region identity.Region) error
	// ResolveTemplate completes a reference with the template's ID, name and
	// version number.
	ResolveTemplate(region identity.Region, ref store.TemplateRef) (store.TemplateRef, error)
	// UsesImageAlias reports whether a template names its image by a parameter of
	// AWS Systems Manager.
	UsesImageAlias(r store.Reader, region identity.Region, ref store.TemplateRef) (bool, error)
	// CheckLaunch returns EC2's error if EC2 would refuse a launch, or if the caller of
	// ctx may not make it.
	CheckLaunch(ctx context.Context, region identity.Region, l ec2.Launch) error
}

var _ Templates = (*ec2.API)(nil)

// Config has an API's dependencies.
type Config struct {
	Store     *store.Store
	Templates Templates
	Now       func() time.Time // default: time.Now
	IDs       *identity.Source // default: random IDs
	Manners   *manners.Set     // nil: a kind cloud
	Publisher Publisher        // with the roles of lifecycle hooks
	// PassRole returns an error unless the caller of ctx may pass a role to Auto Scaling; nil:
	// every caller may.
	PassRole func(ctx context.Context, role *store.Role) error
}

// API implements the operations of Amazon EC2 Auto Scaling.
type API struct{ Config }

// New returns an API.
func New(c Config) *API {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.IDs == nil {
		c.IDs = identity.New(nil)
	}
	if c.PassRole == nil {
		c.PassRole = func(context.Context, *store.Role) error { return nil }
	}
	return &API{c}
}

// model returns the errors of requests that violate the API's model.
const model = constraint.Model("ValidationError")

// invalid returns the error of a parameter with an invalid value.
func invalid(format string, args ...any) error { return model.Errorf(format, args...) }

// checkName checks what the names of groups, policies, hooks and scheduled
// actions have in common: they are required and have 1 to 255 bytes.
func checkName(member string, name *string) error {
	switch {
	case name == nil:
		return model.Null(member)
	case *name == "":
		return model.Empty(member)
	case len(*name) > 255:
		return model.TextTooLong(member, *name, 255)
	}
	return nil
}

// setIfGiven sets a field to a parameter that the request has.
func setIfGiven[T any](field, given *T) {
	if given != nil {
		*field = *given
	}
}

// setNonEmpty sets an optional member of a response. Without a value it is absent.
func setNonEmpty(member **string, value string) {
	if value != "" {
		*member = &value
	}
}

// nonNil returns list, or an empty list for nil: the response has the member
// either way.
func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// timeOrNil returns nil for the zero time: the response lacks the member.
func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return aws.Time(t)
}
