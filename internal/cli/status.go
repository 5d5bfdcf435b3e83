package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/stack"
	"aloft.dev/aloft/internal/view"
)

type statusOptions struct {
	*global
	dir string
}

func newStatusCommand(g *global, run func(context.Context, *statusOptions) error) *cobra.Command {
	o := &statusOptions{global: g}
	return &cobra.Command{
		Use:   "status [DIR]",
		Short: "Show the URL, the servers and their health, and the Auto Scaling group",
		Long: `Reads the deployment from the cloud, with the version of the environment that servers
read when they start, and who runs with another. For an Auto Scaling group it also shows
the alarms, the schedules and the latest activities, and what the group will do next.`,
		Example: "  aloft status\n  aloft status --json | jq -r .url",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = folder(args)
			return run(c.Context(), o)
		},
	}
}

func runStatus(ctx context.Context, o *statusOptions) error {
	d, err := o.openFolder(ctx, o.dir, nil)
	if err != nil {
		return err
	}
	if err := o.handleUnfinishedDrill(ctx, d, willRead); err != nil {
		return err
	}
	status, err := d.deployedStatus(ctx)
	if err != nil {
		return err
	}
	newer, err := d.NewerBaseImage(ctx, status)
	if err != nil {
		return err
	}
	if o.json {
		return view.JSON(o.Out, statusDocument{Status: status, Newer: newer})
	}
	url := status.URL
	if url == "" {
		url = "no load balancer yet: aloft up continues the deployment"
	}
	_, _ = fmt.Fprintf(o.Out, "%s in %s: %s\n", o.style(o.Out).Strong(d.spec.Title()), status.Region, url)
	if status.Environment != "" {
		_, _ = fmt.Fprintf(o.Out, "environment: %s\n", environmentOf(status))
	}
	if status.Alerts != nil {
		_, _ = fmt.Fprintf(o.Out, "alerts: %s\n", alertsOf(status.Alerts))
	}
	_, _ = fmt.Fprintln(o.Out)
	for _, alarm := range firing(status.Alerts) {
		_, _ = fmt.Fprintln(o.Out, o.style(o.Out).Bad(alarm))
	}
	if status.Problem != "" {
		_, _ = fmt.Fprintf(o.Out, "%s\n\n", o.style(o.Out).Bad("The load balancer reports: "+status.Problem))
	}
	o.printServers(status)
	if status.Scaling != nil {
		o.printScaling(status.Scaling)
	}
	if newer != "" {
		_, _ = fmt.Fprintf(o.Out, "\n%s\n", newer)
	}
	return nil
}

// alertsOf names who is notified of failures.
func alertsOf(a *apply.Alerts) string {
	all := make([]string, len(a.Emails))
	for i, address := range a.Emails {
		if all[i] = address; slices.Contains(a.Unconfirmed, address) {
			all[i] += " (is told nothing until it opens the link in the email that it received)"
		}
	}
	return strings.Join(all, ", ")
}

// firing says which alarms have gone off.
func firing(a *apply.Alerts) (lines []string) {
	if a == nil {
		return nil
	}
	for _, address := range a.Firing {
		lines = append(lines, address+" has gone off: "+stack.AlarmTitle(address)+"\n")
	}
	return lines
}

// environmentOf names the version of the environment that servers read when they start, and
// the servers that run with another.
func environmentOf(s *apply.Status) string {
	all := []string{s.Environment}
	for _, m := range s.Machines {
		switch m.Environment {
		case s.Environment:
		case "":
			all = append(all, m.Name+" runs without one")
		case stack.EnvironmentChanges:
			all = append(all, m.Name+" was being restarted with another")
		default:
			all = append(all, m.Name+" runs with "+m.Environment)
		}
	}
	return strings.Join(all, "; ")
}

// statusDocument is the status in the output of --json.
type statusDocument struct {
	*apply.Status

	Newer string `json:"newer_base_image,omitempty"` // a sentence
}

// printServers prints a table of the servers. If none has a public address, the table has no
// column for them.
func (g *global) printServers(s *apply.Status) {
	style := g.style(g.Out)
	rows := [][]string{{"SERVER", "ZONE", "PRIVATE IP", "PUBLIC IP", "STATE", "HEALTH", "INSTANCE"}}
	public := slices.Index(rows[0], "PUBLIC IP")
	private := len(s.Machines) > 0 &&
		!slices.ContainsFunc(s.Machines, func(m apply.Machine) bool { return m.PublicIP != "" })
	var fallbacks []string
	inGroup := slices.ContainsFunc(s.Machines, func(m apply.Machine) bool { return m.Lifecycle != "" })
	if inGroup {
		rows[0] = append(rows[0], "LIFECYCLE")
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
		if inGroup {
			row = append(row, m.Lifecycle)
		}
		rows = append(rows, row)
		if m.Fallback != "" {
			fallbacks = append(fallbacks, fmt.Sprintf("%s: %s", m.Name, m.Fallback))
		}
	}
	if private {
		for i, row := range rows {
			rows[i] = slices.Delete(row, public, public+1)
		}
	}
	style.Table(g.Out, rows)
	if len(fallbacks) > 0 {
		_, _ = fmt.Fprintf(g.Out, "\nFor lack of room (see machines.type and machines.fallback):\n  %s\n",
			strings.Join(fallbacks, "\n  "))
	}
}
