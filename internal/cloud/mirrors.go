//go:build linux

package cloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"aloft.dev/aloft/internal/cloud/durable"
	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/plane/image"
)

// rememberMirrors writes the given mirrors to the state folder. If there are none, it
// returns those that were written last.
func rememberMirrors(l host.Layout, given image.Mirrors) (image.Mirrors, error) {
	if len(given) > 0 {
		text, err := json.Marshal(given)
		if err != nil {
			return nil, fmt.Errorf("encode the mirrors: %w", err)
		}
		if err := durable.WriteFile(l.Mirrors(), text, 0o600); err != nil {
			return nil, fmt.Errorf("remember the mirrors: %w", err)
		}
		return given, nil
	}
	text, err := os.ReadFile(l.Mirrors())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the mirrors: %w", err)
	}
	var mirrors image.Mirrors
	if err := json.Unmarshal(text, &mirrors); err != nil {
		return nil, fmt.Errorf("read the mirrors of the last start from %s (delete the file to use none): %w",
			l.Mirrors(), err)
	}
	return mirrors, nil
}
