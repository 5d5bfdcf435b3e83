//go:build linux

package machine

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/cloud/commandagent"
)

// Files that every boot writes below /run, which no image contains. The base image's
// configuration refers to them (package image).
const (
	environmentFile = "aloft/environment"
	resolverFile    = "aloft/resolv.conf"
	aptFile         = "aloft/apt.conf"
	managerFile     = "systemd/system.conf.d/10-aloft.conf"
	userDataFile    = "aloft/user-data" // may hold secrets: root alone reads it
	userDataUnit    = "systemd/system/aloft-user-data.service"
	wantedUnits     = "systemd/system/multi-user.target.d/aloft.conf"
)

// tmpMount sizes /tmp where the distribution has a tmpfs there, as Debian 13 does.
const tmpMount = "systemd/system/tmp.mount.d/aloft.conf"

// tmpMountOptions returns systemd's own options of /tmp with half of the machine's memory in
// place of half of the host's (tmp.mount of systemd: size=50%).
func tmpMountOptions(memoryMiB int) string {
	return fmt.Sprintf("[Mount]\nOptions=mode=1777,strictatime,nosuid,nodev,size=%dm,nr_inodes=1m\n", memoryMiB/2)
}

// userDataService runs the user data at every boot; the program itself knows what to do once. Then it
// leaves the file by which scripts know from cloud-init that a boot is complete.
const userDataService = `[Unit]
Description=User data of this instance
After=aloft-init.service network-online.target ssh.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c '/bin/sh /run/aloft/user-data; code=$$?; mkdir -p /var/lib/cloud/instance; \
	date --rfc-email >/var/lib/cloud/instance/boot-finished; exit $$code'
KillMode=process
TimeoutSec=infinity
`

// serviceOOMScore makes each process of a service or login larger to the OOM killer, by a tenth
// of the memory in question: when the machine's memory is full, the kernel also considers PID 1
// and the launcher, which are larger than many.
const serviceOOMScore = "DefaultOOMScoreAdjust=100\n"

// bootFiles returns the files to write below /run: path to content. env is the environment
// of the machine's processes, apt are lines for its apt.conf.
func bootFiles(m Machine, env map[string]string, apt []string) map[string]string {
	pam, manager := environmentFiles(env)
	files := map[string]string{
		environmentFile: pam,
		managerFile:     manager,
		aptFile:         aptConf(env, apt),
		resolverFile:    resolvConf(m),
		// Images of earlier versions have a unit of this name, which this one replaces.
		userDataUnit: userDataService,
		wantedUnits:  "[Unit]\nWants=aloft-user-data.service " + commandagent.Unit + "\n",
		userDataFile: m.UserData,
		tmpMount:     tmpMountOptions(m.MemoryMiB),
	}
	maps.Copy(files, commandagent.Files())
	if m.AptBusy > 0 {
		maps.Copy(files, aptBusyFiles(m.AptBusy))
	}
	return files
}

// environmentFiles returns the environment in the format of PAM's /etc/environment, for
// logins, and as a configuration of systemd, for services.
func environmentFiles(env map[string]string) (pam, manager string) {
	var p, m strings.Builder
	_, _ = m.WriteString("[Manager]\nDefaultEnvironment=")
	for _, name := range slices.Sorted(maps.Keys(env)) {
		value := env[name]
		if strings.ContainsAny(value, "\"\n\\") {
			continue // no proxy or path has these, and the two formats escape them differently
		}
		_, _ = fmt.Fprintf(&p, "%s=\"%s\"\n", name, value)
		_, _ = fmt.Fprintf(&m, "\"%s=%s\" ", name, strings.ReplaceAll(value, "%", "%%"))
	}
	_, _ = m.WriteString("\n")
	_, _ = m.WriteString(serviceOOMScore)
	return p.String(), m.String()
}

func aptConf(env map[string]string, lines []string) string {
	var out strings.Builder
	for _, scheme := range []string{"http", "https"} {
		if proxy := firstSet(env, scheme+"_proxy", strings.ToUpper(scheme)+"_PROXY"); proxy != "" {
			_, _ = fmt.Fprintf(&out, "Acquire::%s::Proxy \"%s\";\n", scheme, proxy)
		}
	}
	if bundle := env["SSL_CERT_FILE"]; bundle != "" {
		_, _ = fmt.Fprintf(&out, "Acquire::https::CaInfo \"%s\";\n", bundle)
	}
	for _, line := range lines {
		_, _ = fmt.Fprintln(&out, line)
	}
	return out.String()
}

func resolvConf(m Machine) string {
	var out strings.Builder
	for _, server := range m.Nameservers {
		_, _ = fmt.Fprintf(&out, "nameserver %s\n", server)
	}
	if m.SearchDomain != "" {
		_, _ = fmt.Fprintf(&out, "search %s\n", m.SearchDomain)
	}
	return out.String()
}

// firstSet returns the first non-empty value of the named variables.
func firstSet(env map[string]string, names ...string) string {
	for _, name := range names {
		if env[name] != "" {
			return env[name]
		}
	}
	return ""
}

// writeBootFiles writes the boot order's files in the machine.
func writeBootFiles(order bootOrder) error {
	for path, content := range order.Files {
		path = filepath.Join("/run", path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("write the boot files: %w", err)
		}
		mode := os.FileMode(0o644)
		if path == filepath.Join("/run", userDataFile) {
			mode = 0o600
		}
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			return fmt.Errorf("write the boot files: %w", err)
		}
	}
	return nil
}
