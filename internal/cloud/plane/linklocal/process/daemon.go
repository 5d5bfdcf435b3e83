//go:build linux

package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/admission"
	"aloft.dev/aloft/internal/cloud/plane/dns"
	"aloft.dev/aloft/internal/cloud/plane/linklocal"
)

// errNoDaemon is the error of a call that no daemon has received.
var errNoDaemon = errors.New("no daemon serves the local cloud")

// daemon is the daemon as the process sees it. While none serves, calls wait.
type daemon struct {
	mu      sync.Mutex
	conn    *net.UnixConn // nil: no daemon serves
	changed chan struct{} // closed when conn changes
}

func newDaemon() *daemon { return &daemon{changed: make(chan struct{})} }

// attach sends calls over a connection from now on.
func (d *daemon) attach(conn *net.UnixConn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.set(conn)
}

// detach sends no more calls over a connection, whose daemon has left.
func (d *daemon) detach(conn *net.UnixConn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn == conn {
		d.set(nil)
	}
}

func (d *daemon) set(conn *net.UnixConn) {
	d.conn = conn
	close(d.changed)
	d.changed = make(chan struct{})
}

func (d *daemon) current() (conn *net.UnixConn, changed <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.conn, d.changed
}

// call is a call in progress.
type call struct {
	*linklocal.Stream
	gone <-chan struct{} // closed when the daemon that has received it serves no longer
}

// begin sends a call, which the caller closes. It waits some time for a daemon; the error is
// errNoDaemon afterwards.
func (d *daemon) begin(ctx context.Context, kind linklocal.Kind, message linklocal.Message) (*call, error) {
	ctx, cancel := context.WithTimeout(ctx, daemonTimeout)
	defer cancel()
	for {
		conn, changed := d.current()
		if conn == nil {
			select {
			case <-ctx.Done():
				return nil, errNoDaemon
			case <-changed:
			}
			continue
		}
		stream, far, err := linklocal.Pair()
		if err != nil {
			return nil, err
		}
		if err := stream.SendMessage(kind, message); err != nil {
			return nil, errors.Join(err, far.Close(), stream.Close())
		}
		if err := linklocal.SendStream(conn, far); err == nil {
			return &call{stream, changed}, nil
		}
		_ = stream.Close()
		d.detach(conn)
	}
}

// ask makes a call, and receives the first frame of the answer into f, with the file that comes
// with it, or nil. If the daemon ends before it has answered, the next one is asked: the call
// must be one that may be repeated.
func (d *daemon) ask(
	ctx context.Context, kind linklocal.Kind, message linklocal.Message, f *linklocal.Frame,
) (*call, *os.File, error) {
	for {
		c, err := d.begin(ctx, kind, message)
		if err != nil {
			return nil, nil, err
		}
		stop := c.CloseWith(ctx)
		file, err := c.ReceiveFile(f)
		if err == nil && stop() {
			return c, file, nil
		}
		if err == nil && file != nil {
			_ = file.Close()
		}
		_ = c.Close()
		timer := time.NewTimer(noticeTimeout)
		select {
		case <-ctx.Done():
		case <-timer.C: // the daemon serves, and has not answered
		case <-c.gone:
			timer.Stop()
			continue
		}
		timer.Stop()
		return nil, nil, errors.Join(err, ctx.Err())
	}
}

// get makes a call whose answer is a message of a kind, and returns the file that comes with it,
// or nil.
func (d *daemon) get(
	ctx context.Context, kind linklocal.Kind, message linklocal.Message, want linklocal.Kind, answer linklocal.Message,
) (*os.File, error) {
	f := linklocal.NewFrame()
	defer f.Free()
	c, file, err := d.ask(ctx, kind, message, f)
	if err != nil {
		return nil, err
	}
	_ = c.Close()
	if f.Kind() != want {
		err = fmt.Errorf("the daemon answers with a frame %q", f.Kind())
	} else {
		err = answer.Parse(f.Payload())
	}
	if err != nil && file != nil {
		_ = file.Close()
		file = nil
	}
	return file, err
}

// cloud answers the resolver's questions.
type cloud struct{ *daemon }

// Find implements dns.Cloud.
func (c cloud) Find(
	ctx context.Context, machine admission.Source, name, kind string,
) (answer dns.Answer, known bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	var found linklocal.Found
	question := &linklocal.Question{VPC: machine.VPC, Machine: machine.Address, Name: name, Kind: kind}
	if _, err := c.get(ctx, linklocal.KindQuestion, question, linklocal.KindFound, &found); err != nil {
		return dns.Answer{}, false, err
	}
	return dns.Answer{
		Exists: found.Exists, Records: found.Records, Authority: found.Authority, Synthesize: found.Synthesize,
	}, found.Known, nil
}

// Connect implements dns.Cloud.
func (c cloud) Connect(ctx context.Context, server int, network string) (conn net.Conn, present bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	var connected linklocal.Connected
	connect := &linklocal.Connect{Server: uint8(server), Network: network}
	file, err := c.get(ctx, linklocal.KindConnect, connect, linklocal.KindConnected, &connected)
	switch {
	case err != nil:
		return nil, true, err
	case connected.Error != "":
		err = errors.New(connected.Error)
	case !connected.Present:
		return nil, false, nil
	case file == nil:
		err = errors.New("the daemon has sent no socket")
	}
	if file != nil {
		defer func() { _ = file.Close() }()
	}
	if err != nil {
		return nil, true, err
	}
	if conn, err = net.FileConn(file); err != nil {
		return nil, true, fmt.Errorf("open the socket of a name server: %w", err)
	}
	return conn, true, nil
}
