//go:build linux

package host

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// claim claims the run folder of a local cloud of this test.
func claim(t *testing.T, layout Layout) *os.File {
	t.Helper()
	claim, err := layout.Claim(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return claim
}

func temporaryLayout(t *testing.T) Layout {
	t.Helper()
	dir := t.TempDir()
	return Layout{StateDir: filepath.Join(dir, "state"), RunDir: filepath.Join(dir, "run"), Prefix: "alotest"}
}

// A daemon that starts has no process but its own, which is not recorded yet.
func TestALocalCloudThatStartsIsNotAbandoned(t *testing.T) {
	layout := temporaryLayout(t)
	held := claim(t, layout)
	if !alive(t.Context(), layout) {
		t.Error("a claimed run folder counts as abandoned")
	}
	if removed, err := removeAbandoned(t.Context(), layout); removed || err != nil {
		t.Errorf("removed a claimed run folder: got %t, error %v", removed, err)
	}
	if _, err := os.Stat(layout.owner()); err != nil {
		t.Error(err)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	if alive(t.Context(), layout) {
		t.Error("a run folder counts as claimed after the claim ended")
	}
}

func TestAClaimOutlivesTheRemovalOfTheFolder(t *testing.T) {
	layout := temporaryLayout(t)
	if err := claim(t, layout).Close(); err != nil {
		t.Fatal(err)
	}
	remover, err := unclaimed(t.Context(), layout)
	if err != nil || remover == nil {
		t.Fatalf("lock a folder that nobody claims: got %v, error %v", remover, err)
	}
	var held *os.File
	claimed := make(chan error)
	go func() {
		var err error
		held, err = layout.Claim(t.Context())
		claimed <- err
	}()
	if err := errors.Join(os.RemoveAll(layout.RunDir), remover.Close(), <-claimed); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Close() }()
	if _, err := os.Stat(layout.owner()); err != nil {
		t.Errorf("the claim is of a removed folder: %v", err)
	}
}
