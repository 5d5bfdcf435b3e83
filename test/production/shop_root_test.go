//go:build linux && root

package production

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aloft.dev/aloft/test/program"
)

const (
	folder     = "examples/production" // in the checkout
	domain     = "shop.example.localhost"
	app        = "shop-production"
	signingKey = "production-key"
)

// shop is examples/production on a local cloud.
type shop struct {
	*program.LocalCloud
	checkout program.Checkout
	roots    *x509.CertPool
}

// start starts a local cloud and copies the example. The copy waits less. It has two servers
// in production unless everything is to be done, because most of the time passes while
// servers are replaced one after the other.
func start(t *testing.T) *shop {
	t.Helper()
	s := &shop{LocalCloud: program.Start(t)}
	s.checkout = program.NewCheckout(t, s.LocalCloud)
	s.edit(t, "aloft.yaml", "load_balancer:\n",
		"release: {watch: 1s, bake: 0s}\nload_balancer:\n  deregistration_delay: 1s\n")
	if !*everything {
		s.edit(t, "aloft.yaml", "machines: {count: 3}", "machines: {count: 2}")
	}
	return s
}

// edit replaces text in a file of the example.
func (s *shop) edit(t *testing.T, file, old, by string) {
	t.Helper()
	path := filepath.Join(s.dir(), file)
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), old) {
		t.Fatalf("%s does not contain %q: %v", path, old, err)
	}
	program.Write(t, path, strings.Replace(string(text), old, by, 1))
}

// dir is the example's folder.
func (s *shop) dir() string { return filepath.Join(s.checkout.Dir, folder) }

// stage returns the status of a stage.
func (s *shop) stage(t *testing.T, name string) program.Status {
	t.Helper()
	var status program.Status
	out := s.Must(t, "status", s.dir(), "--stage", name, "--json")
	if err := json.Unmarshal([]byte(out), &status); err != nil {
		t.Fatal(err)
	}
	return status
}

// root is the file of the local cloud's root certificate.
func (s *shop) root() string { return filepath.Join(s.State, "authority.pem") }

// trust returns the certificates that a client of the application trusts.
func (s *shop) trust(t *testing.T) *x509.CertPool {
	t.Helper()
	if s.roots == nil {
		text, err := os.ReadFile(s.root())
		if err != nil {
			t.Fatal(err)
		}
		s.roots = x509.NewCertPool()
		s.roots.AppendCertsFromPEM(text)
	}
	return s.roots
}

// answer is the application's description of itself.
type answer struct{ Server, Stage, Version, Greeting string }

// get requests a URL with curl, and checks the signature of the answer.
func (s *shop) get(t *testing.T, name, key string) answer {
	t.Helper()
	head, body := s.curl(t, "https://"+name+"/")
	sum := hmac.New(sha256.New, []byte(key))
	_, _ = io.WriteString(sum, body)
	if want := hex.EncodeToString(sum.Sum(nil)); head.Get("X-Signature") != want {
		t.Errorf("%s signs its answer %s, want %s", name, head.Get("X-Signature"), want)
	}
	var a answer
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		t.Fatalf("%s answers %s", name, body)
	}
	return a
}

// curl returns the head and the body of the answer at a URL.
func (s *shop) curl(t *testing.T, url string) (head http.Header, body string) {
	t.Helper()
	out := program.Exec(t, "curl", "--silent", "--show-error", "--max-time", "10", "--include", "--http1.1",
		"--cacert", s.root(), url)
	lines, body, found := strings.Cut(out+"\n", "\r\n\r\n")
	head = http.Header{}
	for line := range strings.Lines(lines) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		head.Add(name, value)
	}
	if !found {
		t.Fatalf("%s: %s", url, out)
	}
	return head, body
}

// serves checks which version serves in production.
func (s *shop) serves(t *testing.T, version, greeting string) {
	t.Helper()
	if got := s.get(t, domain, signingKey); got.Version != version || got.Stage != "production" ||
		got.Greeting != greeting {
		t.Errorf("production answers %+v, want version %s and greeting %q", got, version, greeting)
	}
}

// healthy waits until all servers of production are healthy, and checks that nothing is to be
// done.
func (s *shop) healthy(t *testing.T) {
	t.Helper()
	program.Eventually(t, program.Patience, "all servers are healthy", func() bool {
		for _, m := range s.stage(t, "production").Machines {
			if m.Health != "healthy" {
				return false
			}
		}
		return true
	})
	if out, story, code := s.Run(t, "plan", s.dir(), "--stage", "production"); code != 0 {
		t.Errorf("a plan is not empty: exit %d\n%s%s", code, out, story)
	}
}
