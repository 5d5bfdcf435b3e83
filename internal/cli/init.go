package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/view"
)

type initOptions struct {
	*global
	dir    string
	schema bool
}

func newInitCommand(g *global, run func(context.Context, *initOptions) error) *cobra.Command {
	o := &initOptions{global: g}
	c := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write aloft.yaml for the application in a folder",
		Long: `Reads from the application's files how it is built and started, and writes aloft.yaml
with every default that aloft up would assume. It does not overwrite an existing file.`,
		Example: "  aloft init\n  aloft init ./shop\n  aloft init --schema > aloft.schema.json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = folder(args)
			return run(c.Context(), o)
		},
	}
	c.Flags().BoolVar(&o.schema, "schema", false, "print the JSON Schema of aloft.yaml, for editors")
	return c
}

func runInit(_ context.Context, o *initOptions) error {
	if o.schema {
		return printSchema(o.global)
	}
	file := filepath.Join(o.dir, spec.FileName)
	if _, err := os.Stat(file); err == nil {
		return diag.List{{
			Where: file, Summary: "exists already", Hint: "edit it, or remove it and run aloft init again",
		}}
	}
	s, err := o.loadSpec(o.dir)
	if err != nil {
		return err
	}
	text, err := spec.Write(s)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return diag.List{{
			Where: file, Summary: "cannot be written", Detail: err.Error(),
			Hint: "check the folder's permissions", Cause: err,
		}}
	}
	if o.json {
		return view.JSON(o.Out, map[string]string{"file": file, "app": s.App, "start": s.Start})
	}
	style := o.style(o.Out)
	_, _ = fmt.Fprintf(o.Out, "%s Wrote %s: %s runs %q on port %d.\n", style.Good("✓"), file, s.App, s.Start, s.Port)
	_, _ = fmt.Fprintf(o.Out, "  Next: %s shows what Aloft would create, %s creates it.\n",
		style.Name("aloft plan"), style.Name("aloft up"))
	return nil
}

func printSchema(g *global) error {
	text, err := spec.Schema()
	if err != nil {
		return err
	}
	_, err = g.Out.Write(text)
	return err
}
