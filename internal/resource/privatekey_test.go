package resource

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

func TestPrivateKeyIsGeneratedOnceAndOnlyItsOwnerCanReadIt(t *testing.T) {
	keys := KeysOf("", filepath.Join(t.TempDir(), "keys"), "shop", "eu-west-1")
	if filepath.Base(keys.Private) != "shop-eu-west-1.pem" {
		t.Error(keys.Private)
	}
	first, err := keys.publicKey("shop")
	if err != nil {
		t.Fatal(err)
	}
	second, err := keys.publicKey("shop")
	if err != nil || string(first.Marshal()) != string(second.Marshal()) {
		t.Errorf("another key was generated: %v", err)
	}
	info, err := os.Stat(keys.Private)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	pair := plan.Found{ID: "aloft-shop"}
	pair.Set(stack.AttrFingerprint, ssh.FingerprintSHA256(first))
	if err := keys.Check(pair); err != nil {
		t.Error(err)
	}
	pair.Set(stack.AttrFingerprint, "SHA256:other")
	if err := keys.Check(pair); err == nil ||
		!strings.Contains(err.Error(), "not the private key of key pair aloft-shop") {
		t.Errorf("got %v", err)
	}
	if err := os.Remove(keys.Private); err != nil {
		t.Fatal(err)
	}
	if err := keys.Check(pair); err == nil || !strings.Contains(err.Error(), "is missing") {
		t.Errorf("got %v", err)
	}
}
