//go:build linux

package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/diag"
)

// MannersSignal makes a daemon read its file of manners again. Only root can write
// the file and signal the daemon, so neither other users of the host nor web pages
// can change how the local cloud behaves.
const MannersSignal = syscall.SIGUSR1

// Bounds of the wait for a daemon to take new manners.
const (
	mannersTimeout = 5 * time.Second
	mannersPoll    = 10 * time.Millisecond
)

// ReadManners returns the manners that a local cloud was last told to have, or
// manners.Default. The file outlives the daemon, so a restart changes nothing.
func ReadManners(layout Layout) (manners.Settings, error) {
	settings := manners.Default()
	data, err := os.ReadFile(layout.manners())
	if errors.Is(err, fs.ErrNotExist) {
		return settings, nil
	}
	if err != nil {
		return settings, fmt.Errorf("read the local cloud's manners: %w", err)
	}
	if err := json.Unmarshal(data, &settings); err != nil {
		return settings, &diag.Diagnostic{
			Where:   layout.manners(),
			Summary: fmt.Sprintf("the file of the local cloud's manners is damaged: %v", err),
			Hint:    "delete the file, then: aloft local start --manners aws",
			Cause:   err,
		}
	}
	return settings, nil
}

// WriteManners records the manners that the local cloud's next daemon is to have.
func WriteManners(layout Layout, settings manners.Settings) error {
	data, err := json.Marshal(settings)
	if err != nil {
		return fmt.Errorf("record the local cloud's manners: %w", err)
	}
	return writeFile(layout.manners(), data)
}

// UseManners makes a running daemon and its successors have the manners. It returns
// when the daemon has them.
func (d Daemon) UseManners(ctx context.Context, layout Layout, settings manners.Settings) error {
	if err := WriteManners(layout, settings); err != nil {
		return err
	}
	if err := syscall.Kill(d.PID, MannersSignal); err != nil {
		return fmt.Errorf("signal the daemon (pid %d): %w", d.PID, err)
	}
	ctx, cancel := context.WithTimeout(ctx, mannersTimeout)
	defer cancel()
	tick := time.NewTicker(mannersPoll)
	defer tick.Stop()
	for {
		status, err := d.Status(ctx, layout)
		if err == nil && status.Manners.Equal(settings) {
			return nil
		}
		select {
		case <-ctx.Done():
			err = errors.Join(ctx.Err(), err)
			return fmt.Errorf("wait for the daemon (pid %d) to change its manners: %w", d.PID, err)
		case <-tick.C:
		}
	}
}
