//go:build linux

package notifications

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/durable"
)

// maxEmails is how many emails the outbox keeps. Older ones are deleted.
const maxEmails = 1000

const emailSuffix = ".eml"

// file writes an email into the outbox. Only root reads it: messages may hold secrets,
// and the tokens in them confirm subscriptions.
func (l *Loop) file(name string, email []byte) error {
	if err := os.MkdirAll(l.Outbox, 0o700); err != nil {
		return fmt.Errorf("create the outbox: %w", err)
	}
	if err := l.prune(); err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(l.Outbox, name), email, 0o600)
}

// prune deletes the oldest emails so that there is room for one.
func (l *Loop) prune() error {
	entries, err := os.ReadDir(l.Outbox)
	if err != nil {
		return fmt.Errorf("read the outbox: %w", err)
	}
	emails := slices.DeleteFunc(entries, func(e os.DirEntry) bool { return !strings.HasSuffix(e.Name(), emailSuffix) })
	for len(emails) >= maxEmails {
		// Another delivery may have deleted it.
		if err := os.Remove(filepath.Join(l.Outbox, emails[0].Name())); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("delete an old email: %w", err)
		}
		emails = emails[1:]
	}
	return nil
}
