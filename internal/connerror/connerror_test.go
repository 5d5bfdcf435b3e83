package connerror

import (
	"bufio"
	"errors"
	"io"
	"net"
	"testing"
)

func TestRefusedConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	if _, err := net.Dial("tcp", address); !Refused(err) || Broken(err) {
		t.Errorf("%v: refused %v, broken %v", err, Refused(err), Broken(err))
	}
}

func TestBrokenConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		// A connection that is closed with bytes unread is reset (RFC 1122, 4.2.2.13).
		_, _ = bufio.NewReaderSize(conn, 16).Peek(1)
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	}()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); !Broken(err) || Refused(err) {
		t.Errorf("%v: refused %v, broken %v", err, Refused(err), Broken(err))
	}
}

func TestOtherErrorsAreNeither(t *testing.T) {
	for _, err := range []error{nil, io.EOF, errors.New("other"), net.ErrClosed} {
		if Refused(err) || Broken(err) {
			t.Errorf("%v is classified", err)
		}
	}
}
