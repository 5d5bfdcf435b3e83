package cli

import (
	"testing"

	"aloft.dev/aloft/internal/cloud/host"
)

func TestDaemonOfAnotherVersionIsReportedWithTheRemedy(t *testing.T) {
	g := &global{version: "v2"}
	if err := g.requireSameVersion(host.Daemon{Version: "v2"}); err != nil {
		t.Error(err)
	}
	err := g.requireSameVersion(host.Daemon{PID: 7, Version: "v1"})
	wantProblem(t, err, "pid 7", "runs version v1, this aloft is v2", "sudo aloft local restart")
}

func TestLocalCloudServesOnLoopbackOnly(t *testing.T) {
	g := &global{stateDir: t.TempDir()}
	for _, address := range []string{
		"0.0.0.0:4566", "192.0.2.1:4566", ":4566", "localhost:4566", "127.0.0.1", "127.0.0.1:70000",
	} {
		if _, err := g.daemonConfig(startOptions{address: address}); err == nil {
			t.Errorf("%s was accepted", address)
		}
	}
	for _, address := range []string{"127.0.0.1:4566", "[::1]:4566"} {
		if _, err := g.daemonConfig(startOptions{address: address}); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestMachinesInheritTheHostsProxiesOnly(t *testing.T) {
	host := map[string]string{"HTTPS_PROXY": "http://proxy:3128", "no_proxy": "", "AWS_SECRET_ACCESS_KEY": "secret"}
	got := machineEnv(func(name string) (string, bool) { value, ok := host[name]; return value, ok })
	if len(got) != 2 || got["HTTPS_PROXY"] != "http://proxy:3128" {
		t.Errorf("got %v", got)
	}
}
