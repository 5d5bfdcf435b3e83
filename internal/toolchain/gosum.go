package toolchain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb"
)

// sumDBKey verifies what sum.golang.org signs (Go's source,
// cmd/go/internal/modfetch/key.go).
const sumDBKey = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"

// goSum returns the hash of a version of the toolchain, as the checksum database has
// it. A proxy may answer for the database (Go documentation, "Module proxy protocol").
func (f *Fetcher) goSum(ctx context.Context, proxy, version string) (string, error) {
	key, url, _ := strings.Cut(strings.TrimSpace(f.GoSumDB), " ")
	if key == "" || key == "sum.golang.org" {
		key = sumDBKey
	}
	name, _, _ := strings.Cut(key, "+")
	if url = strings.TrimSpace(url); url == "" {
		url = "https://" + name
		through := proxy + "/sumdb/" + name
		if _, err := f.document(ctx, through+"/supported", ""); err == nil {
			url = through
		}
	}
	ops := &sumDB{fetcher: f, ctx: ctx, url: url, name: name, key: key}
	lines, err := sumdb.NewClient(ops).Lookup(goModule, version)
	if err != nil {
		return "", fmt.Errorf("look up the checksum of Go: %w", errors.Join(err, ops.failure()))
	}
	for _, line := range lines {
		if hash, ok := strings.CutPrefix(line, goModule+" "+version+" "); ok {
			return hash, nil
		}
	}
	return "", fmt.Errorf("%s has no checksum of %s %s", name, goModule, version)
}

// sumDB lets the client of the checksum database read. It remembers nothing between
// runs: a toolchain is looked up once, and then cached.
type sumDB struct {
	fetcher        *Fetcher
	ctx            context.Context //nolint:containedctx // the client's interface has none
	url, name, key string

	mu     sync.Mutex
	latest []byte
	err    error
}

// ReadRemote reads a path of the database.
func (d *sumDB) ReadRemote(path string) ([]byte, error) {
	return d.fetcher.document(d.ctx, d.url+path, "")
}

// ReadConfig returns the key, and the newest tree that was seen.
func (d *sumDB) ReadConfig(file string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if file == "key" {
		return []byte(d.key), nil
	}
	return d.latest, nil
}

// WriteConfig remembers the newest tree.
func (d *sumDB) WriteConfig(_ string, was, now []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !bytes.Equal(d.latest, was) {
		return sumdb.ErrWriteConflict
	}
	d.latest = now
	return nil
}

// ReadCache has nothing.
func (d *sumDB) ReadCache(file string) ([]byte, error) {
	return nil, fmt.Errorf("%s is not cached", file)
}

// WriteCache keeps nothing.
func (d *sumDB) WriteCache(string, []byte) {}

// Log is silent.
func (d *sumDB) Log(string) {}

// SecurityError remembers that the database contradicts itself.
func (d *sumDB) SecurityError(message string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = errors.New(message)
}

func (d *sumDB) failure() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}
