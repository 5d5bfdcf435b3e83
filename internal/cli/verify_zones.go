package cli

import (
	"context"
	"slices"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/drill"
	"aloft.dev/aloft/internal/view"
)

// verifyZones drills every zone of a deployment in turn. A zone is drilled when
// all is well again after the one before.
func (a *app) verifyZones(ctx context.Context, dir string, f drillFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	tell := a.drillTeller()
	results, err := a.drillZones(ctx, dir, f, tell)
	if err := joined(err, tell.Close()); err != nil {
		return err
	}
	inside := !slices.ContainsFunc(results, func(o drill.Result) bool { return !o.Inside() })
	if a.json {
		err = view.JSON(a.Out, map[string]any{"zones": results, "inside": inside})
	} else {
		for _, o := range results {
			a.drillText(o)
		}
	}
	if err == nil && !inside {
		return exit(ExitOutside)
	}
	return err
}

func (a *app) drillZones(ctx context.Context, dir string, f drillFlags, tell *drillScreen) ([]drill.Result, error) {
	d, err := a.open(ctx, dir, false, tell.Event)
	if err != nil {
		return nil, err
	}
	if err := a.confirmDrill(d.spec.App, f.named); err != nil {
		return nil, err
	}
	status, err := d.deployed(ctx)
	if err != nil {
		return nil, err
	}
	var zones []string
	for _, m := range status.Machines {
		zones = append(zones, m.Zone)
	}
	slices.Sort(zones)
	if zones = slices.Compact(zones); len(zones) == 0 {
		return nil, diag.List{{Where: d.spec.App, Summary: "there is no server in any zone", Hint: "aloft up goes on"}}
	}
	var results []drill.Result
	for _, zone := range zones {
		f.at = zone
		result, err := a.drillHere(ctx, d, drill.Zone, f, tell)
		if err != nil {
			return nil, err
		}
		results = append(results, result)
	}
	return results, nil
}
