package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/view"
)

func (a *app) initCommand() *cobra.Command {
	var schema bool
	c := &cobra.Command{
		Use:     "init [DIR]",
		Short:   "Write aloft.yaml for the application in a folder, with what Aloft assumes",
		Example: "  aloft init\n  aloft init ./shop\n  aloft init --schema > aloft.schema.json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if schema {
				text, err := spec.Schema()
				if err != nil {
					return err
				}
				_, err = a.Out.Write(text)
				return err
			}
			return a.init(folder(args))
		},
	}
	c.Flags().BoolVar(&schema, "schema", false, "print the JSON Schema of aloft.yaml, for editors")
	return c
}

func (a *app) init(dir string) error {
	file := filepath.Join(dir, spec.FileName)
	if _, err := os.Stat(file); err == nil {
		return diag.List{
			{Where: file, Summary: "is there already", Hint: "edit it, or remove it and run aloft init again"},
		}
	}
	s, err := spec.Load(dir)
	if err != nil {
		return err
	}
	if a.region != "" {
		s.Region = a.region
	}
	text, err := spec.Write(s)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	if a.json {
		return view.JSON(a.Out, map[string]string{"file": file, "app": s.App, "start": s.Start})
	}
	style := a.style(a.Out)
	_, _ = fmt.Fprintf(
		a.Out,
		"%s Wrote %s: %s runs %q on port %d.\n  Next: %s shows what would be made, %s makes it.\n",
		style.Good("✓"),
		file,
		s.App,
		s.Start,
		s.Port,
		style.Name("aloft plan"),
		style.Name("aloft up"),
	)
	return nil
}
