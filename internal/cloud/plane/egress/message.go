//go:build linux

package egress

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Protocol is the version of the protocol between daemon and process. The daemon replaces a
// process of another version.
const Protocol = 1

// Operations of a request.
const (
	OpAbout = "about" // the answer has the listener, if there is one
	OpServe = "serve" // the request has a reach, and may have a listener
	OpStop  = "stop"  // the process closes the connection at its end
)

// Request asks something of the process.
type Request struct {
	Op    string
	Reach Reach
}

// Answer is the answer to a request.
type Answer struct {
	Protocol, PID int
	Error         string // empty: none
}

// maxMessage bounds the size of a message in bytes.
const maxMessage = 128 << 10

// SocketPath returns the path of the control socket in the process's folder.
func SocketPath(dir string) string { return filepath.Join(dir, "egress.sock") }

// RootPath returns the folder that becomes the process's root directory.
func RootPath(dir string) string { return filepath.Join(dir, "root") }

// Send sends a message, and a file unless it is nil.
func Send(conn *net.UnixConn, message any, file *os.File) error {
	text, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("encode a message: %w", err)
	}
	if len(text) > maxMessage {
		return fmt.Errorf("a message has %d bytes, more than %d", len(text), maxMessage)
	}
	var rights []byte
	if file != nil {
		rights = unix.UnixRights(int(file.Fd()))
	}
	if _, _, err := conn.WriteMsgUnix(text, rights, nil); err != nil {
		return fmt.Errorf("send a message: %w", err)
	}
	return nil
}

// Receive receives a message and the file that came with it, or nil. At the end of the
// connection the error is net.ErrClosed.
func Receive(conn *net.UnixConn, message any) (*os.File, error) {
	text, control := make([]byte, maxMessage), make([]byte, unix.CmsgSpace(4))
	n, controlLen, flags, _, err := conn.ReadMsgUnix(text, control)
	if err != nil {
		return nil, fmt.Errorf("receive a message: %w", err)
	}
	file, err := received(control[:controlLen])
	switch {
	case err != nil:
	case n == 0:
		err = net.ErrClosed
	case flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0:
		err = errors.New("receive a message: it is too long")
	default:
		err = json.Unmarshal(text[:n], message)
	}
	if err != nil && file != nil {
		_ = file.Close()
		file = nil
	}
	return file, err
}

// received returns the file in a control message, or nil.
func received(control []byte) (*os.File, error) {
	if len(control) == 0 {
		return nil, nil
	}
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil || len(messages) == 0 {
		return nil, fmt.Errorf("receive a file: %w", errors.Join(err, os.ErrInvalid))
	}
	files, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(files) != 1 {
		return nil, fmt.Errorf("receive a file: %w", errors.Join(err, os.ErrInvalid))
	}
	return os.NewFile(uintptr(files[0]), "received"), nil
}
