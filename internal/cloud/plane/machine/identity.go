//go:build linux

package machine

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// assignIdentity gives a machine that boots from another's image its own host name and
// machine-id before systemd reads them (hostname(5), machine-id(5)), and deletes the other
// machine's SSH host keys.
func assignIdentity(order bootOrder) error {
	const ownerFile = "/var/lib/aloft/machine" // id of the last instance that booted from this disk
	owner, err := os.ReadFile(ownerFile)
	if err == nil && string(owner) == order.InstanceID {
		return nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read the owner of the disk: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(ownerFile), 0o755); err != nil {
		return fmt.Errorf("assign an identity: %w", err)
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
		return fmt.Errorf("assign an identity: %w", err)
	}
	if err := replaceFile("/etc/hostname", order.Hostname+"\n", 0o644); err != nil {
		return fmt.Errorf("assign an identity: %w", err)
	}
	if err := replaceFile(ownerFile, order.InstanceID, 0o644); err != nil {
		return fmt.Errorf("assign an identity: %w", err)
	}
	return nil
}

// newMachineID returns a random machine-id as a line (machine-id(5): the 32 lower-case
// hexadecimal digits of a version 4 UUID).
func newMachineID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails (crypto/rand)
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return hex.EncodeToString(id[:]) + "\n"
}
