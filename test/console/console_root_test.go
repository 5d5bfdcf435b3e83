//go:build linux && root

// Package console tests the console's pages in a real browser, over real machines.
package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/test/browser"
	"aloft.dev/aloft/test/program"
)

// server answers requests. Perl is in the base image.
const server = `use strict; use IO::Socket::INET; $SIG{CHLD} = 'IGNORE'; $SIG{PIPE} = 'IGNORE';
my $l = IO::Socket::INET->new(LocalPort => $ENV{PORT}, Listen => 512, ReuseAddr => 1) or die $!;
while (my $c = $l->accept) {
  next if fork;
  while (my $line = <$c>) { last if $line eq "\r\n"; }
  print $c "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"; $c->flush;
  exit;
}
`

// site is an application whose cloud is looked at.
type site struct {
	*program.LocalCloud
	dir, id  string
	topology string // the URL of that page
	tab      *browser.Tab
}

// link returns a link to the console.
func (s *site) link(t *testing.T) string {
	t.Helper()
	var out struct{ URL string }
	if err := json.Unmarshal([]byte(s.Must(t, "console", s.dir, "--read-only", "--json")), &out); err != nil {
		t.Fatal(err)
	}
	return out.URL
}

// page returns the URL of a page.
func page(link, name string) string {
	base, _, _ := strings.Cut(link, "open?")
	return base + "us-east-1/" + name
}

// TestRealConsole opens the console while an application is deployed, and follows what happens
// to it without a reload.
func TestRealConsole(t *testing.T) {
	chromium := browser.Find(t)
	s := &site{LocalCloud: program.Start(t), dir: t.TempDir()}
	program.Write(t, filepath.Join(s.dir, "server.pl"), server)
	program.Write(t, filepath.Join(s.dir, "aloft.yaml"), program.SmallSpec("shop", "debian-12", "", "perl server.pl"))
	s.tab = browser.Open(t, chromium)
	link := s.link(t)
	s.topology = page(link, "topology")
	s.tab.Go(t, link)
	s.tab.Until(t, "the page is live", `document.getElementById("live").textContent === "live"`)
	s.Must(t, "up", s.dir)
	s.tab.Until(t, "the server is healthy", machine("server-1")+`?.querySelector(".health.good")`)
	s.id = s.Status(t, s.dir).Machines[0].InstanceID

	t.Run("a link opens one browser", func(t *testing.T) {
		response, err := http.Get(link)
		if err != nil {
			t.Fatal(err)
		}
		if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusForbidden {
			t.Errorf("the link again: %s, %v", response.Status, err)
		}
		if cookie := s.tab.Eval(t, "document.cookie"); cookie != "" {
			t.Errorf("scripts see the cookie %q", cookie)
		}
	})
	t.Run("pages fit a telephone, and are quick", s.looks)
	t.Run("pages work by keyboard and without a script", s.plain)
	t.Run("a server that stops and starts is shown as it happens", s.follows)
	t.Run("the page of a machine", func(t *testing.T) {
		s.tab.Go(t, page(link, "resource?id="+s.id))
		text := s.tab.Eval(t, "document.body.innerText")
		for _, word := range []string{s.id, "InstanceType", "aloft:address", "Console output", "Debian", "processor"} {
			if !strings.Contains(text, word) {
				t.Errorf("the page lacks %q", word)
			}
		}
	})
	t.Run("what firewalls let pass", func(t *testing.T) {
		s.tab.Go(t, s.topology)
		const rule = `[...document.querySelectorAll(".allows a")].find((e) =>
			e.textContent === "tcp 8080 from the load balancer")`
		s.tab.Until(t, "the rule", rule)
		s.tab.Eval(t, rule+".click()")
		s.tab.Until(t, "its group", `document.getElementById("allowed-title")`)
	})
	t.Run("calls arrive", func(t *testing.T) {
		s.tab.Go(t, page(link, "calls?filter=DescribeKeyPairs+eu-"))
		s.tab.Until(t, "no such call", `document.getElementById("calls").textContent.includes("No such call")`)
		client := s.API.EC2
		elsewhere := func(o *ec2.Options) { o.Region = "eu-west-1" }
		if _, err := client.DescribeKeyPairs(t.Context(), nil, elsewhere); err != nil {
			t.Fatal(err)
		}
		s.tab.Until(t, "the call", `document.getElementById("calls").textContent.includes("eu-west-1")`)
	})
	t.Run("why", func(t *testing.T) {
		s.tab.Go(t, page(link, "why?from=internet&to="+s.id+"&port=9"))
		s.tab.Until(t, "the rule", `document.querySelector("li.bad")?.textContent.includes("group-in")`)
		s.tab.Go(t, page(link, "why?from=internet&to="+s.id+"&port=no"))
		s.tab.Until(t, "the problem", `document.querySelector("[role=alert]")`)
	})
	if len(s.tab.Problems) > 0 {
		t.Errorf("the browser complains: %s", strings.Join(s.tab.Problems, "\n"))
	}
}

// machine is an expression for the element of a machine.
func machine(name string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("a.item")].find((e) =>
		e.textContent.includes("machine") && e.textContent.includes(%q))`, name)
}

func (s *site) looks(t *testing.T) {
	for _, width := range []int{360, 1280} {
		for _, dark := range []bool{false, true} {
			s.tab.View(t, width, 800, dark)
			s.tab.Go(t, s.topology)
			s.tab.Until(t, "the page is live", `document.getElementById("live")?.textContent === "live"`)
			if wide := s.tab.Eval(t, "document.documentElement.scrollWidth > innerWidth"); wide != "false" {
				t.Errorf("the page is wider than %d pixels", width)
			}
			paint := s.tab.Eval(t, `Math.round(performance.getEntriesByName("first-contentful-paint")[0]?.startTime)`)
			t.Logf("%d pixels, dark %t: first paint after %s ms", width, dark, paint)
			if dir := os.Getenv("ALOFT_TEST_PICTURES"); dir != "" {
				name := fmt.Sprintf("console-%d-%t.png", width, dark)
				program.Write(t, filepath.Join(dir, name), string(s.tab.Picture(t)))
			}
		}
	}
	missing := s.tab.Eval(t, `[...document.querySelectorAll("svg")].filter((e) => !e.closest("[aria-hidden]") &&
		e.getAttribute("role") !== "img").length + " " + [...document.querySelectorAll("input:not([type=hidden])")]
		.filter((e) => !e.labels.length).length + " " + document.querySelectorAll("main, nav, header, h1").length`)
	if missing != "0 0 4" {
		t.Errorf("pictures without text, fields without labels, landmarks: %s, want 0 0 4", missing)
	}
}

func (s *site) plain(t *testing.T) {
	s.tab.Press(t, "Tab", 9)
	s.tab.Press(t, "Tab", 9)
	if at := s.tab.Eval(t, "document.activeElement?.textContent"); at != "Skip to the content" && at != "Topology" {
		t.Errorf("the first stops of the keyboard are at %q", at)
	}
	s.tab.Script(t, false)
	defer s.tab.Script(t, true)
	s.tab.Go(t, s.topology)
	s.tab.Until(t, "the server without a script", machine("server-1"))
}

func (s *site) follows(t *testing.T) {
	s.tab.Go(t, s.topology)
	s.tab.Until(t, "the page is live", `document.getElementById("live")?.textContent === "live"`)
	s.tab.Eval(t, "window.neverReloaded = true")
	in := &ec2.StopInstancesInput{InstanceIds: []string{s.id}}
	if _, err := s.API.EC2.StopInstances(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	s.tab.Until(t, "the server is off", machine("server-1")+`?.querySelector(".health.off")`)
	program.Eventually(t, program.Patience, "the server starts", func() bool {
		_, err := s.API.EC2.StartInstances(t.Context(), &ec2.StartInstancesInput{InstanceIds: []string{s.id}})
		return err == nil
	})
	s.tab.Until(t, "the server is healthy again", machine("server-1")+`?.querySelector(".health.good")`)
	if s.tab.Eval(t, "window.neverReloaded") != "true" {
		t.Error("the page was loaded again")
	}
}
