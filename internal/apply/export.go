package apply

import (
	"context"
	"strings"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/terraform"
)

// ExportTerraform returns what stands as Terraform configuration. It changes nothing.
func (d *Deployment) ExportTerraform(ctx context.Context) (terraform.Files, error) {
	cloud := d.cloud
	cloud.Protected = true // whoever has set it
	found, err := cloud.Discover(ctx)
	if err != nil {
		return nil, explain("", err)
	}
	if len(found) == 0 {
		return nil, &diag.Diagnostic{
			Where: d.cfg.App, Summary: "is not deployed in " + d.cfg.Region, Hint: "aloft up deploys it",
		}
	}
	if missing := terraform.Unsupported(found); len(missing) > 0 {
		return nil, &diag.Diagnostic{
			Where: d.cfg.App, Summary: "cannot be exported completely",
			Detail: "there is no export of " + strings.Join(missing, ", "),
			Hint:   "nothing was written; docs/export.md lists what can be exported",
		}
	}
	files, err := terraform.Write(ctx, terraform.Source{
		App: d.cfg.App, Region: d.cfg.Region, Client: d.cfg.Client, Found: found,
	})
	if err != nil {
		return nil, explain("", err)
	}
	return files, nil
}
