package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"aloft.dev/aloft/internal/cloud"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/view"
)

func (a *app) stopLocal(ctx context.Context, timeout time.Duration) error {
	place, err := a.place()
	if err != nil {
		return err
	}
	running, err := find(place)
	if errors.Is(err, cloud.ErrNotRunning) {
		// A daemon that was killed may have left machines running.
		if err := cloud.Clear(ctx, place); err != nil {
			return err
		}
		_, _ = fmt.Fprintln(a.Err, "The local cloud is not running.")
		return nil
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, _ = fmt.Fprintln(a.Err, "Stopping the local cloud: machines shut down…")
	if err := running.Stop(ctx); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(
		a.Err,
		"%s Stopped. Everything is kept: %s brings it back.\n",
		a.style(a.Err).Good("✓"),
		a.style(a.Err).Name("aloft local start"),
	)
	return nil
}

func (a *app) restartLocal(ctx context.Context) error {
	place, err := a.place()
	if err != nil {
		return err
	}
	o := startOptions{address: cloud.DefaultAddress}
	running, err := find(place)
	switch {
	case err == nil:
		o = startOptions{address: running.Address, restart: true}
		// What could keep this program from starting is told while the other runs.
		config, err := a.config(startOptions{address: "127.0.0.1:0"})
		if err != nil {
			return err
		}
		if err := cloud.Preflight(config).Err(); err != nil {
			return err
		}
		if err := running.Leave(ctx); err != nil {
			return err
		}
	case !errors.Is(err, cloud.ErrNotRunning):
		return err
	}
	return a.startLocal(ctx, o)
}

func (a *app) resetLocal(ctx context.Context, images bool) error {
	if err := a.confirm("Delete everything in the local cloud?"); err != nil {
		return err
	}
	if err := a.stopLocal(ctx, 2*time.Minute); err != nil {
		return err
	}
	place, err := a.place()
	if err != nil {
		return err
	}
	if err := cloud.Delete(place, images); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(a.Err, "%s The local cloud is empty.\n", a.style(a.Err).Good("✓"))
	return nil
}

// confirm asks before something is deleted. Without a terminal to ask on, the
// user must have said --yes.
func (a *app) confirm(question string) error {
	if a.yes {
		return nil
	}
	in, ok := a.In.(*os.File)
	if !ok || !isTerminal(in) {
		return diag.List{{Summary: question + " There is no terminal to ask on.", Hint: "add --yes if that is meant"}}
	}
	_, _ = fmt.Fprintf(a.Err, "%s [y/N] ", question)
	var answer string
	_, _ = fmt.Fscanln(in, &answer)
	if answer != "y" && answer != "yes" {
		return diag.List{{Summary: "nothing was changed", Hint: "answer y, or add --yes"}}
	}
	return nil
}

func (a *app) localStatus(ctx context.Context) error {
	place, err := a.place()
	if err != nil {
		return err
	}
	running, err := find(place)
	if errors.Is(err, cloud.ErrNotRunning) {
		return diag.List{{Where: "local cloud", Summary: "is not running", Hint: "sudo aloft local start"}}
	}
	if err != nil {
		return err
	}
	status, err := running.Status(ctx)
	if err != nil {
		return err
	}
	if a.json {
		return view.JSON(a.Out, status)
	}
	style := a.style(a.Out)
	_, _ = fmt.Fprintf(
		a.Out,
		"%s The local cloud runs at http://%s: version %s, pid %d, since %s.\n",
		style.Good("✓"),
		running.Address,
		running.Version,
		running.PID,
		running.StartedAt.Local().Format(time.DateTime),
	)
	rows := [][]string{{"BASE IMAGE", "STATE", ""}}
	for _, image := range status.Images {
		rows = append(rows, []string{image.Name, image.State, image.Reason})
	}
	style.Table(a.Out, rows)
	if len(status.Machines) == 0 {
		_, _ = fmt.Fprintln(a.Out, "  No instances.")
		return nil
	}
	rows = [][]string{{"INSTANCE", "REGION", "STATE", "MEMORY"}}
	for _, m := range status.Machines {
		rows = append(rows, []string{m.ID, m.Region, m.State, fmt.Sprintf("%d MiB", m.MemoryBytes>>20)})
	}
	style.Table(a.Out, rows)
	return nil
}

func (a *app) localEnv() error {
	place, err := a.place()
	if err != nil {
		return err
	}
	credentials, err := cloud.ReadCredentials(place)
	if errors.Is(err, fs.ErrNotExist) {
		return diag.List{{Where: "local cloud", Summary: "was never started here", Hint: "sudo aloft local start"}}
	}
	if errors.Is(err, fs.ErrPermission) {
		return onlyRoot(err, `eval "$(sudo aloft local env)"`)
	}
	if err != nil {
		return err
	}
	address := cloud.DefaultAddress
	if running, err := find(place); err == nil {
		address = running.Address
	}
	region := a.region
	if region == "" {
		region = spec.DefaultRegion
	}
	env := [][2]string{
		{"AWS_ENDPOINT_URL", "http://" + address}, {"AWS_REGION", region}, {"AWS_DEFAULT_REGION", region},
		{"AWS_ACCESS_KEY_ID", credentials.AccessKeyID}, {"AWS_SECRET_ACCESS_KEY", credentials.SecretAccessKey},
	}
	if a.json {
		document := map[string]string{}
		for _, pair := range env {
			document[pair[0]] = pair[1]
		}
		return view.JSON(a.Out, document)
	}
	for _, pair := range env {
		_, _ = fmt.Fprintf(a.Out, "export %s=%s\n", pair[0], pair[1])
	}
	return nil
}

// localLogs prints the daemon's log, and with follow what is added to it until
// Ctrl-C.
func (a *app) localLogs(ctx context.Context, follow bool) error {
	place, err := a.place()
	if err != nil {
		return err
	}
	f, err := os.Open(place.Log())
	if errors.Is(err, fs.ErrNotExist) {
		return diag.List{
			{
				Where:   "local cloud",
				Summary: "has no log: it was never started in the background",
				Hint:    "sudo aloft local start",
			},
		}
	}
	if errors.Is(err, fs.ErrPermission) {
		return onlyRoot(err, "sudo aloft local logs")
	}
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	defer func() { _ = f.Close() }()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := io.Copy(a.Out, f); err != nil {
			return fmt.Errorf("print the log: %w", err)
		}
		if !follow {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
