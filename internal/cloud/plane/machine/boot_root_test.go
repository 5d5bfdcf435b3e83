//go:build linux && root

package machine_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/plane/machine"
	"aloft.dev/aloft/internal/cloud/userdata"
)

const launchKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3kLmcNbXJH2nJ5Vd6HgF0cYkRr7q0bJ1xQmFZ3p9aB launch"

func metadataOf(m machine.Machine) map[string]string {
	return map[string]string{
		"meta-data/instance-id": m.ID, "meta-data/local-hostname": m.Hostname + ".ec2.internal",
		"meta-data/public-keys/0/openssh-key": launchKey + "\n",
	}
}

func TestRealMachineBootsItsOwnDebian(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	data := metadataOf(m)
	m.UserData = userdata.Script([]byte("#!/bin/sh\necho user data of $(id -un) with $https_proxy\n"))
	start := time.Now()
	s.launch(m, data)
	t.Logf("PID 1 is systemd after %v", time.Since(start))
	s.awaitSSH(m.ID)
	t.Logf("sshd answers after %v", time.Since(start))
	s.awaitSystem(m.ID)
	t.Logf("the system is up after %v", time.Since(start))
	s.expectOutput(m.ID, map[string]string{
		"cat /proc/1/comm":                              "systemd",
		"hostname":                                      m.Hostname,
		"cat /etc/hostname; hostname --fqdn":            m.Hostname + "\n" + m.Hostname + ".ec2.internal",
		"cat /home/admin/.ssh/authorized_keys":          launchKey,
		"stat -c '%U %a' /home/admin/.ssh":              "admin 700",
		"stat -c '%U %a' /etc/ssh/ssh_host_ed25519_key": "root 600",
		"cat /etc/resolv.conf":                          "nameserver 169.254.169.253\nsearch ec2.internal",
		"cat /var/log/cloud-init-output.log": "user data of root with http://proxy.example:3128\n" +
			"aloft: the user data ended with exit code 0",
		"runuser -u admin -- sudo sh -c 'id -u; echo $https_proxy'": "0\nhttp://proxy.example:3128",
		"sshd -T | grep -E '^(passwordauthentication|permitrootlogin) ' | sort": "passwordauthentication no\n" +
			"permitrootlogin no",
		"systemctl is-active ssh aloft-init aloft-user-data": "active\nactive\nactive",
		"runuser -l admin -c 'cloud-init status --wait; cloud-init clean 2>&1' | cut -d: -f1-2": "status: done\n" +
			"cloud-init: clean",
		"test -s /var/lib/cloud/instance/boot-finished && echo finished": "finished",

		"grep -c BEGIN $SSL_CERT_FILE /run/aloft/ca-certificates.crt | cut -d: -f2 | grep -vc ^0": "1",
	})
	s.assertIsNobodyOnTheHost(m)
	s.assertConsoleHasHostKeys(m.ID)
}

// assertIsNobodyOnTheHost asserts the user ids of a machine's PID 1 and launcher.
func (s *fixture) assertIsNobodyOnTheHost(m machine.Machine) {
	s.Helper()
	status := s.plane.Status(m.ID)
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/uid_map", status.PID))
	uidMap := strings.Join(strings.Fields(string(data)), " ")
	if want := fmt.Sprintf("0 %d 65536", m.UIDBase); err != nil || uidMap != want {
		s.Errorf("uid_map %q, want %s (%v)", uidMap, want, err)
	}
	want := strings.TrimSpace(strings.Repeat(fmt.Sprint(m.UIDBase, " "), 4))
	if ids := procStatus(s.T, status.PID, "Uid:"); ids != want {
		s.Errorf("the user ids of the machine's root on the host are %s, want %s", ids, want)
	}
	if ids := procStatus(s.T, status.Launcher, "Uid:"); strings.HasPrefix(ids, "0 ") {
		s.Error("the launcher is root on the host")
	}
	resident := procStatus(s.T, status.Launcher, "VmRSS:")
	s.Logf("idle: cgroup %.1f MiB, launcher resident %s", float64(status.MemoryBytes)/(1<<20), resident)
}

func (s *fixture) assertConsoleHasHostKeys(id string) {
	s.Helper()
	console, err := s.plane.Console(id)
	if err != nil {
		s.Fatal(err)
	}
	_, after, found := strings.Cut(strings.ReplaceAll(string(console), "\r", ""), "-----BEGIN SSH HOST KEY KEYS-----\n")
	keys, _, ended := strings.Cut(after, "-----END SSH HOST KEY KEYS-----")
	actual := s.mustRun(id, "sh", "-c", "cat /etc/ssh/ssh_host_*_key.pub")
	if !found || !ended || strings.TrimSpace(keys) != actual {
		s.Errorf("host keys on the console\n%s\nwant\n%s", keys, actual)
	}
	if !strings.Contains(string(console), "-----BEGIN SSH HOST KEY FINGERPRINTS-----") {
		s.Error("the console has no fingerprints of the host keys")
	}
}

// procStatus returns the value of a line of /proc/pid/status, its fields separated by one
// space.
func procStatus(t *testing.T, pid int, name string) string {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if value, found := strings.CutPrefix(line, name); found {
			return strings.Join(strings.Fields(value), " ")
		}
	}
	t.Fatalf("/proc has no %s for process %d", name, pid)
	return ""
}

func TestRealMachineRootHasNoPowerOverTheHost(t *testing.T) {
	s := newFixture(t)
	m := s.machine(1)
	s.bootFully(m)
	for _, attempt := range []string{
		"mknod /root/disk b 8 0", "mount -t ext4 /dev/vda /mnt", "echo 1 >/proc/sys/kernel/panic",
		"echo b >/proc/sysrq-trigger",
		"date --set 2001-01-01", "echo x >/sys/kernel/mm/transparent_hugepage/enabled", "cat /proc/kcore",
		"dmesg --clear",
		"echo max >/sys/fs/cgroup/../memory.max", "kill -9 " + fmt.Sprint(os.Getpid()), "test -e " + s.config.Dir,
		"unshare --mount umount /proc/kcore", "echo 0 >/run/aloft/ca-certificates.crt",
	} {
		if out, err := s.run(m.ID, "sh", "-c", attempt); err == nil {
			t.Errorf("root in the machine could %s: %s", attempt, out)
		}
	}
	s.expectOutput(m.ID, map[string]string{
		"grep -Evc ':/(init.scope)?$' /proc/1/cgroup": "0",
		"ls /dev | sort | tr '\\n' ' '": "console fd full fuse initctl log mqueue null ptmx pts random shm " +
			"stderr stdin stdout tty urandom zero",
		"stat -c %u /proc/sys/kernel/panic": "65534",
	})
}
