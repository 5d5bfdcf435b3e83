//go:build linux

package host

import (
	"context"
	"fmt"
	"net/http"
)

// ResetPath is the path at which the daemon of a simulated cloud empties it.
const ResetPath = "/_aloft/reset"

// ResetResponse answers a request to ResetPath.
type ResetResponse struct{}

// Reset empties a simulated cloud. It returns when the empty one serves.
func (d Daemon) Reset(ctx context.Context, layout Layout) error {
	if err := d.call(ctx, layout, http.MethodPost, ResetPath, nil, &ResetResponse{}); err != nil {
		return fmt.Errorf("empty the simulated cloud: %w", err)
	}
	return nil
}
