//go:build linux

package host

import (
	"context"
	"fmt"
	"net/http"
)

// ConsolePath is the path at which a daemon makes links to its console.
const ConsolePath = "/_aloft/console-links"

// ConsoleRequest asks a daemon for a link to its console.
type ConsoleRequest struct {
	Region string `json:"region"` // that the console shows first
}

// ConsoleResponse has a link to the console.
type ConsoleResponse struct {
	Path string `json:"path"` // with a secret, which opens the console once
}

// ConsoleLink returns a URL that opens a daemon's console in one browser, once and soon.
func (d Daemon) ConsoleLink(ctx context.Context, layout Layout, region string) (string, error) {
	var out ConsoleResponse
	if err := d.call(ctx, layout, http.MethodPost, ConsolePath, ConsoleRequest{Region: region}, &out); err != nil {
		return "", fmt.Errorf("ask for a link to the console: %w", err)
	}
	return "http://" + d.Address + out.Path, nil
}
