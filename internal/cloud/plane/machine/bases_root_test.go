//go:build root

package machine_test

import (
	"testing"

	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/cloud/plane/image"
)

func TestRealMachineBootsDebian13(t *testing.T) {
	s := newFixtureOn(t, image.Debian13)
	m := s.machine(1)
	mine := newSigner(t)
	data := metadataOf(m)
	data["meta-data/public-keys/0/openssh-key"] = string(ssh.MarshalAuthorizedKey(mine.PublicKey()))
	data["user-data"] = "#!/bin/sh\n. /etc/os-release; echo $VERSION_CODENAME\n"
	s.launch(m, data)
	s.awaitSystem(m.ID)
	client, err := s.dialSSH(m.ID, s.plane.Status(m.ID).Namespace, "admin", mine)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	s.expectOutput(m.ID, map[string]string{
		"systemctl --failed --no-legend":                      "",
		"head -1 /var/log/cloud-init-output.log":              "trixie",
		"hostname --fqdn":                                     m.Hostname + ".ec2.internal",
		"systemctl is-active ssh aloft-init aloft-user-data":  "active\nactive\nactive",
		"sudo -u admin sudo id -u":                            "0",
		"findmnt -n -o FSTYPE /tmp":                           "tmpfs", // Debian 13 release notes, 2.1.8
		"ping -c 1 -W 1 127.0.0.1 | grep -c '1 received'":     "1",
		"runuser -u admin -- systemctl is-system-running":     "running",
		"systemctl restart systemd-journald && echo restarts": "restarts",
	})
}
