//go:build linux

package machine

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Files that every boot writes below /run, which no image contains. The base image's
// configuration refers to them (package image).
const (
	environmentFile = "aloft/environment"
	resolverFile    = "aloft/resolv.conf"
	aptFile         = "aloft/apt.conf"
	managerFile     = "systemd/system.conf.d/10-aloft.conf"
)

// bootFiles returns the files to write below /run: path to content. env is the environment
// of the machine's processes, apt are lines for its apt.conf.
func bootFiles(m Machine, env map[string]string, apt []string) map[string]string {
	pam, manager := environmentFiles(env)
	return map[string]string{
		environmentFile: pam,
		managerFile:     manager,
		aptFile:         aptConf(env, apt),
		resolverFile:    resolvConf(m),
	}
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
	if m.Nameserver.IsValid() {
		_, _ = fmt.Fprintf(&out, "nameserver %s\n", m.Nameserver)
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
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return fmt.Errorf("write the boot files: %w", err)
		}
	}
	return nil
}
