//go:build linux

package program

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TutorialFolder is the example that most tests deploy.
const TutorialFolder = "../../examples/tutorial"

// HostAddress is the source address that machines see on packets from this host.
const HostAddress = "198.18.0.3/32"

// Write writes a file and creates its folder.
func Write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// WithSpec returns a copy of the tutorial's folder with one more line in its
// aloft.yaml and a deregistration delay of 5 s.
func WithSpec(t *testing.T, line string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tutorial")
	Exec(t, "cp", "-r", TutorialFolder, dir)
	file := filepath.Join(dir, "aloft.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const section = "load_balancer:\n"
	spec := strings.Replace(string(text), section, section+"  deregistration_delay: 5s\n", 1) + "\n" + line + "\n"
	Write(t, file, spec)
	return dir
}

// Greeter is a server.js without dependencies; its argument is the greeting.
const Greeter = `const http = require('node:http');
const server = http.createServer((q, r) => r.end('%s from ' + require('node:os').hostname()));
server.keepAliveTimeout = 65000; // longer than the load balancer's
server.listen(process.env.PORT);
`

// SmallSpec returns the spec of an application with one server. The server starts
// from an image that has Node.js already, which saves most of an installation's
// time.
func SmallSpec(app, image, source, start string) string {
	return fmt.Sprintf(`app: %s
%s
start: %s
port: 8080
machines: {count: 1, image: %s}
security: {ssh: {from: [%s]}}
load_balancer: {port: 8080, deregistration_delay: 0s}
release: {watch: 1s, bake: 0s}
`, app, source, start, image, HostAddress)
}
