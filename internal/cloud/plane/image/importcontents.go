//go:build linux

package image

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// networkUnits are the units of distributions that configure the network. A machine's
// network is there before it boots, and these would take its addresses away.
var networkUnits = []string{
	"NetworkManager.service", "NetworkManager-wait-online.service", "connman.service", "dhcpcd.service",
	"ifup@.service", "netplan-ovs-cleanup.service", "networking.service", "systemd-network-generator.service",
	"systemd-networkd.service", "systemd-networkd.socket", "systemd-networkd-wait-online.service", "wicked.service",
}

// loginUserFile names the login user for the program first-boot.
const loginUserFile = "usr/lib/aloft/login-user"

// mountPoints are directories that every machine needs.
var mountPoints = []string{"dev", "proc", "run", "sys", "tmp", "etc", "root"}

// configure gives the import what base images have, but for settings of Debian's package
// manager that are a matter of taste.
func (i *Import) configure(root *os.Root) error {
	for _, dir := range mountPoints {
		if info, err := root.Lstat(dir); err == nil && !info.IsDir() {
			return fmt.Errorf("%w: /%s is not a directory", ErrNotRootFilesystem, dir)
		}
		if err := root.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("%w: %w", ErrNotRootFilesystem, err)
		}
	}
	_, err := root.Stat("etc/apt/apt.conf.d")
	apt := err == nil
	wanted := func(path string) bool {
		if strings.HasPrefix(path, "etc/apt/") {
			return apt && links[path] != ""
		}
		return !strings.HasPrefix(path, "etc/dpkg/")
	}
	own := map[string]string{loginUserFile: i.User + "\n"}
	if i.User == "root" {
		// The first value counts (sshd_config(5)), so this file comes before the others.
		own["etc/ssh/sshd_config.d/00-aloft.conf"] = "# This image has no other login user.\n" +
			"PermitRootLogin prohibit-password\n"
	} else {
		own[sudoersFile] = sudoers(i.User)
	}
	if _, err := root.Stat("etc/cloud"); err == nil {
		own["etc/cloud/cloud-init.disabled"] = "The local cloud sets up its machines itself.\n"
	}
	for path, content := range own {
		if err := installFile(root, path, []byte(content)); err != nil {
			return fmt.Errorf("%w: %w", ErrNotRootFilesystem, err)
		}
	}
	if err := configureRoot(root, slices.Concat(maskedUnits, networkUnits), wanted); err != nil {
		return fmt.Errorf("%w: %w", ErrNotRootFilesystem, err)
	}
	return nil
}
