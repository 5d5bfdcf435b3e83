package resource

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

func keysIn(dir, account string) Keys {
	return KeysOf("", dir, "shop", "eu-west-1", func(context.Context) (string, error) { return account, nil })
}

// pairOf returns the key pair of a public key.
func pairOf(public ssh.PublicKey) plan.Found {
	pair := plan.Found{ID: "aloft-shop"}
	pair.Set(stack.AttrFingerprint, ssh.FingerprintSHA256(public))
	return pair
}

func mustGenerate(t *testing.T, keys Keys) plan.Found {
	t.Helper()
	public, err := keys.publicKey(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	return pairOf(public)
}

func TestPrivateKeyIsGeneratedOnceAndOnlyItsOwnerCanReadIt(t *testing.T) {
	keys := keysIn(filepath.Join(t.TempDir(), "keys"), "111122223333")
	pair := mustGenerate(t, keys)
	if second := mustGenerate(t, keys); pair.Value(stack.AttrFingerprint) != second.Value(stack.AttrFingerprint) {
		t.Error("another key was generated")
	}
	file, err := keys.FileOf(t.Context(), pair)
	if err != nil || filepath.Base(file) != "shop-eu-west-1-111122223333.pem" {
		t.Fatal(file, err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	pair.Set(stack.AttrFingerprint, "SHA256:other")
	if _, err := keys.FileOf(t.Context(), pair); err == nil ||
		!strings.Contains(err.Error(), "not the private key of key pair aloft-shop") {
		t.Errorf("got %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.FileOf(t.Context(), pair); !errors.Is(err, fs.ErrNotExist) ||
		!strings.Contains(err.Error(), "is missing") {
		t.Errorf("got %v", err)
	}
}

func TestAccountsShareNoPrivateKey(t *testing.T) {
	dir := t.TempDir()
	ours, theirs := keysIn(dir, "111122223333"), keysIn(dir, "444455556666")
	our, their := mustGenerate(t, ours), mustGenerate(t, theirs)
	if our.Value(stack.AttrFingerprint) == their.Value(stack.AttrFingerprint) {
		t.Fatal("two accounts have one key")
	}
	if err := ours.removeFor(t.Context(), our); err != nil {
		t.Fatal(err)
	}
	if _, err := ours.FileOf(t.Context(), our); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after down: %v", err)
	}
	if _, err := theirs.FileOf(t.Context(), their); err != nil {
		t.Errorf("down in another account: %v", err)
	}
}

// Earlier versions kept one file for all accounts.
func TestKeyOfAllAccountsIsCopiedWhereItFits(t *testing.T) {
	dir := t.TempDir()
	shared := keysIn(dir, "").shared()
	public, err := generate(shared, "shop")
	if err != nil {
		t.Fatal(err)
	}
	pair := pairOf(public)
	for _, account := range []string{"111122223333", "444455556666"} {
		keys := keysIn(dir, account)
		if file, err := keys.FileOf(t.Context(), pair); err != nil || file == shared {
			t.Fatal(file, err)
		}
		if err := keys.removeFor(t.Context(), pair); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := readPrivate(shared); err != nil {
		t.Errorf("down removed a file that another account may use: %v", err)
	}
	other := keysIn(dir, "777788889999")
	if its := mustGenerate(t, other); its.Value(stack.AttrFingerprint) == pair.Value(stack.AttrFingerprint) {
		t.Error("a new key pair has an old key")
	}
}
