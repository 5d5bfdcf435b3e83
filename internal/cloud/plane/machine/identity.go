package machine

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// replaceFile writes a file whole or not at all.
func replaceFile(path, content string, mode os.FileMode) error {
	half := path + ".new"
	if err := os.WriteFile(half, []byte(content), mode); err != nil {
		return err
	}
	return os.Rename(half, path)
}

// assignIdentity gives a machine that starts from another's image a name and a machine-id
// of its own before systemd reads them (hostname(5), machine-id(5)), and takes the
// other's SSH host keys away.
func assignIdentity(order bootOrder) error {
	const known = "/var/lib/aloft/machine"
	last, err := os.ReadFile(known)
	if err == nil && string(last) == order.InstanceID {
		return nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("look whose disk this was: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(known), 0o755); err != nil {
		return fmt.Errorf("take on an identity: %w", err)
	}
	keys, err := filepath.Glob("/etc/ssh/ssh_host_*")
	if err != nil {
		return fmt.Errorf("delete another machine's host keys: %w", err)
	}
	for _, key := range keys {
		if err := os.Remove(key); err != nil {
			return fmt.Errorf("delete another machine's host keys: %w", err)
		}
	}
	if err := replaceFile("/etc/machine-id", newMachineID(), 0o444); err != nil {
		return fmt.Errorf("take on an identity: %w", err)
	}
	if err := replaceFile("/etc/hostname", order.Hostname+"\n", 0o644); err != nil {
		return fmt.Errorf("take on an identity: %w", err)
	}
	if err := replaceFile(known, order.InstanceID, 0o644); err != nil {
		return fmt.Errorf("take on an identity: %w", err)
	}
	return nil
}

// newMachineID makes a random machine-id (machine-id(5): 32 lower-case hexadecimal
// characters, of a version 4 UUID).
func newMachineID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails (crypto/rand)
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return hex.EncodeToString(id[:]) + "\n"
}
