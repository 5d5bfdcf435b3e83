package release

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
)

// command is a command that a client runs on the server.
type command struct {
	text   string
	input  io.Reader
	output io.Writer
}

// server is an SSH server in this process. It runs commands with a function.
type server struct {
	address string
	key     ssh.Signer
	client  ssh.Signer // the only accepted key, for the user admin
}

func newKey(t *testing.T) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// serve starts a server that ends with the test.
func serve(t *testing.T, listener net.Listener, run func(command) int) *server {
	t.Helper()
	return serveAs(t, listener, newKey(t), newKey(t), run)
}

func serveAs(t *testing.T, listener net.Listener, key, client ssh.Signer, run func(command) int) *server {
	t.Helper()
	s := &server{address: listener.Addr().String(), key: key, client: client}
	config := &ssh.ServerConfig{
		PublicKeyCallback: func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if meta.User() != "admin" || string(key.Marshal()) != string(s.client.PublicKey().Marshal()) {
				return nil, io.EOF
			}
			return nil, nil
		},
	}
	config.AddHostKey(s.key)
	var all sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			all.Go(func() { handle(conn, config, run) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		mu.Lock()
		for _, conn := range conns {
			conn.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return s
}

func handle(conn net.Conn, config *ssh.ServerConfig, run func(command) int) {
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		conn.Close()
		return
	}
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { ssh.DiscardRequests(requests) })
	for offered := range channels {
		channel, requests, err := offered.Accept()
		if err != nil {
			return
		}
		all.Go(func() {
			for request := range requests {
				if request.Type != "exec" {
					_ = request.Reply(false, nil)
					continue
				}
				_ = request.Reply(true, nil)
				all.Go(func() {
					code := run(command{string(request.Payload[4:]), channel, channel})
					_, _ = channel.SendRequest("exit-status", false, binary.BigEndian.AppendUint32(nil, uint32(code)))
					channel.Close()
				})
			}
		})
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

func (s *server) target() Target {
	return Target{Address: s.address, User: "admin", Signer: s.client, HostKeys: []ssh.PublicKey{s.key.PublicKey()}}
}
