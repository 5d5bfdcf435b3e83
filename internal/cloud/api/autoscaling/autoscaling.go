// Package autoscaling answers Amazon EC2 Auto Scaling for the local cloud:
// groups of instances, what they are launched from, and when they grow and
// shrink. Handlers write what is wanted; the scaling loop launches and ends
// instances. Facts about answers, limits and errors: Amazon EC2 Auto Scaling API
// Reference and User Guide.
package autoscaling

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/api/ec2"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Templates is what the API asks Amazon EC2 about launch templates.
type Templates interface {
	EnsureRegion(region string) error
	// ResolveTemplate gives a reference with id, name and version number.
	ResolveTemplate(region string, ref store.TemplateRef) (store.TemplateRef, error)
	// UsesImageAlias tells whether a template names its image by a parameter.
	UsesImageAlias(r store.Reader, region string, ref store.TemplateRef) (bool, error)
	// CheckLaunch tells why a launch would be refused.
	CheckLaunch(region string, l ec2.Launch) error
}

var _ Templates = (*ec2.API)(nil)

// Config is what the API works with.
type Config struct {
	Store     *store.Store
	Templates Templates
	Now       func() time.Time // nil: time.Now
	IDs       *identity.Source // nil: a source of random ids
}

// API serves the operations of Amazon EC2 Auto Scaling.
type API struct{ Config }

// New makes the API.
func New(c Config) *API {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.IDs == nil {
		c.IDs = identity.New(nil)
	}
	return &API{c}
}

func region(ctx context.Context) string { return wire.CallerFrom(ctx).Region }

// model refuses what breaks the API's model.
const model = constraint.Model("ValidationError")

// invalid is the answer to a parameter with a wrong value.
func invalid(format string, args ...any) error {
	return wire.Errorf("ValidationError", format, args...)
}

// checkName applies what all names of groups, policies, hooks and scheduled
// actions have in common.
func checkName(member string, name *string) error {
	switch {
	case name == nil:
		return model.Null(member)
	case len(*name) < 1 || len(*name) > 255:
		return model.Refuse(member, *name, "have length between 1 and 255, inclusive")
	}
	return nil
}

func setIfGiven[T any](field, given *T) {
	if given != nil {
		*field = *given
	}
}

func setNonEmpty(field **string, value string) {
	if value != "" {
		*field = &value
	}
}

func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return aws.Time(t)
}
