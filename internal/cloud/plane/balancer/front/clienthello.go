//go:build linux

package front

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"
)

// recordHandshake is the first byte of a TLS connection (RFC 8446, section 5.1).
const recordHandshake = 22

// unrecognizedName is the fatal alert of that name, as a whole record (RFC 6066,
// section 3).
var unrecognizedName = []byte{21, 3, 1, 0, 2, 2, 112}

var errStop = errors.New("the ClientHello has been read")

// helloName returns the server name in a ClientHello, which is empty if the client
// sends none. The standard library reads it as the beginning of a handshake, which
// stops there.
func helloName(in io.Reader) (name string, err error) {
	read := false
	config := &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		name, read = hello.ServerName, true
		return nil, errStop
	}}
	_ = tls.Server(readOnly{in}, config).Handshake()
	if !read {
		return "", errors.New("the TLS handshake does not begin with a ClientHello")
	}
	return name, nil
}

// readOnly is a connection that discards what is written to it.
type readOnly struct{ io.Reader }

func (readOnly) Write(p []byte) (int, error)      { return len(p), nil }
func (readOnly) Close() error                     { return nil }
func (readOnly) LocalAddr() net.Addr              { return nil }
func (readOnly) RemoteAddr() net.Addr             { return nil }
func (readOnly) SetDeadline(time.Time) error      { return nil }
func (readOnly) SetReadDeadline(time.Time) error  { return nil }
func (readOnly) SetWriteDeadline(time.Time) error { return nil }
