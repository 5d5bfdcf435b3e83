package cli

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/blueprint"
	"aloft.dev/aloft/internal/cloudformation"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/terraform"
	"aloft.dev/aloft/internal/view"
)

type exportOptions struct {
	*global
	dir, to string
	format  exportFormat
}

// exportFormat is what the code of another tool looks like, and what to type next, given the
// folder.
type exportFormat struct {
	write func(*blueprint.Blueprint) map[string][]byte
	next  func(folder string, name func(string) string) string
}

var terraformFormat = exportFormat{
	write: func(b *blueprint.Blueprint) map[string][]byte { return terraform.Write(b) },
	next: func(folder string, name func(string) string) string {
		return name("terraform -chdir="+folder+" init") + ", then " + name("terraform -chdir="+folder+" plan") +
			" shows what would change."
	},
}

var cloudFormationFormat = exportFormat{
	write: cloudformation.Write,
	next: func(folder string, name func(string) string) string {
		template := filepath.Join(folder, cloudformation.TemplateFile)
		return name("aws cloudformation validate-template --template-body file://"+template) +
			"; docs/export.md says how a stack takes over what stands."
	},
}

func newExportCommand(g *global, run func(context.Context, *exportOptions) error) *cobra.Command {
	c := &cobra.Command{
		Use:   "export",
		Short: "Write what stands as code of another tool",
		Long: `Aloft keeps no state of its own, so another tool can take an application over at any
time. The tool is the first argument.`,
		Example: "  aloft export terraform infrastructure",
	}
	o := &exportOptions{global: g}
	c.AddCommand(&cobra.Command{
		Use:   "terraform FOLDER [DIR]",
		Short: "Write what stands as Terraform configuration, with imports",
		Long: `Reads the deployment from the cloud and writes it to FOLDER, which must not exist or be
empty: resources with references in place of ids, variables for what differs elsewhere,
and in imports.tf the blocks with which Terraform takes over what stands. Without that
file, it creates the same again. Values of environment variables are not written.`,
		Example: `  aloft export terraform infrastructure
  aloft export terraform infrastructure ./shop --stage production --on aws`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			o.to, o.dir, o.format = args[0], folder(args[1:]), terraformFormat
			return run(c.Context(), o)
		},
	}, &cobra.Command{
		Use:   "cloudformation FOLDER [DIR]",
		Short: "Write what stands as CloudFormation templates, with imports",
		Long: `Reads the deployment from the cloud and writes it to FOLDER, which must not exist or be
empty: template.json creates the same elsewhere, with parameters for what differs there;
import.json and resources-to-import.json are for a change set of type IMPORT, with which
a stack takes over what stands. Values of environment variables are not written.`,
		Example: `  aloft export cloudformation infrastructure
  aloft export cloudformation infrastructure ./shop --stage production --on aws`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			o.to, o.dir, o.format = args[0], folder(args[1:]), cloudFormationFormat
			return run(c.Context(), o)
		},
	})
	return c
}

func runExport(ctx context.Context, o *exportOptions) error {
	if entries, err := os.ReadDir(o.to); err == nil && len(entries) > 0 {
		return diag.List{{
			Where: o.to, Summary: "is not empty", Hint: "name a folder that does not exist, or remove what is in it",
		}}
	}
	d, err := o.openFolder(ctx, o.dir, nil)
	if err != nil {
		return err
	}
	b, err := d.Blueprint(ctx)
	if err != nil {
		return err
	}
	files := o.format.write(b)
	if err := writeFiles(o.to, files); err != nil {
		return diag.List{{
			Where: o.to, Summary: "cannot be written", Detail: err.Error(), Hint: "check the folder's permissions",
			Cause: err,
		}}
	}
	names := slices.Sorted(maps.Keys(files))
	if o.json {
		return view.JSON(o.Out, map[string]any{
			"app": d.spec.App, "region": d.spec.Region, "folder": o.to, "files": names,
		})
	}
	style := o.style(o.Out)
	_, err = fmt.Fprintf(o.Out, "%s Wrote %s in %s to %s: %d files.\n  Next: %s\n",
		style.Good("✓"), d.spec.Title(), d.spec.Region, o.to, len(names), o.format.next(o.to, style.Name))
	return err
}

func writeFiles(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
