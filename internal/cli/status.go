package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/view"
)

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "status [DIR]",
		Short:   "Show the URL, the servers and their health, and what a group will do next",
		Example: "  aloft status\n  aloft status --json | jq -r .url",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return a.status(c.Context(), folder(args)) },
	}
}

func (a *app) status(ctx context.Context, dir string) error {
	d, err := a.open(ctx, dir, false, nil)
	if err != nil {
		return err
	}
	if err := a.afterDrill(ctx, d, looks); err != nil {
		return err
	}
	status, err := d.deployed(ctx)
	if err != nil {
		return err
	}
	if a.json {
		return view.JSON(a.Out, status)
	}
	style := a.style(a.Out)
	url := status.URL
	if url == "" {
		url = "no load balancer yet: aloft up goes on"
	}
	_, _ = fmt.Fprintf(a.Out, "%s in %s: %s\n\n", style.Strong(status.App), status.Region, url)
	a.machines(status)
	if status.Scaling != nil {
		a.scaling(status.Scaling)
	}
	return nil
}

// deployed is the status of a deployment of which something stands.
func (d *deployment) deployed(ctx context.Context) (*apply.Status, error) {
	s, err := d.Status(ctx)
	if err != nil {
		return nil, err
	}
	if s.VPCID == "" && s.LoadBalancerARN == "" && len(s.Machines) == 0 {
		return nil, diag.List{{Where: s.App, Summary: "is not deployed in " + s.Region, Hint: "aloft up deploys it"}}
	}
	return s, nil
}

// machines prints the servers, a row each.
func (a *app) machines(s *apply.Status) {
	style := a.style(a.Out)
	rows := [][]string{{"SERVER", "ZONE", "PRIVATE IP", "PUBLIC IP", "STATE", "HEALTH", "INSTANCE"}}
	grouped := slices.ContainsFunc(s.Machines, func(m apply.Machine) bool { return m.Lifecycle != "" })
	if grouped {
		rows[0] = append(rows[0], "IN THE GROUP")
	}
	for _, m := range s.Machines {
		health := style.Warn(m.Health)
		switch m.Health {
		case "healthy":
			health = style.Good(m.Health)
		case "unhealthy":
			health = style.Bad(m.Health)
		}
		row := []string{m.Name, m.Zone, m.PrivateIP, m.PublicIP, m.State, health, m.InstanceID}
		if grouped {
			row = append(row, m.Lifecycle)
		}
		rows = append(rows, row)
	}
	style.Table(a.Out, rows)
}
