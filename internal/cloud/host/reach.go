//go:build linux

package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"

	"aloft.dev/aloft/internal/diag"
)

// Reach describes what machines can reach besides the internet.
type Reach struct {
	Private       []netip.Prefix `json:"private"`        // private ranges on the host's networks
	LoopbackProxy bool           `json:"loopback_proxy"` // proxies on the host's loopback
}

// ReachChange says what to change in a Reach; nil keeps what was.
type ReachChange struct {
	Private       *[]netip.Prefix
	LoopbackProxy *bool
}

// RememberReach changes what machines of a local cloud reach, for this and later starts, and
// returns it.
func RememberReach(layout Layout, change ReachChange) (Reach, error) {
	reach, err := ReadReach(layout)
	if err != nil || change == (ReachChange{}) {
		return reach, err
	}
	if change.Private != nil {
		reach.Private = *change.Private
	}
	if change.LoopbackProxy != nil {
		reach.LoopbackProxy = *change.LoopbackProxy
	}
	data, err := json.Marshal(reach)
	if err != nil {
		return reach, fmt.Errorf("record what machines reach: %w", err)
	}
	return reach, writeFile(layout.reach(), data)
}

// ReadReach returns what machines of a local cloud were last allowed to reach.
func ReadReach(layout Layout) (Reach, error) {
	var reach Reach
	data, err := os.ReadFile(layout.reach())
	if errors.Is(err, fs.ErrNotExist) {
		return reach, nil
	}
	if err != nil {
		return reach, fmt.Errorf("read what machines reach: %w", err)
	}
	if err := json.Unmarshal(data, &reach); err != nil {
		return reach, &diag.Diagnostic{
			Where:   layout.reach(),
			Summary: fmt.Sprintf("the file of what machines reach is damaged: %v", err),
			Hint:    "delete the file, then: aloft local start",
			Cause:   err,
		}
	}
	return reach, nil
}
