package cli

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/remote"
)

// throughWay prepares a login of the OpenSSH client to a target that is reached by a way of
// its own. It pushes the key, writes it beside the known hosts, which are in a folder of
// their own, and carries the first connection to a loopback port. It returns the client's
// arguments. closeWay ends the connection; the caller removes the folder.
func throughWay(
	ctx context.Context, t remote.Target, host, knownHosts string, command []string,
) (arguments []string, closeWay func(), err error) {
	block, err := ssh.MarshalPrivateKey(t.PrivateKey, "")
	if err != nil {
		return nil, nil, fmt.Errorf("encode the key for %s: %w", t.Name, err)
	}
	t.KeyPath = filepath.Join(filepath.Dir(knownHosts), "key")
	if err := os.WriteFile(t.KeyPath, pem.EncodeToMemory(block), 0o600); err != nil {
		return nil, nil, fmt.Errorf("write the key for %s: %w", t.Name, err)
	}
	conn, err := t.Way.Connect(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("connect to %s: %w", t.Name, err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		_ = conn.Close()
		return nil, nil, fmt.Errorf("listen for the SSH client: %w", err)
	}
	if err := t.Way.Admit(ctx, t.User, t.Signer.PublicKey()); err != nil {
		_, _ = conn.Close(), listener.Close()
		return nil, nil, err
	}
	var carrying sync.WaitGroup
	carrying.Go(func() { carryOne(listener, conn) })
	closeWay = func() {
		_, _ = listener.Close(), conn.Close()
		carrying.Wait()
	}
	port := listener.Addr().(*net.TCPAddr).Port
	options := []string{"-p", strconv.Itoa(port), "-o", "HostKeyAlias=" + host, "-o", "ServerAliveInterval=15"}
	return append(options, sshArguments(t, "127.0.0.1", knownHosts, command)...), closeWay, nil
}

// carryOne accepts one connection and carries its bytes to and from another one until either
// ends.
func carryOne(listener net.Listener, to net.Conn) {
	from, err := listener.Accept()
	_ = listener.Close()
	if err != nil {
		return
	}
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		both.Go(func() {
			_, _ = io.Copy(way[1], way[0]) // either side may break off
			_, _ = from.Close(), to.Close()
		})
	}
	both.Wait()
}
