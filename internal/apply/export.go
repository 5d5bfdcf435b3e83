package apply

import (
	"context"
	"strings"

	"aloft.dev/aloft/internal/blueprint"
	"aloft.dev/aloft/internal/diag"
)

// Blueprint reads what stands, to export it. It changes nothing.
func (d *Deployment) Blueprint(ctx context.Context) (*blueprint.Blueprint, error) {
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
	if missing := blueprint.Unsupported(found); len(missing) > 0 {
		return nil, &diag.Diagnostic{
			Where: d.cfg.App, Summary: "cannot be exported completely",
			Detail: "there is no export of " + strings.Join(missing, ", "),
			Hint:   "nothing was written; docs/export.md lists what can be exported",
		}
	}
	b, err := blueprint.Read(ctx, blueprint.Source{
		App: d.cfg.App, Region: d.cfg.Region, Client: d.cfg.Client, Found: found,
	})
	if err != nil {
		return nil, explain("", err)
	}
	return b, nil
}
