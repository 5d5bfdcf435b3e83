package cli

import (
	"context"
	"fmt"

	"aloft.dev/aloft/internal/cloud/host"
)

// alone calls do while no other command starts, stops or deletes the same local cloud. Two at
// once could delete the state of a daemon that starts.
func (g *global) alone(ctx context.Context, do func() error) error {
	layout, err := g.layout()
	if err != nil {
		return err
	}
	release, err := host.Exclusive(ctx, layout, func() {
		_, _ = fmt.Fprintln(g.Err, "Another command starts, stops or resets this local cloud; waiting for it…")
	})
	if err != nil {
		return err
	}
	defer release()
	return do()
}
