// Package remotetest serves SSH in the process of a test.
package remotetest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/remote"
)

// Command is a command that a client runs on the server.
type Command struct {
	Text   string
	Input  io.Reader
	Output io.Writer
}

// Server is an SSH server in this process. It runs commands with a function, and
// connects clients to addresses of this computer.
type Server struct {
	Address string
	Key     ssh.Signer
	Client  ssh.Signer // the only accepted key, for the user admin
}

// NewKey returns a random key.
func NewKey(t *testing.T) ssh.Signer {
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

// Serve starts a server that ends with the test. run returns a command's exit code.
func Serve(t *testing.T, listener net.Listener, run func(Command) int) *Server {
	t.Helper()
	return ServeAs(t, listener, NewKey(t), NewKey(t), run)
}

// ServeAs starts a server with given keys.
func ServeAs(t *testing.T, listener net.Listener, key, client ssh.Signer, run func(Command) int) *Server {
	t.Helper()
	s := &Server{Address: listener.Addr().String(), Key: key, Client: client}
	config := &ssh.ServerConfig{
		PublicKeyCallback: func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if meta.User() != "admin" || string(key.Marshal()) != string(s.Client.PublicKey().Marshal()) {
				return nil, io.EOF
			}
			return nil, nil
		},
	}
	config.AddHostKey(s.Key)
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
		_ = listener.Close()
		mu.Lock()
		for _, conn := range conns {
			_ = conn.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return s
}

func handle(conn net.Conn, config *ssh.ServerConfig, run func(Command) int) {
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		_ = conn.Close()
		return
	}
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { ssh.DiscardRequests(requests) })
	for offered := range channels {
		if offered.ChannelType() == "direct-tcpip" {
			all.Go(func() { forward(offered) })
			continue
		}
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
					code := run(Command{string(request.Payload[4:]), channel, channel})
					_, _ = channel.SendRequest("exit-status", false, binary.BigEndian.AppendUint32(nil, uint32(code)))
					_ = channel.Close()
				})
			}
		})
	}
}

// forward serves a channel that is a connection to another address (RFC 4254, section
// 7.2).
func forward(offered ssh.NewChannel) {
	var to struct {
		Host       string
		Port       uint32
		Originator string
		From       uint32
	}
	if err := ssh.Unmarshal(offered.ExtraData(), &to); err != nil {
		_ = offered.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	conn, err := net.Dial("tcp", net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))))
	if err != nil {
		_ = offered.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	defer func() { _ = conn.Close() }()
	channel, requests, err := offered.Accept()
	if err != nil {
		return
	}
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { ssh.DiscardRequests(requests) })
	all.Go(func() { _, _ = io.Copy(conn, channel); _ = conn.Close() })
	_, _ = io.Copy(channel, conn)
	_ = channel.Close()
}

// Listen returns a listener on a free port of loopback.
func Listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// Target returns the server as a client needs it.
func (s *Server) Target() remote.Target {
	return remote.Target{
		Address: s.Address, User: "admin", Signer: s.Client, HostKeys: []ssh.PublicKey{s.Key.PublicKey()},
	}
}
