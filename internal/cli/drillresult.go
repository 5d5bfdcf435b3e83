package cli

import (
	"fmt"
	"os"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/drill"
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
