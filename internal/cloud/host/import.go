//go:build linux

package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
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

// Import makes a snapshot of an import.
func (d Daemon) Import(ctx context.Context, in ImportRequest) (ImportResponse, error) {
	var out ImportResponse
	body, err := json.Marshal(in)
	if err != nil {
		return out, fmt.Errorf("import a snapshot: %w", err)
	}
	request, err := http.NewRequestWithContext(
		ctx, http.MethodPost, "http://"+d.Address+ImportPath, bytes.NewReader(body))
	if err != nil {
		return out, fmt.Errorf("import a snapshot: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := (&http.Client{}).Do(request)
	if err != nil {
		return out, fmt.Errorf("import a snapshot: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(strings.TrimSpace(string(answer)))
	}
	if err == nil {
		err = json.Unmarshal(answer, &out)
	}
	if err != nil {
		return out, fmt.Errorf("import a snapshot: %w", err)
	}
	return out, nil
}
