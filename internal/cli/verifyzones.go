package cli

import (
	"context"
	"slices"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/drill"
	"aloft.dev/aloft/internal/view"
)

// verifyZones drills every zone of a deployment in turn. Each drill starts when
// the deployment has recovered from the previous one.
func (o *verifyOptions) verifyZones(ctx context.Context) error {
	if err := o.load.check(); err != nil {
		return err
	}
	shown := o.newDrillProgress()
	results, err := o.drillZones(ctx, shown)
	if err := joinCloseError(err, shown.Close()); err != nil {
		return err
	}
	inside := !slices.ContainsFunc(results, func(r drill.Result) bool { return !r.Inside() })
	if o.json {
		err = view.JSON(o.Out, map[string]any{"zones": results, "inside": inside})
	} else {
		for _, r := range results {
			o.printDrill(r)
		}
	}
	if err == nil && !inside {
		return exit(ExitOutside)
	}
	return err
}

func (o *verifyOptions) drillZones(ctx context.Context, shown *drillProgress) ([]drill.Result, error) {
	d, err := o.openFolder(ctx, o.dir, shown.Event)
	if err != nil {
		return nil, err
	}
	if err := o.confirmDrill(d.spec.App, o.load.confirmed); err != nil {
		return nil, err
	}
	status, err := d.deployedStatus(ctx)
	if err != nil {
		return nil, err
	}
	var zones []string
	for _, m := range status.Machines {
		zones = append(zones, m.Zone)
	}
	slices.Sort(zones)
	if zones = slices.Compact(zones); len(zones) == 0 {
		return nil, diag.List{{Where: d.spec.App, Summary: "has no servers", Hint: "aloft up creates them"}}
	}
	var results []drill.Result
	for _, zone := range zones {
		result, err := o.drillOnce(ctx, d, shown.Event, drill.Options{
			Experiment: drill.Zone, At: zone, Rate: o.load.rate, Calm: o.load.calm, Duration: o.load.duration,
			ChangeACLs: o.load.changeACLs, Live: shown.live(),
		})
		if err != nil {
			return nil, err
		}
		o.keepDrill(d.spec, result)
		results = append(results, result)
	}
	return results, nil
}
