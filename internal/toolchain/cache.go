package toolchain

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// file returns the path of an archive in the cache.
func (f *Fetcher) file(a Archive) string {
	name := a.Name + "-" + a.Version
	if a.Arch != "" {
		name += "-linux-" + a.Arch
	}
	return filepath.Join(f.Cache, name+".tar.gz")
}

// record is the cache's knowledge of an archive, in a file beside it.
type record struct {
	From   string `json:"from"`
	SHA256 string `json:"sha256"`
}

// cached completes an archive that is in the cache and undamaged.
func (f *Fetcher) cached(a *Archive) bool {
	a.Path = f.file(*a)
	data, err := os.ReadFile(a.Path + ".json")
	if err != nil {
		return false
	}
	var r record
	if json.Unmarshal(data, &r) != nil {
		return false
	}
	file, err := os.Open(a.Path)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	if a.Size, err = io.Copy(sum, file); err != nil || hex.EncodeToString(sum.Sum(nil)) != r.SHA256 {
		return false
	}
	a.From, a.SHA256 = r.From, r.SHA256
	return true
}

// newestCached completes an archive with the newest version in the cache that fits, for
// a computer that reaches no place which has newer ones.
func (f *Fetcher) newestCached(a *Archive, fits func(*semver.Version) bool) bool {
	pattern := Archive{Name: a.Name, Version: "*", Arch: a.Arch}
	before, after, _ := strings.Cut(filepath.Base(f.file(pattern)), "*")
	entries, err := os.ReadDir(f.Cache)
	if err != nil {
		return false
	}
	var found []string
	for _, entry := range entries {
		name, isNamed := strings.CutPrefix(entry.Name(), before)
		version, isWhole := strings.CutSuffix(name, after)
		if isNamed && isWhole {
			found = append(found, version)
		}
	}
	for _, version := range newestFirst(found) {
		if a.Version = version.Original(); fits(version) && f.cached(a) {
			return true
		}
	}
	return false
}

// store writes an archive into the cache. It is there whole or not at all, also if
// several runs write it at the same time.
func (f *Fetcher) store(a *Archive, write func(*packer) error) (err error) {
	if err := os.MkdirAll(f.Cache, 0o755); err != nil {
		return err
	}
	a.Path = f.file(*a)
	file, err := os.CreateTemp(f.Cache, filepath.Base(a.Path)+".*.part")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = file.Close()
			_ = os.Remove(file.Name())
		}
	}()
	sum := sha256.New()
	p := newPacker(io.MultiWriter(file, sum))
	if err := write(p); err != nil {
		return err
	}
	if err := p.close(); err != nil {
		return fmt.Errorf("write %s: %w", a.Path, err)
	}
	if a.Size, err = file.Seek(0, io.SeekCurrent); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("write %s: %w", a.Path, err)
	}
	a.SHA256 = hex.EncodeToString(sum.Sum(nil))
	if err := os.Rename(file.Name(), a.Path); err != nil {
		return err
	}
	return f.remember(a)
}

func (f *Fetcher) remember(a *Archive) error {
	data, err := json.Marshal(record{a.From, a.SHA256})
	if err != nil {
		return err
	}
	temporary, err := os.CreateTemp(f.Cache, filepath.Base(a.Path)+".*.part")
	if err != nil {
		return err
	}
	_, err = temporary.Write(data)
	if closeErr := temporary.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temporary.Name(), a.Path+".json")
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
	}
	return err
}

// isExact reports whether a version names one release, and returns it without v.
func isExact(version string) (string, bool) {
	version = strings.TrimPrefix(strings.TrimSpace(version), "v")
	return version, exactVersion.MatchString(version)
}
