//go:build linux

package socket

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

func TestSplice(t *testing.T) {
	onEach(t, func(t *testing.T, on func(func(), ...*Conn)) {
		from, source := newPair(t)
		to, sink := newPair(t)
		sent := make([]byte, 20<<20)
		for i := 0; i < len(sent); i += 4096 {
			sent[i] = byte(rand.N(256))
		}
		const extra = 1000
		go func() {
			_, _ = source.Write(sent)
			_, _ = source.Write(make([]byte, extra))
			_ = source.CloseWrite()
		}()
		got := make(chan []byte, 1)
		go func() {
			all, _ := io.ReadAll(sink)
			got <- all
		}()
		on(func() {
			if n, err := Splice(to, from, int64(len(sent))); n != int64(len(sent)) || err != nil {
				t.Errorf("moved %d bytes: %v", n, err)
			}
			if n, err := Splice(to, from, 2*extra); n != extra || err != nil {
				t.Errorf("moved %d bytes from a connection that ended: %v; want %d", n, err, extra)
			}
			_ = to.CloseWrite()
		}, from, to)
		if all := <-got; !bytes.Equal(all, append(sent, make([]byte, extra)...)) {
			t.Errorf("received %d bytes, not the %d sent", len(all), len(sent)+extra)
		}
	})
}

func TestSpliceEndsWithADeadlineOrTheClient(t *testing.T) {
	onEach(t, func(t *testing.T, on func(func(), ...*Conn)) {
		from, source := newPair(t)
		to, sink := newPair(t)
		_ = time.AfterFunc(10*time.Millisecond, func() { _ = from.SetReadDeadline(time.Unix(1, 0)) })
		on(func() {
			if n, err := Splice(to, from, 1); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("moved %d bytes: %v", n, err)
			}
			_ = from.SetReadDeadline(time.Time{})
		}, from, to)
		_ = sink.SetLinger(0)
		_ = sink.Close()
		go func() { _, _ = io.CopyN(source, zeroReader{}, 64<<20) }()
		on(func() {
			if n, err := Splice(to, from, 64<<20); n == 64<<20 || err == nil {
				t.Errorf("moved %d bytes to a closed connection: %v", n, err)
			}
		}, from, to)
		_ = from.Close()
	})
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { return len(p), nil }
