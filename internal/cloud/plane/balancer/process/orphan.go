//go:build linux

package process

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

// inheritTimeout bounds how long the next keeper waits for what a killed one had.
const inheritTimeout = 2 * time.Second

// inherit takes over from a keeper that was killed, if its balancer process serves on. That
// process ends when this keeper's first one serves.
func (s *supervisor) inherit() {
	path := balancer.OrphanSocketPath(s.dir())
	conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		return // no process is left
	}
	if err = conn.SetDeadline(time.Now().Add(inheritTimeout)); err == nil {
		err = s.keeper.Inherit(conn)
	}
	if err != nil {
		_ = conn.Close() // the process frees its ports
		s.log.Error("take over from a killed keeper", "error", err)
		return
	}
	s.log.Info("took over from a killed keeper")
	s.mu.Lock()
	s.orphan = conn
	s.mu.Unlock()
}

// orphanListener returns the listener at which the process awaits the next keeper.
func orphanListener() (net.Listener, error) {
	file := os.NewFile(orphanFD, "orphans")
	defer func() { _ = file.Close() }()
	l, err := net.FileListener(file)
	if err != nil {
		return nil, fmt.Errorf("await the next keeper: %w", err)
	}
	return l, nil
}

// serveOrphaned serves on without a keeper, with the sockets that the process has, until the
// next keeper has taken them over and its own process serves, or ctx ends.
func (s *server) serveOrphaned(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { _ = s.orphans.Close() })()
	conn, err := s.orphans.Accept()
	if err != nil {
		return fmt.Errorf("await the next keeper: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if err := s.keeper.Bequeath(conn.(*net.UnixConn)); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, conn) // ends when the next process serves
	return err
}
