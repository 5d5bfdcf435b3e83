//go:build linux

package machine

import (
	"maps"
	"os"
	"strings"
)

// authoritiesFile is where a machine finds the host's certificate authorities.
const authoritiesFile = "/run/aloft/ca-certificates.crt"

// metadataAddress is the address of the instance metadata service, which no proxy can reach.
const metadataAddress = "169.254.169.254"

// trustVariables name the bundle of certificate authorities for programs and languages that
// do not use the system's.
var trustVariables = []string{
	"SSL_CERT_FILE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "PIP_CERT",
	"AWS_CA_BUNDLE",
}

// authorityBundles are the bundles of certificate authorities of Debian and Ubuntu, Fedora,
// openSUSE and Alpine.
var authorityBundles = []string{
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/ssl/cert.pem",
}

// FindAuthorities returns the path of the host's bundle of certificate authorities: the one
// its environment names, else the system's. It returns "" if the host has none.
func FindAuthorities(env map[string]string) string {
	for _, path := range append([]string{env["SSL_CERT_FILE"]}, authorityBundles...) {
		if s, err := os.Stat(path); err == nil && s.Mode().IsRegular() && s.Mode()&0o004 != 0 {
			return path
		}
	}
	return ""
}

// machineEnvironment returns the environment of every process in a machine: the given
// variables and, if trust is set, the path of the host's certificate authorities. Requests
// to the metadata service bypass proxies.
func machineEnvironment(given map[string]string, trust bool) map[string]string {
	env := maps.Clone(given)
	if env == nil {
		env = map[string]string{}
	}
	for _, name := range trustVariables {
		delete(env, name) // it names a path of the host
		if trust {
			env[name] = authoritiesFile
		}
	}
	proxied := false
	for name := range env {
		proxied = proxied || strings.HasSuffix(strings.ToLower(name), "_proxy")
	}
	if proxied {
		for _, name := range []string{"no_proxy", "NO_PROXY"} {
			env[name] = strings.TrimPrefix(env[name]+","+metadataAddress, ",")
		}
	}
	return env
}
