package cli

import (
	"context"
	"strconv"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/drill"
	"aloft.dev/aloft/internal/environment"
	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/history"
	"aloft.dev/aloft/internal/operator"
	"aloft.dev/aloft/internal/spec"
)

// folderActions are the actions that pages can ask for: they do what the commands do with the application in a
// folder. Each reads the spec anew.
type folderActions struct {
	global *global
	dir    string
}

var _ operator.Actions = folderActions{}

// Status implements operator.Actions.
func (a folderActions) Status(ctx context.Context) (*apply.Status, error) {
	d, err := a.global.openFolder(ctx, a.dir, nil)
	if err != nil {
		return nil, err
	}
	return d.deployedStatus(ctx)
}

// Preview implements operator.Actions.
func (a folderActions) Preview(ctx context.Context, o drill.Options) (drill.Preview, error) {
	d, err := a.global.openFolder(ctx, a.dir, nil)
	if err != nil {
		return drill.Preview{}, err
	}
	status, err := d.deployedStatus(ctx)
	if err != nil {
		return drill.Preview{}, err
	}
	o.Settings = drillSettings(d.spec)
	return a.global.newDrill(d, nil).Preview(ctx, status, o)
}

// Drill implements operator.Actions.
func (a folderActions) Drill(ctx context.Context, o drill.Options, events event.Sink) (drill.Result, error) {
	d, err := a.global.openFolder(ctx, a.dir, events)
	if err != nil {
		return drill.Result{}, err
	}
	return a.global.drillOnce(ctx, d, events, o)
}

// Releases implements operator.Actions.
func (a folderActions) Releases(ctx context.Context) ([]apply.Release, error) {
	d, err := a.global.openFolder(ctx, a.dir, nil)
	if err != nil {
		return nil, err
	}
	return d.Releases(ctx)
}

// Variables implements operator.Actions.
func (a folderActions) Variables(ctx context.Context, r history.Record) (*environment.Environment, error) {
	d, err := a.global.openFolder(ctx, a.dir, nil)
	if err != nil {
		return nil, err
	}
	return d.Variables(ctx, r)
}

// Rollback implements operator.Actions.
func (a folderActions) Rollback(ctx context.Context, number int, events event.Sink) error {
	d, err := a.global.openFolder(ctx, a.dir, events)
	if err != nil {
		return err
	}
	if err := a.global.handleUnfinishedDrill(ctx, d, willChange); err != nil {
		return err
	}
	_, _, err = d.Rollback(ctx, strconv.Itoa(number))
	return err
}

// newOperator returns the operator of the application in a folder.
func (g *global) newOperator(s *spec.Spec, dir string) (*operator.Operator, error) {
	kept, err := g.drillArchive(s.App, s.Region)
	if err != nil {
		return nil, err
	}
	return operator.New(operator.Config{
		App: s.App, Region: s.Region, TypeName: g.on == "aws", Archive: kept,
		Actions: folderActions{global: g, dir: dir},
	}), nil
}
