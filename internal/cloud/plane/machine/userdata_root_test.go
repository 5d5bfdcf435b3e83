//go:build linux && root

package machine_test

import (
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/userdata"
)

func TestRealCloudConfigIsAppliedOncePerInstance(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	m.UserData = userdata.Script([]byte(`Content-Type: multipart/mixed; boundary="b"
MIME-Version: 1.0

--b
Content-Type: text/cloud-config

#cloud-config
bootcmd: [echo boot >>/var/log/boots]
hostname: web
fqdn: web.example.com
timezone: Europe/Berlin
groups: [staff2]
users:
  - default
  - {name: eve, groups: staff2, sudo: "ALL=(ALL) NOPASSWD:ALL", ssh_authorized_keys: [ssh-ed25519 AAAA eve]}
ssh_authorized_keys: [ssh-ed25519 AAAA second]
write_files:
  - {path: /etc/app/secret, content: "it's secret\n", permissions: '0640', owner: "root:staff2", defer: true}
  - {path: /etc/motd, content: more, append: true}
runcmd: ["echo run >>/var/log/runs", [touch, /var/log/a b]]
final_message: all is done
--b
Content-Type: text/x-shellscript

#!/bin/sh
echo script >>/var/log/runs
exit 3
--b--
`))
	s.launch(m, metadataOf(m))
	s.awaitSSH(m.ID)
	s.run(m.ID, "systemctl", "is-system-running", "--wait") // degraded: the script fails
	check := func(boots string) {
		s.Helper()
		s.expectOutput(m.ID, map[string]string{
			"cat /var/log/boots": boots, "cat /var/log/runs": "script\nrun", "ls '/var/log/a b'": "/var/log/a b",
			"cat /etc/hostname; hostname --fqdn": "web\nweb.example.com",
			"date +%Z | grep -c CE":              "1",
			"sudo -u eve sudo id -u":             "0",
			"id -nG eve":                         "eve staff2",
			"cd /home; tail -1 admin/.ssh/authorized_keys; cat eve/.ssh/authorized_keys": "ssh-ed25519 AAAA second\n" +
				"ssh-ed25519 AAAA eve",
			"cat /etc/app/secret; stat -c '%a %G' /etc/app/secret": "it's secret\n640 staff2",
			"grep -c more /etc/motd":                               "1",
			"stat -c '%a %U' /run/aloft/user-data":                 "600 root",
		})
	}
	check("boot")
	console, err := s.plane.Console(m.ID)
	if err != nil || !strings.Contains(string(console), "aloft: all is done") ||
		!strings.Contains(string(console), "aloft: the user data ended with exit code 3") {
		t.Errorf("console, %v:\n%s", err, console)
	}
	if err := s.plane.Reboot(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	s.awaitSSH(m.ID)
	s.run(m.ID, "systemctl", "is-system-running", "--wait")
	check("boot\nboot")
}

func TestRealUnknownUserDataIsRefusedOnTheConsole(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	m.UserData = userdata.Script([]byte("#cloud-config\nruncmd: [touch /ran]\nswap: {size: 1G}\n"))
	s.bootFully(m)
	console, err := s.plane.Console(m.ID)
	if err != nil || !strings.Contains(string(console), `the key "swap" is not supported`) {
		t.Errorf("console, %v:\n%s", err, console)
	}
	s.expectOutput(m.ID, map[string]string{"test -e /ran || echo nothing ran": "nothing ran"})
}
