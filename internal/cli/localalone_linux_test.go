package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A second command waits for the first, says so, and can be interrupted.
func TestCommandsChangeALocalCloudOneAfterAnother(t *testing.T) {
	dir := t.TempDir()
	var first, second bytes.Buffer
	g := func(out *bytes.Buffer) *global { return &global{stateDir: dir, Stdio: Stdio{Err: out}} }
	err := g(&first).alone(t.Context(), func() error {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		return g(&second).alone(ctx, func() error { return errors.New("two at once") })
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the second: got error %v, want %v", err, context.Canceled)
	}
	if first.Len() > 0 || !strings.Contains(second.String(), "waiting for it") {
		t.Errorf("the first says %q, the second %q", &first, &second)
	}
	third := &global{stateDir: filepath.Join(dir, "none")}
	if err := third.alone(t.Context(), func() error { return os.ErrExist }); !errors.Is(err, os.ErrExist) {
		t.Errorf("without a state folder: got error %v", err)
	}
}
