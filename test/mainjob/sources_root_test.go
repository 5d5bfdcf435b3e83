//go:build linux && root

package mainjob

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"aloft.dev/aloft/test/program"
)

// git deploys a public repository, then a private one.
func (c *deployed) git(t *testing.T) {
	image := c.Status(t, program.TutorialFolder).ImageID
	internet := newInternet(t)
	commit := internet.push(
		t,
		"open/greeter",
		map[string]string{"backend/package.json": "{}", "backend/server.js": fmt.Sprintf(program.Greeter, "hello")},
	)
	dir := t.TempDir()
	program.Write(t, filepath.Join(dir, "aloft.yaml"), program.SmallSpec(
		"cloned", image, "source: {git: "+internet.url("open/greeter")+", ref: mian, dir: backend}", "node server.js",
	))
	c.Refused(t, []string{"up", dir}, []string{"has no ref mian", "did you mean main?"})
	c.Refused(t, []string{"status", dir}, []string{"cloned"})
	c.NothingTagged(t, "cloned")

	program.Write(t, filepath.Join(dir, "aloft.yaml"), program.SmallSpec(
		"cloned", image, "source: {git: "+internet.url("open/greeter")+", ref: main, dir: backend}", "node server.js",
	))
	c.Must(t, "up", dir)
	d := c.Status(t, dir)
	if got := program.Fetch(t, d.URL); !strings.HasPrefix(got, "hello from ip-10-0-") {
		t.Errorf("the application answers %q", got)
	}
	if log := c.Must(t, "releases", dir); !strings.Contains(log, commit) {
		t.Errorf("the releases do not name the commit %s:\n%s", commit, log)
	}
	t.Run(
		"the system's ssh with the key gets a shell on a Debian of its own",
		func(t *testing.T) { c.shell(t, "cloned", dir) },
	)

	internet.push(
		t,
		"closed/greeter",
		map[string]string{"package.json": "{}", "server.js": fmt.Sprintf(program.Greeter, "a secret")},
	)
	program.Write(
		t,
		filepath.Join(dir, "aloft.yaml"),
		program.SmallSpec("cloned", image, "source: {git: "+internet.url("closed/greeter")+"}", "node server.js"),
	)
	c.Refused(t, []string{"up", dir}, []string{"cannot be read", "git ls-remote"})
	program.Write(t, filepath.Join(c.Home, ".gitconfig"), "[credential]\n\thelper = store\n")
	program.Write(
		t,
		filepath.Join(c.Home, ".git-credentials"),
		fmt.Sprintf("http://me:%s@%s\n", internet.password, internet.address),
	)
	c.Must(t, "up", dir)
	d = c.Status(t, dir)
	if got := program.Fetch(t, d.URL); !strings.HasPrefix(got, "a secret from ip-10-0-") {
		t.Errorf("the application answers %q", got)
	}
	if internet.requests.Load() == 0 {
		t.Error("the private repository was not read with the password")
	}
	pattern := internet.password[:len(internet.password)-1] + "[d]" // does not match the search's own command line
	if got := c.OpenSSH(
		t, "cloned", d.Machines[0].PublicIP,
		"sudo grep -rl '"+pattern+"' /srv /etc /root /home /var/lib/aloft-cloned /var/log || echo nowhere",
	); got != "nowhere" {
		t.Errorf("the machine knows the password: %s", got)
	}
	c.Must(t, "down", dir, "--yes", "--images")
	c.NothingTagged(t, "cloned")
}

// shell checks a machine from inside, over SSH.
func (c *deployed) shell(t *testing.T, app, dir string) {
	m := c.Status(t, dir).Machines[0]
	const (
		request = `curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60'` +
			` http://169.254.169.254/latest/api/token`
		fetch = `curl -sf -H "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/meta-data/$1`
		token = `token=$(` + request + `); meta() { ` + fetch + `; }; `
	)
	for command, want := range map[string]string{
		"hostname":                                 "ip-" + strings.ReplaceAll(m.PrivateIP, ".", "-"),
		"cat /proc/1/comm":                         "systemd",
		"sudo id -u":                               "0",
		". /etc/os-release; echo $ID$VERSION_ID":   "debian12",
		"sudo apt-get -qq check && echo sound":     "sound",
		token + "meta instance-id":                 m.InstanceID,
		token + "meta placement/availability-zone": m.Zone,
		token + "meta public-ipv4":                 m.PublicIP,
		"curl -s -o /dev/null -w '%{http_code}' http://169.254.169.254/latest/meta-data/instance-id": "401",
		"pgrep -c -x systemd": "1",
	} {
		if got := c.OpenSSH(t, app, m.PublicIP, command); got != want {
			t.Errorf("%s: %q, want %q", command, got, want)
		}
	}
}

// failing deploys an application whose npm install fails, then one whose start
// command fails, and then a working one.
func (c *deployed) failing(t *testing.T) {
	image := c.Status(t, program.TutorialFolder).ImageID
	dir := t.TempDir()
	program.Write(
		t, filepath.Join(dir, "aloft.yaml"), program.SmallSpec("broken", image, "source: {path: .}", "node server.js"),
	)
	program.Write(t, filepath.Join(dir, "server.js"), fmt.Sprintf(program.Greeter, "mended"))
	program.Write(
		t, filepath.Join(dir, "package.json"), `{"scripts": {"build": "echo the compiler is missing; exit 3"}}`,
	)
	c.Refused(
		t,
		[]string{"up", dir},
		[]string{"npm run build failed", "the compiler is missing", "aloft ssh server-1", "run aloft up again"},
	)
	c.NoImage(t, "broken")
	c.Must(t, "down", dir, "--yes")
	c.NothingTagged(t, "broken")

	program.Write(t, filepath.Join(dir, "package.json"), `{}`)
	program.Write(t, filepath.Join(dir, "server.js"), "throw new Error('where is the database?')\n")
	c.Refused(
		t, []string{"up", dir}, []string{"failed", "has ended 3 times", "where is the database?", "aloft ssh server-1"},
	)
	c.NoImage(t, "broken")
	if n := c.TemporaryRules(t); n != 0 {
		t.Errorf("%d temporary rules are left", n)
	}
	program.Write(t, filepath.Join(dir, "server.js"), fmt.Sprintf(program.Greeter, "mended"))
	c.Must(t, "up", dir)
	if got := program.Fetch(t, c.Status(t, dir).URL); !strings.HasPrefix(got, "mended from ip-10-0-") {
		t.Errorf("the application answers %q", got)
	}
	c.Must(t, "down", dir, "--yes", "--images")
	c.NothingTagged(t, "broken")
}
