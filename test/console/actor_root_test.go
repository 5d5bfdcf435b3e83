//go:build linux && root

package console

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/drill"
	"aloft.dev/aloft/test/browser"
	"aloft.dev/aloft/test/program"
	"aloft.dev/aloft/test/simulation"
)

// act runs a command that serves a console until the test ends, and returns its link.
func (s *site) act(t *testing.T, env []string, args ...string) (link string) {
	t.Helper()
	cmd := s.Command(context.WithoutCancel(t.Context()), append([]string{"console", s.dir, "--json"}, args...)...)
	cmd.Env = append(cmd.Env, env...)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.interrupt(t, cmd) })
	var out struct{ URL string }
	if err := json.NewDecoder(stdout).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out.URL
}

// interrupt ends a command as Ctrl-C does.
func (s *site) interrupt(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("aloft console ends with %v", err)
	}
}

// TestRealDrillFromThePage breaks a server from a page, as aloft drill does.
func TestRealDrillFromThePage(t *testing.T) {
	chromium := browser.Find(t)
	s := &site{LocalCloud: program.Start(t), dir: t.TempDir()}
	spec := program.SmallSpec("shop", "debian-12", "", "perl server.pl")
	program.Write(t, filepath.Join(s.dir, "server.pl"), server)
	program.Write(t, filepath.Join(s.dir, "aloft.yaml"), strings.Replace(spec, "count: 1", "count: 2", 1))
	s.tab = browser.Open(t, chromium)
	s.Must(t, "up", s.dir)
	link := s.act(t, nil)
	s.tab.Go(t, link)
	var first drill.Result
	t.Run("a drill", func(t *testing.T) { first = s.drills(t, link) })
	t.Run("one of the command line", func(t *testing.T) { s.listsDrills(t, link, first) })
	t.Run("the release", func(t *testing.T) {
		s.tab.Go(t, page(link, "releases"))
		s.tab.Until(t, "it serves", `document.getElementById("release-1")?.textContent.includes("released, serves")`)
	})
	t.Run("a browser that may only read", func(t *testing.T) {
		reader := newReader(t)
		reader.read(t, s.link(t))
		simulation.Contains(t, reader.read(t, page(link, "drills")), ">aloft console</pre>")
	})
	t.Run("as if it were AWS", s.looksAtAWS)
	if len(s.tab.Problems) > 0 {
		t.Errorf("the browser complains: %s", strings.Join(s.tab.Problems, "\n"))
	}
}

// drills performs a drill from the page, and returns its report.
func (s *site) drills(t *testing.T, link string) (result drill.Result) {
	s.tab.Go(t, page(link, "drills/new?experiment=app&at=server-2&rate=40&calm=2"))
	s.tab.Until(t, "the bound", `document.getElementById("bound")`)
	s.tab.Eval(t, `document.querySelector("button.danger").click()`)
	s.tab.Until(t, "requests", `Number(document.getElementById("sent")?.textContent) > 50`)
	s.tab.Eval(t, "window.neverReloaded = true")
	s.tab.Until(t, "a lost request", `Number(document.getElementById("failed")?.textContent) > 0`)
	for range 4 { // a drill takes longer than one wait
		if s.tab.Happens(t, `document.querySelector("#run a[href*=report]")`) {
			break
		}
	}
	s.tab.Until(t, "the report", `document.querySelector("#run a[href*=report]")`)
	if s.tab.Eval(t, "window.neverReloaded") != "true" {
		t.Error("the page was loaded again")
	}
	shown := s.tab.Eval(t, `["sent", "failed"].map((id) => document.getElementById(id).textContent).join(" ")`)
	s.tab.Eval(t, `document.querySelector("#run a[href*=report]").click()`)
	s.tab.Until(t, "the picture", `document.querySelector("img.drill")?.naturalWidth === 960`)
	text := s.tab.Eval(t, `fetch(document.querySelector("a[href*='drills/json']").href).then((r) => r.text())`)
	if err := json.Unmarshal([]byte(text), &result); err != nil {
		t.Fatal(err)
	}
	s.sameNumbers(t, result)
	if fields := strings.Fields(shown); result.Failed == 0 || !equal(fields, result.Sent, result.Failed) {
		t.Errorf("the page shows %q, the report has %d sent and %d failed", shown, result.Sent, result.Failed)
	}
	t.Logf("%d requests, %d failed, inside the bound: %t", result.Sent, result.Failed, result.InsideBound)
	return result
}

// equal reports whether texts are numbers.
func equal(texts []string, numbers ...int) bool {
	if len(texts) != len(numbers) {
		return false
	}
	for i, n := range numbers {
		text, err := json.Marshal(n)
		if err != nil || string(text) != texts[i] {
			return false
		}
	}
	return true
}

// sameNumbers checks that the page of a report shows the report's numbers.
func (s *site) sameNumbers(t *testing.T, r drill.Result) {
	t.Helper()
	results := s.tab.Eval(t, `document.getElementById("results").textContent`)
	for _, row := range r.Rows() {
		if !strings.Contains(results, row[1]) {
			t.Errorf("the page does not show %s: %q", row[0], row[1])
		}
	}
}

// listsDrills performs a drill on the command line and finds it in the page.
func (s *site) listsDrills(t *testing.T, link string, first drill.Result) {
	var second drill.Result
	out := s.Must(t, "drill", "app", s.dir, "--rate", "20", "--calm", "1s", "--duration", "3s", "--json")
	if err := json.Unmarshal([]byte(out), &second); err != nil {
		t.Fatal(err)
	}
	s.tab.Go(t, page(link, "drills"))
	const rows = `document.querySelectorAll("#past tbody a")`
	s.tab.Until(t, "both drills", rows+`.length === 2`)
	s.tab.Eval(t, rows+"[0].click()")
	s.tab.Until(t, "the report", `document.getElementById("results")`)
	s.sameNumbers(t, second)
	s.tab.Go(t, page(link, "drills"))
	s.tab.Eval(t, `document.querySelector("[name=b]").selectedIndex = 1`)
	s.tab.Eval(t, `document.querySelector("form[aria-label=Compare] button").click()`)
	s.tab.Until(t, "both", `document.querySelectorAll("img.drill").length === 2`)
	text := s.tab.Eval(t, "document.body.textContent")
	for _, r := range []drill.Result{first, second} {
		if want := r.Rows()[1][1]; !strings.Contains(text, want) {
			t.Errorf("the comparison lacks %q", want)
		}
	}
}

// looksAtAWS serves the pages from the local cloud's APIs as from AWS's.
func (s *site) looksAtAWS(t *testing.T) {
	var env map[string]string
	if err := json.Unmarshal([]byte(s.Must(t, "local", "env", "--json")), &env); err != nil {
		t.Fatal(err)
	}
	var variables []string
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		variables = append(variables, name+"="+env[name])
	}
	link := s.act(t, variables, "--on", "aws", "--endpoint", env["AWS_ENDPOINT_URL"])
	tab := s.tab
	tab.Go(t, link)
	tab.Until(t, "the server is healthy", machine("server-1")+`?.querySelector(".health.good")`)
	text := tab.Eval(t, `document.querySelector("nav").textContent + document.body.innerHTML`)
	if strings.Contains(text, "Calls") || strings.Contains(text, "Requests now") {
		t.Error("the pages show what AWS does not tell")
	}
	if strings.Contains(text, env["AWS_ACCESS_KEY_ID"]) {
		t.Error("a page has the access key")
	}
	tab.Go(t, page(link, "drills/new?experiment=app"))
	tab.Until(t, "the application's name is asked for", `document.querySelector("[name=confirm]")`)
	tab.Go(t, page(link, "resource?id="+s.Status(t, s.dir).Machines[0].InstanceID))
	tab.Until(t, "metrics", `document.getElementById("metrics")?.textContent.includes("processor")`)
	tab.Until(t, "no log", `document.body.textContent.includes("does not go to CloudWatch Logs")`)
	tab.Go(t, page(link, "timeline"))
	tab.Until(t, "the hour", `document.querySelector("svg.hour")`)
	tab.Go(t, page(link, "why?from=internet&to="+s.Status(t, s.dir).Machines[0].InstanceID+"&port=9"))
	tab.Until(t, "the rule", `document.querySelector("li.bad")?.textContent.includes("group-in")`)
}
