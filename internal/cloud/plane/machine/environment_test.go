//go:build linux

package machine

import "testing"

func TestProxiesApplyToEveryProcessButNotToMetadata(t *testing.T) {
	given := map[string]string{
		"https_proxy":   "http://proxy:3128",
		"no_proxy":      "example.com",
		"SSL_CERT_FILE": "/on/the/host",
	}
	env := machineEnvironment(given, true)
	for name, want := range map[string]string{
		"https_proxy":         "http://proxy:3128",
		"no_proxy":            "example.com,169.254.169.254",
		"NO_PROXY":            "169.254.169.254",
		"SSL_CERT_FILE":       authoritiesFile,
		"NODE_EXTRA_CA_CERTS": authoritiesFile,
	} {
		if env[name] != want {
			t.Errorf("%s=%q, want %q", name, env[name], want)
		}
	}
	if bare := machineEnvironment(nil, false); len(bare) != 0 {
		t.Errorf("without proxies and authorities: got %v, want an empty environment", bare)
	}
}
