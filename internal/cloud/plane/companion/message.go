//go:build linux

package companion

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

const (
	// maxMessage bounds the size of a message in bytes.
	maxMessage = 128 << 10
	// maxFiles is how many files one message carries (unix(7): SCM_MAX_FD is 253).
	maxFiles = 16
)

// Send sends a message, as JSON, and files.
func Send(conn *net.UnixConn, message any, files ...*os.File) error {
	text, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("encode a message: %w", err)
	}
	if len(text) > maxMessage {
		return fmt.Errorf("a message has %d bytes, more than %d", len(text), maxMessage)
	}
	return SendBytes(conn, text, files...)
}

// SendBytes sends a message of another encoding, and files.
func SendBytes(conn *net.UnixConn, message []byte, files ...*os.File) error {
	return withDescriptors(files, nil, func(fds []int) error {
		var rights []byte
		if len(fds) > 0 {
			rights = unix.UnixRights(fds...)
		}
		if _, _, err := conn.WriteMsgUnix(message, rights, nil); err != nil {
			return fmt.Errorf("send a message: %w", err)
		}
		return nil
	})
}

// withDescriptors calls do with the descriptors of files, after those that it has. Unlike Fd, it
// leaves them as they are: whether reads wait is a property that all descriptors of a socket
// share, those of other processes too.
func withDescriptors(files []*os.File, fds []int, do func(fds []int) error) error {
	if len(files) == 0 {
		return do(fds)
	}
	raw, err := files[0].SyscallConn()
	if err != nil {
		return fmt.Errorf("send a file: %w", err)
	}
	var doErr error
	err = raw.Control(func(fd uintptr) { doErr = withDescriptors(files[1:], append(fds, int(fd)), do) })
	return errors.Join(err, doErr)
}

// Receive receives a message and the files that came with it, which the caller closes. At the
// end of the connection the error is net.ErrClosed.
func Receive(conn *net.UnixConn, message any) ([]*os.File, error) {
	text := make([]byte, maxMessage)
	n, files, err := ReceiveBytes(conn, text)
	if err == nil {
		err = json.Unmarshal(text[:n], message)
	}
	if err != nil {
		CloseAll(files)
		return nil, fmt.Errorf("receive a message: %w", err)
	}
	return files, nil
}

// ReceiveBytes receives a message of another encoding, and returns its length and its files, as
// Receive does. A message that is longer than the buffer is an error.
func ReceiveBytes(conn *net.UnixConn, buffer []byte) (int, []*os.File, error) {
	control := make([]byte, unix.CmsgSpace(4*maxFiles))
	n, controlLen, flags, _, err := conn.ReadMsgUnix(buffer, control)
	if err != nil {
		return 0, nil, fmt.Errorf("receive a message: %w", err)
	}
	files, err := received(control[:controlLen])
	switch {
	case err != nil:
	case n == 0:
		err = net.ErrClosed
	case flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0:
		err = errors.New("a message is too long")
	}
	if err != nil {
		CloseAll(files)
		return 0, nil, err
	}
	return n, files, nil
}

// received returns the files in a control message.
func received(control []byte) ([]*os.File, error) {
	if len(control) == 0 {
		return nil, nil
	}
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return nil, fmt.Errorf("receive files: %w", err)
	}
	var files []*os.File
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			CloseAll(files)
			return nil, fmt.Errorf("receive files: %w", err)
		}
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "received"))
		}
	}
	return files, nil
}

// CloseAll closes files.
func CloseAll(files []*os.File) {
	for _, file := range files {
		_ = file.Close()
	}
}
