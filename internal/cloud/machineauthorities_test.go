//go:build linux

package cloud

import (
	"os"
	"path/filepath"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/machine"
)

func TestMachinesTrustTheHostsAuthoritiesAndTheLocalClouds(t *testing.T) {
	dir := t.TempDir()
	own, shared := filepath.Join(dir, "own.crt"), filepath.Join(dir, "shared.crt")
	if err := os.WriteFile(own, []byte("host\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	given := map[string]string{"SSL_CERT_FILE": own, "EDITOR": "vi"}
	env, err := withAuthorities(given, shared, []byte("one\n"), []byte("two\n"))
	if err != nil {
		t.Fatal(err)
	}
	if found := machine.FindAuthorities(env); found != shared || env["EDITOR"] != "vi" {
		t.Errorf("machines trust %s, want %s", found, shared)
	}
	if got, err := os.ReadFile(shared); err != nil || string(got) != "host\none\n\ntwo\n" {
		t.Errorf("the authorities are %q, %v", got, err)
	}
}
