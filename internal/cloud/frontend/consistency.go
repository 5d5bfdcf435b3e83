package frontend

import (
	"context"
	"strings"
	"time"

	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// The lags at AWS's own speed. AWS publishes none: it advises to wait from a couple of
// seconds up to minutes (Amazon EC2 API Reference, Eventual consistency). Tools wait
// for up to five minutes (Terraform's AWS provider, ec2PropagationTimeout), and their
// users report seconds.
var (
	shortLag = manners.Span{Min: 0, Max: 2 * time.Second}
	longLag  = manners.Span{Min: 2 * time.Second, Max: longestLag}
)

const longestLag = 12 * time.Second

// lagRates are the probabilities that a call sees a state of the past. The other calls
// see the present.
type lagRates struct{ short, long float64 }

// lags are the rates by service. Each call reaches some front end, so a call may see
// less than the one before it: Terraform's AWS provider waits for two or three equal
// reads of routes and security groups (ContinuousTargetOccurence).
//
// Services without an entry do not lag: their calls read nothing that was just written.
var lags = map[string]lagRates{
	"ec2": {short: 0.3, long: 0.03},
	// A load balancer, target group or listener is not found right after its creation
	// (hashicorp/terraform-provider-aws#15214), and neither are EC2's resources.
	"elasticloadbalancing": {short: 0.2},
	// A group is missing from a list right after its creation, and launch templates
	// and target groups are unknown at first.
	"autoscaling": {short: 0.2},
	// GetParameter may not find a parameter that was just created: about one of a
	// hundred times, by aws/aws-cdk-cli#830. Nothing is known of lists that lag.
	// PutParameter without Overwrite refuses a second parameter of the name at once,
	// so it is safe to lock with.
	"ssm": {short: 0.02},
	// A listener's certificate may not be found right after its import.
	"acm": {short: 0.1},
	// A role, policy or instance profile is not found right after its creation: Terraform's
	// AWS provider waits two minutes for them (propagationTimeout).
	"iam": {short: 0.2},
}

// propagation is how long EC2 does not know a new instance profile. AWS says that changes
// in IAM reach other services in time (IAM User Guide, "Changes that I make are not always
// immediately visible"), and its users wait for about ten seconds.
var propagation = manners.Span{Min: 3 * time.Second, Max: longestLag}

// lag makes a call see the store as it was a moment ago. A call that changes something
// fails if it refers to what was not there yet.
func (f *FrontEnd) lag(ctx context.Context, call wire.Call) (context.Context, error) {
	rate, ok := lags[call.Service]
	if !ok || call.Operation == "GetParametersByPath" || !f.Manners.Has(manners.Consistency) {
		return ctx, nil
	}
	if err := f.unknownProfile(ctx, call); err != nil {
		f.log(ctx, call, "a new instance profile has not reached the service yet")
		return ctx, err
	}
	behind := f.drawLag(call, rate)
	if behind == 0 {
		return ctx, nil
	}
	past := f.Store.ViewAt(time.Now().Add(-behind))
	if !reads(call.Operation) {
		if err := f.missing(ctx, call, past); err != nil {
			f.log(ctx, call, "a new resource is not known yet")
			return ctx, err
		}
	}
	return store.WithView(ctx, past), nil
}

// drawLag returns how far a call lags behind.
func (f *FrontEnd) drawLag(call wire.Call, rate lagRates) time.Duration {
	subject := call.Service + ":" + call.Operation
	switch {
	case f.Manners.Happens(manners.Consistency, rate.long, "lag long "+subject):
		return f.Manners.Sample(manners.Consistency, longLag, "long lag "+subject)
	case f.Manners.Happens(manners.Consistency, rate.short, "lag "+subject):
		return f.Manners.Sample(manners.Consistency, shortLag, "lag of "+subject)
	}
	return 0
}

// missing returns the error of a call that refers to what the past does not have and
// the present has, or nil.
func (f *FrontEnd) missing(ctx context.Context, call wire.Call, past store.Reader) error {
	notFound := f.NotFound[call.Service]
	if notFound == nil || call.Service != "ec2" && strings.HasPrefix(call.Operation, "Delete") {
		return nil // these services accept the deletion of what does not exist
	}
	present, region := f.Store.View(), wire.RegionFrom(ctx)
	for _, ref := range references(call) {
		if !ref.exists(past, region) && ref.exists(present, region) {
			if err := notFound(ref.field, ref.id); err != nil {
				return err
			}
		}
	}
	return nil
}

// unknownProfile returns the error of a call that names a new instance profile which has
// not reached the service yet, or nil.
func (f *FrontEnd) unknownProfile(ctx context.Context, call wire.Call) error {
	notFound := f.NotFound[call.Service]
	if notFound == nil {
		return nil
	}
	region := wire.RegionFrom(ctx)
	for _, ref := range references(call) {
		if !strings.HasPrefix(ref.field, profileField) {
			continue
		}
		lag := f.Manners.Duration(manners.Consistency, propagation, "propagate an instance profile", ref.id)
		past, present := f.Store.ViewAt(time.Now().Add(-lag)), f.Store.View()
		if !ref.exists(past, region) && ref.exists(present, region) {
			return notFound(ref.field, ref.id)
		}
	}
	return nil
}
