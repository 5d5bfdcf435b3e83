package toolchain

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// maxUnpacked limits an archive's content: a toolchain has some hundred megabytes.
const maxUnpacked = 4 << 30

// packer writes a .tar.gz whose content is the same for the same files: entries belong
// to root, have the time 0 and the mode 0644 or 0755.
type packer struct {
	gzip *gzip.Writer
	tar  *tar.Writer
	seen map[string]bool
	size int64
}

func newPacker(to io.Writer) *packer {
	compressor, err := gzip.NewWriterLevel(to, gzip.BestSpeed) // it is sent once, and time counts
	if err != nil {
		panic(err) // the level is a constant
	}
	return &packer{gzip: compressor, tar: tar.NewWriter(compressor), seen: map[string]bool{}}
}

func (p *packer) close() error {
	return errors.Join(p.tar.Close(), p.gzip.Close())
}

// add adds a regular file.
func (p *packer) add(name string, executable bool, size int64, content io.Reader) error {
	if err := p.check(name, size); err != nil {
		return err
	}
	mode := int64(0o644)
	if executable {
		mode = 0o755
	}
	header := &tar.Header{
		Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: size, ModTime: time.Unix(0, 0), Format: tar.FormatPAX,
	}
	if err := p.tar.WriteHeader(header); err != nil {
		return err
	}
	if _, err := io.Copy(p.tar, content); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// link adds a symbolic link, which must lead to a place within the archive.
func (p *packer) link(name, target string) error {
	if err := p.check(name, 0); err != nil {
		return err
	}
	if path.IsAbs(target) || !fs.ValidPath(path.Join(path.Dir(name), target)) {
		return fmt.Errorf("the link %s leads out of the archive: %s", name, target)
	}
	return p.tar.WriteHeader(&tar.Header{
		Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777, ModTime: time.Unix(0, 0),
		Format: tar.FormatPAX,
	})
}

// check refuses names that lead out of the archive or exist twice. Nothing lies behind a
// link, since a name below another one that is no folder exists twice too.
func (p *packer) check(name string, size int64) error {
	if !fs.ValidPath(name) || name == "." || strings.Contains(name, `\`) {
		return fmt.Errorf("the name %q leads out of the archive", name)
	}
	if p.seen[name] {
		return fmt.Errorf("%s is there twice", name)
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if p.seen[dir] {
			return fmt.Errorf("%s is a file and a folder", dir)
		}
	}
	if p.size += size; p.size > maxUnpacked {
		return errors.New("the archive is too large")
	}
	p.seen[name] = true
	return nil
}

// place says where a file of an archive goes: its new name, or "" to leave it out, and
// whether it is executable in any case.
type place func(name string) (to string, executable bool)

// repack adds the files of a .tar.gz without its first folder.
func (p *packer) repack(from io.Reader, where place) error {
	decompressor, err := gzip.NewReader(from)
	if err != nil {
		return err
	}
	reader := tar.NewReader(decompressor)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := p.entry(header, reader, where); err != nil {
			return err
		}
	}
}

func (p *packer) entry(header *tar.Header, content io.Reader, where place) error {
	if slices.Contains([]byte{tar.TypeDir, tar.TypeXGlobalHeader}, header.Typeflag) {
		return nil
	}
	first, rest, found := strings.Cut(strings.TrimPrefix(header.Name, "./"), "/")
	if !found || !fs.ValidPath(first) || !fs.ValidPath(rest) {
		return fmt.Errorf("the name %q leads out of the archive", header.Name)
	}
	to, executable := where(rest)
	if to == "" {
		return nil
	}
	switch header.Typeflag {
	case tar.TypeReg:
		return p.add(to, executable || header.Mode&0o111 != 0, header.Size, content)
	case tar.TypeSymlink:
		return p.link(to, header.Linkname)
	}
	return fmt.Errorf("%s is neither a file nor a symbolic link", header.Name)
}
