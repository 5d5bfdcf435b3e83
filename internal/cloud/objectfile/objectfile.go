// Package objectfile keeps the content of S3's objects in files, encrypted at rest with the
// local cloud's key, as S3 encrypts with its managed keys.
//
// A file is written once and then only read or removed. It is on disk, with its name, when
// Commit returns. Rows of the store say which files count: a row that refers to a file is
// written after it, and files without a row are leftovers of a killed daemon.
package objectfile

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"aloft.dev/aloft/internal/cloud/durable"
)

// KeySize is the length of the key in bytes.
const KeySize = 32

// Folder is the folder of the files. Its methods may be called concurrently.
type Folder struct {
	dir   string
	block cipher.Block
}

// Open opens a folder, which is created if it does not exist. secret is the key.
func Open(dir string, secret []byte) (*Folder, error) {
	if len(secret) != KeySize {
		return nil, fmt.Errorf("open the objects: a key has %d bytes, want %d", len(secret), KeySize)
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, fmt.Errorf("open the objects: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the objects: %w", err)
	}
	return &Folder{dir, block}, nil
}

// Folders and files have random names. A folder holds the files that begin with its name,
// so that none has too many.
const (
	idBytes  = 16
	shardLen = 2
)

func newID() string {
	var id [idBytes]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

func (f *Folder) shard(id string) string { return filepath.Join(f.dir, id[:min(shardLen, len(id))]) }

func (f *Folder) path(id string) string { return filepath.Join(f.shard(id), id) }

// prepare returns the id of a new file, whose folder exists.
func (f *Folder) prepare() (id string, err error) {
	id = newID()
	err = os.Mkdir(f.shard(id), 0o700)
	if err == nil {
		err = durable.SyncFolder(f.dir)
	}
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	return id, err
}

// Writer is a new file. Whoever creates it calls Commit or Discard.
type Writer struct {
	folder *Folder
	id     string
	file   *os.File
	buffer *bufio.Writer
	stream cipher.StreamWriter
	size   int64
}

// A file begins with the initial counter of its encryption.
const counterSize = aes.BlockSize

const bufferSize = 256 << 10

// Create begins a new file.
func (f *Folder) Create() (*Writer, error) {
	id, err := f.prepare()
	if err != nil {
		return nil, fmt.Errorf("create the file of an object: %w", err)
	}
	file, err := os.OpenFile(f.path(id), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create the file of an object: %w", err)
	}
	var counter [counterSize]byte
	_, _ = rand.Read(counter[:counterSize/2]) // never fails; the rest counts blocks
	w := &Writer{folder: f, id: id, file: file, buffer: bufio.NewWriterSize(file, bufferSize)}
	w.stream = cipher.StreamWriter{S: cipher.NewCTR(f.block, counter[:]), W: w.buffer}
	if _, err := w.buffer.Write(counter[:]); err != nil {
		w.Discard()
		return nil, fmt.Errorf("write the file of an object: %w", err)
	}
	return w, nil
}

// Write appends content.
func (w *Writer) Write(p []byte) (int, error) {
	n, err := w.stream.Write(p)
	w.size += int64(n)
	if err != nil {
		return n, fmt.Errorf("write the file of an object: %w", err)
	}
	return n, nil
}

// Commit writes the file to disk and returns its id and its length without the counter.
func (w *Writer) Commit() (id string, size int64, err error) {
	err = w.buffer.Flush()
	if err == nil {
		err = w.file.Sync()
	}
	if err = errors.Join(err, w.file.Close()); err == nil {
		err = durable.SyncFolder(w.folder.shard(w.id))
	}
	if err != nil {
		_ = os.Remove(w.file.Name())
		return "", 0, fmt.Errorf("write the file of an object: %w", err)
	}
	return w.id, w.size, nil
}

// Discard removes the file.
func (w *Writer) Discard() {
	_ = w.file.Close()
	_ = os.Remove(w.file.Name())
}

// Link gives a file another id, under which it exists until that is removed too. The content
// is not copied.
func (f *Folder) Link(id string) (other string, err error) {
	if other, err = f.prepare(); err == nil {
		err = os.Link(f.path(id), f.path(other))
	}
	if err == nil {
		err = durable.SyncFolder(f.shard(other))
	}
	if err != nil {
		return "", fmt.Errorf("copy an object: %w", err)
	}
	return other, nil
}

// Open opens a file for reading from an offset on. The error is fs.ErrNotExist if the file
// was removed.
func (f *Folder) Open(id string, offset int64) (io.ReadCloser, error) {
	file, err := os.Open(f.path(id))
	if err != nil {
		return nil, err
	}
	var counter [counterSize]byte
	if _, err := io.ReadFull(file, counter[:]); err != nil {
		return nil, errors.Join(fmt.Errorf("read an object: %w", err), file.Close())
	}
	aligned := offset / aes.BlockSize * aes.BlockSize
	advance(counter[:], uint64(aligned/aes.BlockSize))
	if _, err := file.Seek(counterSize+aligned, io.SeekStart); err != nil {
		return nil, errors.Join(fmt.Errorf("read an object: %w", err), file.Close())
	}
	r := &reader{cipher.StreamReader{S: cipher.NewCTR(f.block, counter[:]), R: file}, file}
	if _, err := io.CopyN(io.Discard, r, offset-aligned); err != nil {
		return nil, errors.Join(fmt.Errorf("read an object: %w", err), file.Close())
	}
	return r, nil
}

type reader struct {
	cipher.StreamReader
	file *os.File
}

func (r *reader) Close() error { return r.file.Close() }

// advance adds a number of blocks to a counter.
func advance(counter []byte, blocks uint64) {
	for i := len(counter) - 1; i >= 0 && blocks > 0; i-- {
		blocks += uint64(counter[i])
		counter[i] = byte(blocks)
		blocks >>= 8
	}
}

// Remove removes files, which may be open.
func (f *Folder) Remove(ids ...string) error {
	var problems error
	for _, id := range ids {
		if err := os.Remove(f.path(id)); !errors.Is(err, fs.ErrNotExist) {
			problems = errors.Join(problems, err)
		}
	}
	return problems
}

// Retain removes all files except those to keep: what a killed daemon left of others.
// Nobody may create files meanwhile.
func (f *Folder) Retain(keep func(id string) bool) error {
	shards, err := os.ReadDir(f.dir)
	if err != nil {
		return fmt.Errorf("remove leftovers of objects: %w", err)
	}
	var problems error
	for _, shard := range shards {
		files, err := os.ReadDir(filepath.Join(f.dir, shard.Name()))
		problems = errors.Join(problems, err)
		for _, file := range files {
			if !keep(file.Name()) {
				problems = errors.Join(problems, os.Remove(filepath.Join(f.dir, shard.Name(), file.Name())))
			}
		}
	}
	return problems
}
