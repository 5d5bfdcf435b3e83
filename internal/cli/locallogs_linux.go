package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"aloft.dev/aloft/internal/diag"
)

// logPoll is how often local logs --follow checks the log for new lines.
const logPoll = 200 * time.Millisecond

func runLocalLogs(ctx context.Context, o *localLogsOptions) error {
	layout, err := o.layout()
	if err != nil {
		return err
	}
	f, err := os.Open(layout.Log())
	if errors.Is(err, fs.ErrNotExist) {
		return diag.List{{
			Where:   "local cloud",
			Summary: "has no log: it was never started in the background",
			Hint:    "sudo aloft local start" + o.cloudFlags(),
			Cause:   err,
		}}
	}
	if errors.Is(err, fs.ErrPermission) {
		return needsRoot(err, "sudo aloft local logs")
	}
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	defer func() { _ = f.Close() }()
	tick := time.NewTicker(logPoll)
	defer tick.Stop()
	for {
		if _, err := io.Copy(o.Out, f); err != nil {
			return fmt.Errorf("print the log: %w", err)
		}
		if !o.follow {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := rewindIfShorter(f); err != nil {
			return fmt.Errorf("print the log: %w", err)
		}
	}
}

// rewindIfShorter continues at the beginning of a log that began again.
func rewindIfShorter(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err == nil && at > info.Size() {
		_, err = f.Seek(0, io.SeekStart)
	}
	return err
}
