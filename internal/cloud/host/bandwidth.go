//go:build linux

package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"aloft.dev/aloft/internal/cloud/bandwidth"
	"aloft.dev/aloft/internal/diag"
)

// RememberBandwidth changes how much of the network and of disks machines may use, for this and
// later starts of a local cloud, and returns it.
func RememberBandwidth(layout Layout, change bandwidth.Change) (bandwidth.Settings, error) {
	settings, err := readBandwidth(layout)
	if err != nil || change == (bandwidth.Change{}) {
		return settings, err
	}
	settings = settings.Apply(change)
	data, err := json.Marshal(settings)
	if err != nil {
		return settings, fmt.Errorf("record the bandwidth of machines: %w", err)
	}
	return settings, writeFile(layout.bandwidth(), data)
}

func readBandwidth(layout Layout) (settings bandwidth.Settings, err error) {
	data, err := os.ReadFile(layout.bandwidth())
	if errors.Is(err, fs.ErrNotExist) {
		return settings, nil
	}
	if err != nil {
		return settings, fmt.Errorf("read the bandwidth of machines: %w", err)
	}
	if err := json.Unmarshal(data, &settings); err != nil {
		return settings, &diag.Diagnostic{
			Where:   layout.bandwidth(),
			Summary: fmt.Sprintf("the file of the machines' bandwidth is damaged: %v", err),
			Hint:    "delete the file, then: aloft local start",
			Cause:   err,
		}
	}
	return settings, nil
}
