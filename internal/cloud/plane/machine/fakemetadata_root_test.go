//go:build linux && root

package machine_test

import (
	"errors"
	"net"
	"net/http"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netns"
)

// inNamespace runs do in the network namespace at path. Sockets that do creates remain in it.
func inNamespace[T any](path string, do func() (T, error)) (value T, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := netns.Get()
	if err != nil {
		return value, err
	}
	away, err := netns.GetFromPath(path)
	if err != nil {
		return value, errors.Join(err, home.Close())
	}
	if err := netns.Set(away); err != nil {
		return value, errors.Join(err, away.Close(), home.Close())
	}
	value, err = do()
	return value, errors.Join(err, netns.Set(home), away.Close(), home.Close())
}

// serveMetadata runs an instance metadata service, version 2, in the namespace.
func serveMetadata(t *testing.T, namespace string, data map[string]string) {
	t.Helper()
	for _, command := range []string{"link set lo up", "address add 169.254.169.254/32 dev lo"} {
		args := append([]string{"--net=" + namespace, "ip"}, strings.Fields(command)...)
		if out, err := exec.Command("nsenter", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", command, err, out)
		}
	}
	listener, err := inNamespace(namespace, func() (net.Listener, error) {
		return net.Listen("tcp", "169.254.169.254:80")
	})
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: metadataHandler(data)}
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close(); <-served })
}

// metadataHandler serves data, keyed by path below /latest, to requests with a token.
func metadataHandler(data map[string]string) http.HandlerFunc {
	const token = "a-token"
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && r.URL.Path == "/latest/api/token" &&
			r.Header.Get("X-aws-ec2-metadata-token-ttl-seconds") != "" {
			_, _ = w.Write([]byte(token))
			return
		}
		if r.Header.Get("X-aws-ec2-metadata-token") != token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		value, ok := data[strings.TrimPrefix(r.URL.Path, "/latest/")]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(value))
	}
}

// dialSSHPort connects to port 22 in the namespace.
func dialSSHPort(namespace string) (net.Conn, error) {
	return inNamespace(namespace, func() (net.Conn, error) {
		return net.DialTimeout("tcp", "127.0.0.1:22", time.Second)
	})
}

// sshBanner returns the first bytes that sshd in the namespace sends, or "" if it does not
// answer.
func sshBanner(namespace string) string {
	conn, err := dialSSHPort(namespace)
	if err != nil {
		return ""
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	buffer := make([]byte, 64)
	n, _ := conn.Read(buffer)
	return string(buffer[:n])
}
