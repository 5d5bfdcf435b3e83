//go:build linux

package truststore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
)

// certutil is the program that edits the databases of NSS, the library of both browsers.
const certutil = "certutil"

const noCertutil = "certutil is missing; install libnss3-tools (on Fedora nss-tools), then run this command again"

// databases are where browsers keep them, below a user's home.
var databases = map[string][]string{
	"Chromium": {".pki/nssdb", "snap/chromium/current/.pki/nssdb"},
	"Firefox": {
		".mozilla/firefox/*", "snap/firefox/common/.mozilla/firefox/*",
		".var/app/org.mozilla.firefox/.mozilla/firefox/*",
	},
}

// database is a database of a browser.
type database struct{ title, dir string }

// browserDatabases returns the databases that exist.
func (s Stores) browserDatabases() []database {
	var out []database
	for _, browser := range []string{"Chromium", "Firefox"} {
		for _, pattern := range databases[browser] {
			// The pattern is fixed, and Glob fails for a malformed one only.
			files, _ := filepath.Glob(filepath.Join(s.User.Home, pattern, "cert9.db"))
			for _, file := range files {
				dir := filepath.Dir(file)
				out = append(out, database{fmt.Sprintf("%s's store of %s (%s)", browser, s.User.Name, dir), dir})
			}
		}
	}
	return out
}

func (s Stores) installInBrowsers(ctx context.Context, certificate []byte, file string) ([]Result, error) {
	if s.User == nil {
		return nil, nil
	}
	all := s.browserDatabases()
	if len(all) == 0 {
		return []Result{{Store: "browsers of " + s.User.Name, Note: "no browser has a store yet; start the browser " +
			"once, then run this command again"}}, nil
	}
	var out []Result
	for _, db := range all {
		result := Result{Store: db.title}
		old, err := s.certutil(ctx, db, "-L", "-n", s.Name, "-a")
		switch {
		case errors.Is(err, exec.ErrNotFound):
			result.Note = noCertutil
		case err == nil && bytes.Equal(compact(old), compact(certificate)):
		default:
			if err == nil {
				if _, err := s.certutil(ctx, db, "-D", "-n", s.Name); err != nil {
					return out, err
				}
			}
			if _, err := s.certutil(ctx, db, "-A", "-n", s.Name, "-t", "C,,", "-i", file); err != nil {
				return out, err
			}
			result.Changed = true
		}
		out = append(out, result)
	}
	return out, nil
}

func (s Stores) removeFromBrowsers(ctx context.Context) ([]Result, error) {
	if s.User == nil {
		return nil, nil
	}
	var out []Result
	for _, db := range s.browserDatabases() {
		result := Result{Store: db.title}
		_, err := s.certutil(ctx, db, "-L", "-n", s.Name, "-a")
		switch {
		case errors.Is(err, exec.ErrNotFound):
			result.Note = noCertutil
		case err == nil:
			if _, err := s.certutil(ctx, db, "-D", "-n", s.Name); err != nil {
				return out, err
			}
			result.Changed = true
		}
		out = append(out, result)
	}
	return out, nil
}

func (s Stores) certutil(ctx context.Context, db database, args ...string) ([]byte, error) {
	out, err := s.run(ctx, s.User, certutil, append([]string{"-d", "sql:" + db.dir}, args...)...)
	if err != nil {
		return out, fmt.Errorf("edit %s with certutil: %w: %s", db.title, err, bytes.TrimSpace(out))
	}
	return out, nil
}

// compact removes what differs between spellings of the same PEM.
func compact(text []byte) []byte {
	return slices.DeleteFunc(bytes.Clone(text), func(c byte) bool { return c == '\r' || c == '\n' })
}
