package eventlog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	segmentSize = 1 << 20        // no batch is appended to a segment of this size
	segmentAge  = 24 * time.Hour // nor to one whose first batch is older
	blockSize   = 64 << 10       // no batch is added to a block of this size
	diskBlock   = 4 << 10        // a file takes at least this much of the disk

	suffix = ".events"
)

// segment is a file of a stream. Its name is the sequence number of its first batch.
type segment struct {
	path    string
	first   uint64
	size    int64
	blocks  []block
	writing bool // a batch is being written to it
}

// block is a part of a segment with whole frames, and the index of what it contains.
type block struct {
	path           string
	offset, length int64
	earliest, last int64 // times of its events
}

func segmentPath(folder string, first uint64) string {
	return filepath.Join(folder, fmt.Sprintf("%016x%s", first, suffix))
}

// used returns the size that a segment counts with.
func (s *segment) used() int64 { return max(s.size, diskBlock) }

// add records that a frame was appended.
func (s *segment) add(length int64, events []Event) {
	if n := len(s.blocks); n == 0 || s.blocks[n-1].length >= blockSize {
		s.blocks = append(s.blocks, block{
			path: s.path, offset: s.size, earliest: events[0].Time, last: events[0].Time,
		})
	}
	b := &s.blocks[len(s.blocks)-1]
	b.length += length
	s.size += length
	for _, e := range events {
		b.earliest, b.last = min(b.earliest, e.Time), max(b.last, e.Time)
	}
}

// load reads the index of a segment, and returns the highest sequence number in it. It
// removes what follows the last whole frame, and returns how many bytes that were.
func (s *segment) load() (highest uint64, lost int64, err error) {
	data, err := os.ReadFile(s.path)
	if err != nil {
		return 0, 0, err
	}
	s.size, s.blocks = 0, nil
	for {
		sequence, events, length := readFrame(data[s.size:])
		if length == 0 {
			break
		}
		highest = max(highest, sequence)
		s.add(int64(length), events)
	}
	if lost = int64(len(data)) - s.size; lost > 0 {
		err = os.Truncate(s.path, s.size)
	}
	return highest, lost, err
}

// write appends a frame, which is on disk when write returns. After an error the segment
// has its old content, or a remainder that load removes.
func (s *segment) write(data []byte) (err error) {
	f, err := os.OpenFile(s.path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err = f.WriteAt(data, s.size); err == nil {
		err = f.Sync()
	}
	if err != nil {
		err = errors.Join(err, f.Truncate(s.size))
	}
	return err
}

// read calls each for every event of a block, unless its segment has been deleted.
func (b block) read(each func(sequence uint64, index int, e Event)) error {
	f, err := os.Open(b.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	data := make([]byte, b.length)
	if _, err := f.ReadAt(data, b.offset); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for len(data) > 0 {
		sequence, events, length := readFrame(data)
		if length == 0 {
			return fmt.Errorf("%s is damaged", b.path)
		}
		for i, e := range events {
			each(sequence, i, e)
		}
		data = data[length:]
	}
	return nil
}
