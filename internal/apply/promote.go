package apply

import (
	"context"
	"fmt"
	"strings"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/stack"
)

// Promotion is a release that serves a stage and is to serve another one.
type Promotion struct {
	spec   *spec.Spec
	record history.Record
	image  plan.Found
}

// Release returns the release's name.
func (p *Promotion) Release() string { return p.record.Release }

// Source describes what the release was built from.
func (p *Promotion) Source() string { return p.record.Source }

// Promotable returns the release that serves, for another stage. It changes nothing.
func (d *Deployment) Promotable(ctx context.Context) (*Promotion, error) {
	all, err := d.history.List(ctx)
	if err != nil {
		return nil, explain("", err)
	}
	found, err := d.Discover(ctx)
	if err != nil {
		return nil, err
	}
	problem := &diag.Diagnostic{
		Where: "stage " + d.cfg.Spec.Stage,
		Hint:  "aloft up --stage " + d.cfg.Spec.Stage + " makes one, or completes it",
	}
	current := history.Current(all)
	switch open := history.Unfinished(all); {
	case open != nil:
		problem.Summary = fmt.Sprintf("its release %s is %s", open.Release, open.Result)
		return nil, problem
	case current == nil:
		problem.Summary = "has no release that serves"
		return nil, problem
	}
	for _, f := range found {
		if f.Kind == stack.KindImage && f.Value(stack.AttrRelease) == current.Release && f.Broken == "" {
			return &Promotion{spec: d.cfg.Spec, record: *current, image: f}, nil
		}
	}
	problem.Summary = "its release " + current.Release + " has no image left"
	return nil, problem
}

// Promote brings the release of another stage into service, with a copy of its image, like
// any other release. It builds nothing. Variables, secrets and sizes are those of this
// stage. Run again, it completes a promotion that was interrupted.
func (d *Deployment) Promote(ctx context.Context, from *Promotion) (*Status, error) {
	if err := d.checkPromotion(from); err != nil {
		return nil, err
	}
	g := goal{
		spec: d.cfg.Spec, release: from.record.Release, source: from.record.Source, runtime: from.record.Runtime,
		promoted: from.spec.Stage, unprotect: d.cfg.Unprotect,
	}
	err := d.locked(ctx, func(ctx context.Context, tookOver bool) error {
		s, err := d.surveyLocked(ctx, g, tookOver)
		if err != nil {
			return err
		}
		if _, err := d.resumeRollback(ctx, s); err != nil {
			return err
		}
		if s.base.Name != from.image.Status.BaseName {
			return differs(from, []string{fmt.Sprintf(
				"its image is %s, and the servers here need %s", from.image.Status.BaseName, s.base.Name)})
		}
		if err := d.copyImage(ctx, s, from); err != nil {
			return err
		}
		if s, err = d.survey(ctx, g); err != nil {
			return err
		}
		if err := s.checkPlan(ctx, d.keys); err != nil {
			return err
		}
		checks, err := d.preflight(ctx, s)
		if err == nil {
			err = checks.Err()
		}
		if err != nil {
			return err
		}
		return d.deploy(ctx, s)
	})
	if err != nil {
		return nil, err
	}
	return d.Status(ctx)
}

// checkPromotion refuses a release that this stage would not build of the same source:
// the image contains what is built, started and listened to, and the release's command is
// that of the source.
func (d *Deployment) checkPromotion(from *Promotion) error {
	if differences := spec.BuiltInDifferences(from.spec, d.cfg.Spec); len(differences) > 0 {
		return differs(from, differences)
	}
	here, err := d.cfg.Builder.Release(from.image.Status.Base)
	if err != nil {
		return explain("source", err)
	}
	if here == from.record.Release {
		return nil
	}
	source, err := d.cfg.Builder.Source()
	if err != nil {
		return explain("source", err)
	}
	return &diag.Diagnostic{
		Where:   "release " + from.record.Release,
		Summary: "is not what the source here makes, which is release " + here,
		Detail:  fmt.Sprintf("stage %s serves %s; here is %s", from.spec.Stage, from.record.Source, source),
		Hint: "check out the source that stage " + from.spec.Stage + " serves, with the same version of Aloft; " +
			"or release this one there first: aloft up --stage " + from.spec.Stage,
	}
}

// differs refuses a promotion between stages with differences.
func differs(from *Promotion, differences []string) error {
	return &diag.Diagnostic{
		Where:   "release " + from.record.Release,
		Summary: "cannot serve another stage than " + from.spec.Stage + ": they differ in what is built in",
		Detail:  strings.Join(differences, "\n"),
		Hint:    "make them equal in aloft.yaml, or build the release for this stage: aloft up",
	}
}

// copyImage copies the image of another stage, unless this stage has the release's image.
func (d *Deployment) copyImage(ctx context.Context, s *survey, from *Promotion) error {
	if hasImage(s.found, from.record.Release) {
		return nil
	}
	desired, err := s.stackOf(step{phase: stack.PhaseServe})
	if err != nil {
		return err
	}
	image, _ := desired.Get(stack.AddressImage)
	copying := event.Event{
		Address: stack.AddressImage, Step: "17", Message: "copy the image of stage " + from.spec.Stage,
	}
	return d.cfg.Events.Track(copying, error.Error, func() error {
		return d.provisioner().CopyImage(ctx, image, resource.ImageSource{Found: from.image, Region: from.spec.Region})
	})
}
