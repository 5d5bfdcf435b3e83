package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/view"
)

func runLocalManners(ctx context.Context, o *localMannersOptions) error {
	layout, err := o.layout()
	if err != nil {
		return err
	}
	running, err := findDaemon(ctx, layout)
	if err != nil {
		return notRunning(err, "sudo aloft local start --manners aws"+o.cloudFlags())
	}
	if err := o.changeManners(ctx, running, layout, o.change); err != nil {
		return err
	}
	status, err := running.Status(ctx, layout)
	if err != nil {
		return err
	}
	if o.json {
		return view.JSON(o.Out, status.Manners)
	}
	o.printManners(status.Manners)
	return nil
}

// empty reports whether nothing changes.
func (c mannersChange) empty() bool { return c.manners == nil && c.seed == nil && c.timeScale == nil }

// of returns the settings after the change.
func (c mannersChange) of(settings manners.Settings) manners.Settings {
	if c.manners != nil {
		settings.Manners = c.manners
	}
	if c.seed != nil {
		settings.Seed = *c.seed
	}
	if c.timeScale != nil {
		settings.TimeScale = *c.timeScale
	}
	return settings
}

// changeManners makes a running local cloud behave differently.
func (g *global) changeManners(
	ctx context.Context, running host.Daemon, layout host.Layout, change mannersChange,
) error {
	if change.empty() {
		return nil
	}
	if err := g.requireSameVersion(running); err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return needsRoot(os.ErrPermission, "run the same command with sudo")
	}
	settings, err := host.ReadManners(layout)
	if err != nil {
		return err
	}
	return running.UseManners(ctx, layout, change.of(settings))
}

// recordManners records the manners of a local cloud that does not run yet.
func recordManners(layout host.Layout, change mannersChange) error {
	if change.empty() {
		return nil
	}
	settings, err := host.ReadManners(layout)
	if err != nil {
		return err
	}
	return host.WriteManners(layout, change.of(settings))
}

// printManners prints which manners the local cloud has, and what all of them are.
func (g *global) printManners(settings manners.Settings) {
	style := g.style(g.Out)
	_, _ = fmt.Fprintln(g.Out, mannersLine(settings))
	on := map[manners.Manner]string{}
	for _, m := range settings.Manners {
		on[m] = "on"
	}
	rows := [][]string{{"MANNER", "", "WHAT THE CLOUD DOES", "SOURCE"}}
	for _, d := range manners.Descriptions() {
		rows = append(rows, []string{string(d.Manner), on[d.Manner], d.What, d.Source})
	}
	style.Table(g.Out, rows)
}

// noteManners says after a start that the local cloud is not kind, because it keeps
// the manners that an earlier command gave it.
func (g *global) noteManners(layout host.Layout) {
	if settings, err := host.ReadManners(layout); err == nil && len(settings.Manners) > 0 {
		_, _ = fmt.Fprintln(g.Err, "  "+mannersLine(settings))
	}
}

// mannersLine describes settings in one line.
func mannersLine(settings manners.Settings) string {
	if len(settings.Manners) == 0 {
		return "The local cloud is kind: instant, consistent and unlimited."
	}
	list := strings.ReplaceAll(mannerNames(settings.Manners), ",", ", ")
	if len(settings.Manners) == len(manners.All()) {
		list = "all"
	}
	return fmt.Sprintf("The local cloud has manners of AWS: %s (seed %d, time scale %g).",
		list, settings.Seed, settings.TimeScale)
}
