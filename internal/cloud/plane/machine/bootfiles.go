package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// What a machine is told at each boot lies below /run, which no image captures.
// The base image's configuration points there (package image).
const (
	authoritiesFile = "/run/aloft/ca-certificates.crt"
	environmentFile = "aloft/environment"
	resolverFile    = "aloft/resolv.conf"
	aptFile         = "aloft/apt.conf"
	managerFile     = "systemd/system.conf.d/10-aloft.conf"
	trustVariables  = "SSL_CERT_FILE CURL_CA_BUNDLE GIT_SSL_CAINFO NODE_EXTRA_CA_CERTS REQUESTS_CA_BUNDLE PIP_CERT " +
		"AWS_CA_BUNDLE"
	metadataAddress  = "169.254.169.254" // never reached through a proxy
	noProxyLowerCase = "no_proxy"
	noProxyUpperCase = "NO_PROXY"
)

// authorityBundles are where hosts keep the certificate authorities they trust: Debian and
// Ubuntu, Fedora, openSUSE, Alpine.
var authorityBundles = []string{
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/ssl/cert.pem",
}

// findAuthorities finds the host's bundle: the one its environment names, else the
// system's. A host may have none.
func findAuthorities(env map[string]string) string {
	for _, path := range append([]string{env["SSL_CERT_FILE"]}, authorityBundles...) {
		if s, err := os.Stat(path); err == nil && s.Mode().IsRegular() && s.Mode()&0o004 != 0 {
			return path
		}
	}
	return ""
}

// machineEnvironment is what every process in the machine finds: the given settings, the
// host's trust in certificate authorities, and no proxy between it and its metadata.
func machineEnvironment(given map[string]string, trust bool) map[string]string {
	env := maps.Clone(given)
	if env == nil {
		env = map[string]string{}
	}
	for name := range strings.FieldsSeq(trustVariables) {
		delete(env, name) // a path of the host
		if trust {
			env[name] = authoritiesFile
		}
	}
	proxied := false
	for name := range env {
		proxied = proxied || strings.HasSuffix(strings.ToLower(name), "_proxy")
	}
	if proxied {
		for _, name := range []string{noProxyLowerCase, noProxyUpperCase} {
			env[name] = strings.TrimPrefix(env[name]+","+metadataAddress, ",")
		}
	}
	return env
}

// bootFiles is the content of a machine's files below /run. apt is the host's own
// settings that apt needs to reach the archive.
func bootFiles(m Machine, env map[string]string, apt []string) map[string]string {
	var pam, manager, aptConf, resolver strings.Builder
	_, _ = manager.WriteString("[Manager]\nDefaultEnvironment=")
	for _, name := range slices.Sorted(maps.Keys(env)) {
		value := env[name]
		if strings.ContainsAny(value, "\"\n\\") {
			continue // no proxy or path has these, and the formats disagree on them
		}
		_, _ = fmt.Fprintf(&pam, "%s=\"%s\"\n", name, value)
		_, _ = fmt.Fprintf(&manager, "\"%s=%s\" ", name, strings.ReplaceAll(value, "%", "%%"))
	}
	_, _ = manager.WriteString("\n")
	for _, scheme := range []string{"http", "https"} {
		if proxy := firstSet(env, scheme+"_proxy", strings.ToUpper(scheme)+"_PROXY"); proxy != "" {
			_, _ = fmt.Fprintf(&aptConf, "Acquire::%s::Proxy \"%s\";\n", scheme, proxy)
		}
	}
	if bundle := env["SSL_CERT_FILE"]; bundle != "" {
		_, _ = fmt.Fprintf(&aptConf, "Acquire::https::CaInfo \"%s\";\n", bundle)
	}
	for _, line := range apt {
		_, _ = fmt.Fprintln(&aptConf, line)
	}
	if m.Nameserver.IsValid() {
		_, _ = fmt.Fprintf(&resolver, "nameserver %s\n", m.Nameserver)
	}
	if m.SearchDomain != "" {
		_, _ = fmt.Fprintf(&resolver, "search %s\n", m.SearchDomain)
	}
	return map[string]string{
		environmentFile: pam.String(), managerFile: manager.String(), aptFile: aptConf.String(),
		resolverFile: resolver.String(),
	}
}

func firstSet(env map[string]string, names ...string) string {
	for _, name := range names {
		if env[name] != "" {
			return env[name]
		}
	}
	return ""
}

// exists tells whether there is anything at path.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// writeBootFiles writes what the machine is told at each boot.
func writeBootFiles(order bootOrder) error {
	for path, content := range order.Files {
		path = filepath.Join("/run", path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("furnish /run: %w", err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return fmt.Errorf("furnish /run: %w", err)
		}
	}
	return nil
}
