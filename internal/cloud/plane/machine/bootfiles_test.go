//go:build linux

package machine

import (
	"maps"
	"net/netip"
	"slices"
	"testing"
)

func TestBootFilesHaveTheFormatOfEachProgram(t *testing.T) {
	m := Machine{Nameserver: netip.MustParseAddr("10.0.0.2"), SearchDomain: "ec2.internal"}
	env := map[string]string{
		"https_proxy": "http://u:50%25@proxy:3128", "SSL_CERT_FILE": authoritiesFile, "odd": "a\"b",
	}
	files := bootFiles(m, env, []string{`Acquire::Check-Date "false";`})
	want := map[string]string{
		environmentFile: "SSL_CERT_FILE=\"/run/aloft/ca-certificates.crt\"\n" +
			"https_proxy=\"http://u:50%25@proxy:3128\"\n",
		managerFile: "[Manager]\nDefaultEnvironment=\"SSL_CERT_FILE=/run/aloft/ca-certificates.crt\" " +
			"\"https_proxy=http://u:50%%25@proxy:3128\" \n",
		aptFile: "Acquire::https::Proxy \"http://u:50%25@proxy:3128\";\n" +
			"Acquire::https::CaInfo \"/run/aloft/ca-certificates.crt\";\nAcquire::Check-Date \"false\";\n",
		resolverFile: "nameserver 10.0.0.2\nsearch ec2.internal\n",
	}
	for _, path := range slices.Sorted(maps.Keys(want)) {
		if files[path] != want[path] {
			t.Errorf("%s\n got %q\nwant %q", path, files[path], want[path])
		}
	}
}
