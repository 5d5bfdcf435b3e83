//go:build linux

package front

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// The front reads at most peekBytes of a connection, within peekTimeout, to find
// the name of the load balancer.
const (
	peekBytes   = 64 << 10
	peekTimeout = 10 * time.Second
)

// respondTimeout bounds how long the front's own response may take to write.
const respondTimeout = time.Second

// peekName reads the name of the load balancer from a new connection: the server name
// in a ClientHello, whose secrets stay between client and node, or the Host of the
// first request. read is everything that was read, which the node must get.
func peekName(conn net.Conn) (name string, secure bool, read []byte, err error) {
	if err := conn.SetReadDeadline(time.Now().Add(peekTimeout)); err != nil {
		return "", false, nil, err
	}
	var buf bytes.Buffer
	in := io.TeeReader(io.LimitReader(conn, peekBytes), &buf)
	var first [1]byte
	if _, err := io.ReadFull(in, first[:]); err != nil {
		return "", false, nil, err
	}
	in = io.MultiReader(bytes.NewReader(first[:]), in)
	if secure = first[0] == recordHandshake; secure {
		name, err = helloName(in)
	} else {
		name, err = requestHost(in)
	}
	if err != nil {
		return "", secure, buf.Bytes(), err
	}
	return strings.TrimSuffix(strings.ToLower(name), "."), secure, buf.Bytes(), conn.SetReadDeadline(time.Time{})
}

// requestHost returns the host that the first request names, without its port.
func requestHost(in io.Reader) (string, error) {
	req, err := http.ReadRequest(bufio.NewReader(in))
	if err != nil {
		return "", err
	}
	if name, _, err := net.SplitHostPort(req.Host); err == nil {
		return name, nil
	}
	return req.Host, nil
}

// respond sends a response of the front's own. The client may be gone.
func respond(conn net.Conn, code int, text string) {
	const head = "HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n" +
		"Connection: close\r\n\r\n%s"
	_ = conn.SetWriteDeadline(time.Now().Add(respondTimeout))
	_, _ = fmt.Fprintf(conn, head, code, http.StatusText(code), len(text), text)
}

// join copies in both directions until both have ended.
func join(client, node net.Conn) {
	var back sync.WaitGroup
	back.Go(func() { forward(node, client) })
	forward(client, node)
	_ = client.SetReadDeadline(time.Now().Add(respondTimeout)) // the node hears nothing more
	back.Wait()
}

// forward copies until the source ends, and closes the destination for writing.
func forward(to, from net.Conn) {
	if _, err := io.Copy(to, from); err != nil {
		_ = to.Close() // ends the other direction too
		_ = from.Close()
		return
	}
	if half, ok := to.(*net.TCPConn); ok {
		_ = half.CloseWrite()
	}
}
