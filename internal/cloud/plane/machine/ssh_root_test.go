//go:build linux && root

package machine_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

func TestRealMachineAcceptsTheLaunchKeyOnly(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	mine, theirs := newSigner(t), newSigner(t)
	data := metadataOf(m)
	data["meta-data/public-keys/0/openssh-key"] = string(ssh.MarshalAuthorizedKey(mine.PublicKey()))
	s.launch(m, data)
	s.awaitSSH(m.ID)
	namespace := s.plane.Status(m.ID).Namespace

	start := time.Now()
	client, err := s.dialSSH(m.ID, namespace, "admin", mine)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	for command, want := range map[string]string{
		"id -un":                           "admin",
		"echo $https_proxy $SSL_CERT_FILE": "http://proxy.example:3128 /run/aloft/ca-certificates.crt",
		"sudo -n sh -c 'id -un; echo $https_proxy $NODE_EXTRA_CA_CERTS'": "root\nhttp://proxy.example:3128 " +
			"/run/aloft/ca-certificates.crt",
		"sudo -n systemctl is-active ssh":                           "active",
		"ping -c 1 -W 1 127.0.0.1 | grep -c '1 received'":           "1",
		"sudo -n apt-config dump | grep -c 'https::Proxy\\|CaInfo'": "2",
	} {
		session, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		out, _ := session.CombinedOutput(command)
		if got := string(bytes.TrimSpace(out)); got != want {
			t.Errorf("%s\n got %q\nwant %q", command, got, want)
		}
	}
	t.Logf("six commands over SSH: %v", time.Since(start))
	if _, err := s.dialSSH(m.ID, namespace, "admin", theirs); err == nil {
		t.Error("another key was accepted")
	}
	if _, err := s.dialSSH(m.ID, namespace, "root", mine); err == nil {
		t.Error("root could log in")
	}
}

func newSigner(t *testing.T) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// dialSSH logs in and verifies the host key against the one on the console.
func (s *fixture) dialSSH(id, namespace, user string, key ssh.Signer) (*ssh.Client, error) {
	s.Helper()
	console, err := s.plane.Console(id)
	if err != nil {
		s.Fatal(err)
	}
	var hostKey ssh.PublicKey
	for line := range strings.Lines(string(console)) {
		if strings.HasPrefix(line, "ssh-ed25519 ") {
			if hostKey, _, _, _, err = ssh.ParseAuthorizedKey([]byte(line)); err != nil {
				s.Fatal(err)
			}
		}
	}
	conn, err := dialSSHPort(namespace)
	if err != nil {
		s.Fatal(err)
	}
	c, channels, requests, err := ssh.NewClientConn(conn, "127.0.0.1:22", &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: ssh.FixedHostKey(hostKey),
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519}, Timeout: 10 * time.Second,
	})
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return ssh.NewClient(c, channels, requests), nil
}
