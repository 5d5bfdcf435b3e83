package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/drill"
	"aloft.dev/aloft/internal/drill/archive"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/view"
)

// drillResult prints what a drill measured, and returns the exit code for it.
func (g *global) drillResult(r drill.Result, svg string) error {
	if svg != "" {
		if err := os.WriteFile(svg, r.SVG(), 0o644); err != nil {
			return diag.List{{
				Where: svg, Summary: "the picture cannot be written", Detail: err.Error(),
				Hint: "give --svg a file in a folder that you can write to", Cause: err,
			}}
		}
	}
	if g.json {
		if err := view.JSON(g.Out, r); err != nil {
			return err
		}
	} else {
		g.printDrill(r)
	}
	if !r.Inside() {
		return exit(ExitOutside)
	}
	return nil
}

func (g *global) printDrill(r drill.Result) {
	style := g.style(g.Out)
	r.Text(g.Out, terminalWidth(g.Out), style.Strong)
	if r.Capacity != nil {
		_, _ = fmt.Fprintf(g.Out, "%s capacity: %.0f requests per second, %.0f per server\n",
			style.Good("✓"), r.Capacity.Rate, r.Capacity.PerMachine)
	}
}

// drillArchive returns the archive of an application's drills in a region.
func (g *global) drillArchive(app, region string) (archive.Archive, error) {
	data, err := dataDir(runtime.GOOS, os.Getenv)
	if err != nil {
		return archive.Archive{}, diag.List{{
			Where: "reports of drills", Summary: "there is no folder for them", Detail: err.Error(),
			Hint: "set XDG_DATA_HOME to a folder of your own", Cause: err,
		}}
	}
	return archive.Archive{Dir: filepath.Join(data, "aloft", g.on, "drills", region, app)}, nil
}

// keepDrill keeps the report of a drill for the console. A drill whose report cannot be kept is
// as good as any other.
func (g *global) keepDrill(s *spec.Spec, r drill.Result) {
	kept, err := g.drillArchive(s.App, s.Region)
	if err == nil {
		_, err = kept.Add(r)
	}
	if err != nil && !g.json {
		_, _ = fmt.Fprintf(g.Err, "%s The console will not show this drill: %v\n", g.style(g.Err).Warn("!"), err)
	}
}
