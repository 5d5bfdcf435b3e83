package cli

import (
	"context"
	"fmt"
	"os"
	"time"

	"aloft.dev/aloft/internal/view"
)

func runLocalStatus(ctx context.Context, o *localStatusOptions) error {
	layout, err := o.layout()
	if err != nil {
		return err
	}
	running, err := findDaemon(ctx, layout)
	if err != nil {
		return notRunning(err, "sudo aloft local start"+o.cloudFlags())
	}
	status, err := running.Status(ctx, layout)
	if err != nil {
		return err
	}
	if o.json {
		return view.JSON(o.Out, status)
	}
	style := o.style(o.Out)
	since := running.StartedAt.Local().Format(time.DateTime)
	_, _ = fmt.Fprintf(o.Out, "%s The local cloud runs at http://%s: version %s, pid %d, since %s.\n",
		style.Good("✓"), running.Address, running.Version, running.PID, since)
	if status.Simulated {
		_, _ = fmt.Fprintln(o.Out, "  "+simulatedNote)
	}
	_, _ = fmt.Fprintln(o.Out, "  "+mannersLine(status.Manners))
	if emails, err := os.ReadDir(layout.Outbox()); err == nil && len(emails) > 0 {
		_, _ = fmt.Fprintf(o.Out, "  Emails of topics are in %s: %d, the newest %s.\n",
			layout.Outbox(), len(emails), emails[len(emails)-1].Name())
	}
	rows := [][]string{{"BASE IMAGE", "STATE", ""}}
	for _, image := range status.Images {
		rows = append(rows, []string{image.Name, image.State, image.Reason})
	}
	style.Table(o.Out, rows)
	if len(status.Machines) == 0 {
		_, _ = fmt.Fprintln(o.Out, "  No instances.")
		return nil
	}
	rows = [][]string{{"INSTANCE", "REGION", "STATE", "MEMORY"}}
	for _, m := range status.Machines {
		rows = append(rows, []string{m.ID, m.Region, m.State, fmt.Sprintf("%d MiB", m.MemoryBytes>>20)})
	}
	style.Table(o.Out, rows)
	return nil
}
