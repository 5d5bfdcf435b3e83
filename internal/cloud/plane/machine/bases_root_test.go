//go:build linux && root

package machine_test

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/cloud/plane/image"
	"aloft.dev/aloft/internal/cloud/userdata"
)

func TestRealMachineBootsDebian13(t *testing.T) {
	s := newFixtureOn(t, image.Debian13)
	m := s.machine(1)
	m.AptBusy = 10 * time.Second
	mine := newSigner(t)
	data := metadataOf(m)
	data["meta-data/public-keys/0/openssh-key"] = string(ssh.MarshalAuthorizedKey(mine.PublicKey()))
	m.UserData = userdata.Script([]byte("#!/bin/sh\n. /etc/os-release; echo $VERSION_CODENAME\n"))
	s.launch(m, data)
	s.awaitSystem(m.ID)
	if out, err := s.run(m.ID, "apt-get", "update"); err == nil || !strings.Contains(out, "lists/lock") {
		t.Errorf("apt-get update while another apt works: %v: %s", err, out)
	}
	if out, err := s.run(m.ID, "dpkg", "--configure", "-a"); err == nil || !strings.Contains(out, "lock") {
		t.Errorf("dpkg while another apt works: %v: %s", err, out)
	}
	s.eventually("the other apt is done", 40*time.Second, func() bool {
		_, err := s.run(m.ID, "dpkg", "--configure", "-a")
		return err == nil
	})
	client, err := s.dialSSH(m.ID, s.plane.Status(m.ID).Namespace, "admin", mine)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	// Debian 13 has a tmpfs at /tmp (Debian 13 release notes, 2.1.8).
	s.expectOutput(m.ID, map[string]string{
		"systemctl --failed --no-legend":                      "",
		"head -1 /var/log/cloud-init-output.log":              "trixie",
		"hostname --fqdn":                                     m.Hostname + ".ec2.internal",
		"systemctl is-active ssh aloft-init aloft-user-data":  "active\nactive\nactive",
		"sudo -u admin sudo id -u":                            "0",
		"findmnt -n -b -o SIZE /tmp":                          "268435456", // half of 512 MiB
		"ping -c 1 -W 1 127.0.0.1 | grep -c '1 received'":     "1",
		"runuser -u admin -- systemctl is-system-running":     "running",
		"systemctl restart systemd-journald && echo restarts": "restarts",
	})
}
