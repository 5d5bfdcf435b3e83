//go:build linux

package linklocal

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"aloft.dev/aloft/internal/cloud/plane/companion"
)

// Kind says what a frame is.
type Kind byte

// The kinds of frames. The process begins a stream with a call.
const (
	KindHTTP     Kind = 'H' // call: a Request
	KindQuestion Kind = 'Q' // call: a Question
	KindConnect  Kind = 'C' // call: a Connect
	KindIdentify Kind = 'I' // call: an Identify

	KindWanted Kind = 'w' // the daemon reads the request's body, which the process sends from now on
	KindData   Kind = 'd' // a part of a body
	KindEnd    Kind = 'e' // the end of a body
	KindBroken Kind = 'b' // the machine did not send the rest of the body

	KindResponse  Kind = 'h' // answer: a Response, which the body follows
	KindFound     Kind = 'f' // answer: a Found
	KindConnected Kind = 'c' // answer: a Connected, with the socket
	KindIdentity  Kind = 'i' // answer: an Identity
)

// maxFrame bounds a frame in bytes, its kind included. It holds the largest head that the
// process reads from a machine, and the chunks of a body.
const maxFrame = 64 << 10

// Frame is a message of a stream. Its buffer is used again after Free.
type Frame struct {
	buffer *[maxFrame]byte
	n      int
}

var frames = sync.Pool{New: func() any { return new([maxFrame]byte) }} //nolint:gochecknoglobals // buffers

// NewFrame returns an empty frame.
func NewFrame() *Frame { return &Frame{buffer: frames.Get().(*[maxFrame]byte), n: 1} }

// Free gives back the frame's buffer.
func (f *Frame) Free() {
	frames.Put(f.buffer)
	f.buffer = nil
}

// Kind returns what the frame is.
func (f *Frame) Kind() Kind { return Kind(f.buffer[0]) }

// Payload returns the frame's content.
func (f *Frame) Payload() []byte { return f.buffer[1:f.n] }

// Space returns room for content. Fill sets how much of it is used.
func (f *Frame) Space() []byte { return f.buffer[1:] }

// Fill makes the first n bytes of the room the content.
func (f *Frame) Fill(n int) { f.n = 1 + n }

// Stream carries one call from the process to the daemon, and the answer.
type Stream struct{ conn *net.UnixConn }

// newStream returns the stream of one end of a pair of sockets. It closes the file.
func newStream(file *os.File) (*Stream, error) {
	defer func() { _ = file.Close() }()
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, fmt.Errorf("open a stream: %w", err)
	}
	socket, ok := conn.(*net.UnixConn)
	if !ok {
		_ = conn.Close()
		return nil, fmt.Errorf("a stream is a %T", conn)
	}
	return &Stream{socket}, nil
}

// Pair returns a stream, and the file of its other end.
func Pair() (*Stream, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	far := os.NewFile(uintptr(fds[1]), "stream")
	near, err := newStream(os.NewFile(uintptr(fds[0]), "stream"))
	if err != nil {
		_ = far.Close()
		return nil, nil, err
	}
	return near, far, nil
}

// Close ends the stream on both sides.
func (s *Stream) Close() error { return s.conn.Close() }

// CloseWith closes the stream when ctx ends, unless stop is called before.
func (s *Stream) CloseWith(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = s.conn.Close() })
}

// SetReadDeadline sets the time after which reads fail.
func (s *Stream) SetReadDeadline(at time.Time) error { return s.conn.SetReadDeadline(at) }

// Send sends a frame of a kind, with files.
func (s *Stream) Send(kind Kind, f *Frame, files ...*os.File) error {
	f.buffer[0] = byte(kind)
	return companion.SendBytes(s.conn, f.buffer[:f.n], files...)
}

// SendEmpty sends a frame that has nothing but its kind.
func (s *Stream) SendEmpty(kind Kind) error { return companion.SendBytes(s.conn, []byte{byte(kind)}) }

// SendMessage sends a message as a frame of a kind, with files.
func (s *Stream) SendMessage(kind Kind, m Message, files ...*os.File) error {
	f := NewFrame()
	defer f.Free()
	text, err := m.Append(f.Space()[:0])
	if err != nil {
		return err
	}
	if len(text) > len(f.Space()) {
		return fmt.Errorf("a message has %d bytes, more than %d", len(text), len(f.Space()))
	}
	f.Fill(copy(f.Space(), text))
	return s.Send(kind, f, files...)
}

// Receive receives a frame into f.
func (s *Stream) Receive(f *Frame) error {
	n, err := s.conn.Read(f.buffer[:])
	if err != nil {
		return fmt.Errorf("receive a frame: %w", err)
	}
	f.n = n
	return nil
}

// ReceiveFile receives a frame and the file that may come with it, or nil.
func (s *Stream) ReceiveFile(f *Frame) (*os.File, error) {
	n, files, err := companion.ReceiveBytes(s.conn, f.buffer[:])
	if err != nil {
		return nil, err
	}
	f.n = n
	if len(files) == 0 {
		return nil, nil
	}
	companion.CloseAll(files[1:])
	return files[0], nil
}

// SetWriteDeadline sets the time after which writes fail.
func (s *Stream) SetWriteDeadline(at time.Time) error { return s.conn.SetWriteDeadline(at) }
