//go:build linux

package machine

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestBootFilesHaveTheFormatOfEachProgram(t *testing.T) {
	m := Machine{
		Nameservers: []netip.Addr{netip.MustParseAddr("10.0.0.2")}, SearchDomain: "ec2.internal", MemoryMiB: 1024,
		UserData: "#!/bin/sh\n",
	}
	env := map[string]string{
		"https_proxy": "http://u:50%25@proxy:3128", "SSL_CERT_FILE": authoritiesFile, "odd": "a\"b",
	}
	files := bootFiles(m, env, []string{`Acquire::Check-Date "false";`})
	want := map[string]string{
		environmentFile: "SSL_CERT_FILE=\"/run/aloft/ca-certificates.crt\"\n" +
			"https_proxy=\"http://u:50%25@proxy:3128\"\n",
		managerFile: "[Manager]\nDefaultEnvironment=\"SSL_CERT_FILE=/run/aloft/ca-certificates.crt\" " +
			"\"https_proxy=http://u:50%%25@proxy:3128\" \nDefaultOOMScoreAdjust=100\n",
		aptFile: "Acquire::https::Proxy \"http://u:50%25@proxy:3128\";\n" +
			"Acquire::https::CaInfo \"/run/aloft/ca-certificates.crt\";\nAcquire::Check-Date \"false\";\n",
		resolverFile: "nameserver 10.0.0.2\nsearch ec2.internal\n",
		userDataFile: "#!/bin/sh\n",
		tmpMount:     "[Mount]\nOptions=mode=1777,strictatime,nosuid,nodev,size=512m,nr_inodes=1m\n",
	}
	if _, ok := files[aptBusyUnit]; ok {
		t.Error("another apt works without the manner")
	}
	m.AptBusy = 90 * time.Second
	if unit := bootFiles(m, env, nil)[aptBusyUnit]; !strings.Contains(unit, "apt-busy.pl 90.000\n") {
		t.Errorf("unit of another apt:\n%s", unit)
	}
	for _, path := range slices.Sorted(maps.Keys(want)) {
		if files[path] != want[path] {
			t.Errorf("%s\n got %q\nwant %q", path, files[path], want[path])
		}
	}
}
