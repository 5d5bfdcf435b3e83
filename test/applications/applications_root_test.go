//go:build linux && root

package applications

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aloft.dev/aloft/test/program"
)

// application is an example, a change of its source, and what it answers before and
// after.
type application struct {
	example           string
	file, old, change string
	before, after     string // part of the answer at /
}

var applications = []application{
	{
		example: "typescript",
		file:    "src/server.ts", old: "node: process.version }", change: `node: "changed" }`,
		before: `"node":"v2`, after: `"node":"changed"`,
	},
	{
		example: "python",
		file:    "app.py", old: "platform.python_version()", change: `"changed"`,
		before: `"python": "3.11`, after: `"python": "changed"`,
	},
	{
		example: "go",
		file:    "main.go", old: `"request": uuid.NewString()`, change: `"request": uuid.Nil.String()`,
		before: `"request":"`, after: `"request":"00000000-`,
	},
	{
		example: "monorepo",
		file:    "packages/greeting/index.js", old: "Hello from", change: "Goodbye from",
		before: "Hello from ip-10-0-", after: "Goodbye from ip-10-0-",
	},
	{
		example: "worker",
		file:    "migrate.js", old: "schema: 1", change: "schema: 2",
		before: `"schema":1`, after: `"schema":2`,
	},
}

// Every example is deployed as it is, changed, released and rolled back.
func TestRealApplicationsOfManyKinds(t *testing.T) {
	c := program.Start(t)
	index := serveIndex(t, wheel(t, "bottle", nil), wheel(t, "gunicorn", map[string]string{
		"gunicorn": "gunicorn.app.wsgiapp:run",
	}))
	for _, a := range applications {
		t.Run(a.example, func(t *testing.T) {
			t.Parallel()
			a.run(t, c, "mirrors: {python: "+index+"}\n")
		})
	}
}

func (a application) run(t *testing.T, c *program.LocalCloud, mirrors string) {
	dir := filepath.Join(t.TempDir(), a.example)
	program.Exec(t, "cp", "-r", filepath.Join("../../examples", a.example), dir)
	a.edit(t, dir, "aloft.yaml", func(text string) string {
		const section = "load_balancer:\n"
		if !strings.Contains(text, section) {
			text += section
		}
		return strings.Replace(text, section, section+"  deregistration_delay: 0s\n", 1) +
			"machines: {count: 2}\nrelease: {watch: 1s, bake: 0s}\n" +
			"security: {ssh: {from: [" + program.HostAddress + "]}}\n" + mirrors
	})
	c.Must(t, "up", dir)
	answers := func(want string) {
		t.Helper()
		if got := program.Fetch(t, c.Status(t, dir).URL+"/"); !strings.Contains(got, want) {
			t.Errorf("it answers %q, want %q", got, want)
		}
	}
	answers(a.before)
	if a.example == "worker" {
		checkWorker(t, c, dir)
	}
	a.edit(t, dir, a.file, func(text string) string {
		if !strings.Contains(text, a.old) {
			t.Fatalf("%s does not contain %s", a.file, a.old)
		}
		return strings.Replace(text, a.old, a.change, 1)
	})
	c.Must(t, "up", dir)
	answers(a.after)
	c.Must(t, "rollback", dir)
	answers(a.before)
	c.Must(t, "down", dir, "--yes", "--images")
}

func (a application) edit(t *testing.T, dir, file string, change func(string) string) {
	t.Helper()
	path := filepath.Join(dir, file)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	program.Write(t, path, change(string(text)))
}

// checkWorker checks that the other process of the Procfile runs on each server, writes
// to the same log, and is started again.
func checkWorker(t *testing.T, c *program.LocalCloud, dir string) {
	t.Helper()
	if log := c.Must(t, "logs", dir); !strings.Contains(log, "aloft-worker-worker") ||
		!strings.Contains(log, "the worker is running") {
		t.Errorf("the log lacks the worker:\n%s", log)
	}
	for _, m := range c.Status(t, dir).Machines {
		on := func(command string) string { return c.OpenSSH(t, "worker", m.PublicIP, command) }
		on("sudo systemctl kill -s KILL aloft-worker-worker.service")
		program.Eventually(t, program.Patience, "the worker of "+m.Name+" runs again", func() bool {
			return on("systemctl is-active aloft-worker-worker.service || true") == "active"
		})
	}
}
