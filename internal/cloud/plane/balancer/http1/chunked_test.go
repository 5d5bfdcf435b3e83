//go:build linux

package http1

import (
	"bytes"
	"errors"
	"io"
	"net/http/httputil"
	"strings"
	"testing"
)

// scan feeds text to a ChunkScanner in parts of size bytes.
func scan(text string, size int) (content string, used int, done bool, err error) {
	var c ChunkScanner
	var out strings.Builder
	for rest := []byte(text); len(rest) > 0 && !done; {
		part := rest[:min(size, len(rest))]
		for len(part) > 0 && !done {
			var n int
			var some []byte
			n, some, done, err = c.Next(part)
			if err != nil {
				return out.String(), used, false, err
			}
			out.Write(some)
			used += n
			part, rest = part[n:], rest[n:]
		}
	}
	return out.String(), used, done, nil
}

func TestChunksInBuffersOfAnySize(t *testing.T) {
	const body = "5\r\nhello\r\nB;ext=\"1\"\r\n, world of \r\n0\r\nTrailer: x\r\n\r\n"
	for size := 1; size <= len(body)+4; size++ {
		content, used, done, err := scan(body+"GET /", size)
		if content != "hello, world of " || used != len(body) || !done || err != nil {
			t.Fatalf("size %d: got %q, %d bytes, done %v, %v", size, content, used, done, err)
		}
	}
}

func TestMalformedChunksAreRefused(t *testing.T) {
	for _, body := range []string{
		"\r\n", "g\r\n", "-1\r\nx\r\n", "0x5\r\nhello\r\n", " 5\r\nhello\r\n", "5 \r\nhello\r\n", "5\nhello\r\n",
		"5\rhello\r\n",
		"5\r\nhelloX\r\n", "5\r\nhello\n", "5\r\nhello\r\r\n", "1000000000000000\r\n", "5;a\nb\r\nhello\r\n",
		"5;\x00\r\n",
		"0\r\nbad trailer\r\n\r\n", "0\r\n folded: x\r\n\r\n", "0\r\nX: a\nY: b\r\n\r\n",
		"0\r\n\n", "0;" + strings.Repeat("a", maxChunkLine) + "\r\n\r\n",
	} {
		if _, _, done, err := scan(body, len(body)); !errors.Is(err, ErrChunk) {
			t.Errorf("%.30q: got done %v, error %v", body, done, err)
		}
	}
}

// FuzzChunks compares the content of valid bodies with net/http's.
func FuzzChunks(f *testing.F) {
	f.Add("5\r\nhello\r\n0\r\n\r\n", 3)
	f.Add("5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n", 100)
	f.Fuzz(func(t *testing.T, body string, size int) {
		content, used, done, err := scan(body, max(1, size))
		if err != nil || !done {
			return
		}
		standard, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader([]byte(body[:used]))))
		if err == nil && string(standard) != content {
			t.Errorf("net/http reads %q, not %q", standard, content)
		}
	})
}
