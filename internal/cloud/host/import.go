//go:build linux

package host

import (
	"context"
	"fmt"
	"net/http"
)

// ImportPath is the path at which a daemon takes imports.
const ImportPath = "/_aloft/imports"

// ImportRequest asks a daemon to make a snapshot of an import in its image store.
type ImportRequest struct {
	Import      string `json:"import"` // its id, which only root can read
	Region      string `json:"region"`
	Description string `json:"description"`
	SizeGiB     int32  `json:"size_gib"` // of volumes of the snapshot
}

// ImportResponse names the new snapshot.
type ImportResponse struct {
	SnapshotID string `json:"snapshot_id"`
}

// Import makes a snapshot of an import in a local cloud.
func (d Daemon) Import(ctx context.Context, layout Layout, in ImportRequest) (ImportResponse, error) {
	var out ImportResponse
	if err := d.call(ctx, layout, http.MethodPost, ImportPath, in, &out); err != nil {
		return out, fmt.Errorf("import a snapshot: %w", err)
	}
	return out, nil
}
