package release

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"aloft.dev/aloft/internal/remote/remotetest"
)

func TestRefreshNeedsNoSource(t *testing.T) {
	var mu sync.Mutex
	var ran []string
	s := remotetest.Serve(t, remotetest.Listen(t), func(c remotetest.Command) int {
		if answers(c) {
			return 0
		}
		_, _ = io.Copy(io.Discard, c.Input)
		mu.Lock()
		defer mu.Unlock()
		ran = append(ran, c.Text)
		return 0
	})
	b := Builder{Spec: folder(t).Spec, Patience: time.Second}
	if err := b.Refresh(t.Context(), s.Target(), (&story{}).sink); err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(ran, "\n"); !strings.Contains(all, "systemctl restart") ||
		!strings.Contains(all, "systemctl is-active") {
		t.Errorf("ran %s", all)
	}
}

// onUnits runs a script after units.sh on a machine that has the units of an application
// with the given processes, and of others.
func onUnits(t *testing.T, script string, processes ...string) (output string, err error) {
	t.Helper()
	dir := t.TempDir()
	units := []string{"aloft-shop.service", "aloft-shop-env.service", "aloft-shopping.service", "ssh.service"}
	for _, p := range processes {
		units = append(units, processUnit("shop", p))
	}
	for _, unit := range units {
		if err := os.WriteFile(filepath.Join(dir, unit), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	systemctl := "#!/bin/sh\n[ \"$3\" != aloft-shop-mailer.service ]\n" // is-active -q UNIT
	if err := os.WriteFile(filepath.Join(dir, "systemctl"), []byte(systemctl), 0o700); err != nil {
		t.Fatal(err)
	}
	text := (&Builder{Spec: application()}).variables() + join("units") + script
	run := exec.Command("sh", "-euc", strings.ReplaceAll(text, "/etc/systemd/system", dir))
	run.Env = []string{"PATH=" + dir + ":/usr/bin:/bin"}
	out, err := run.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func TestUnitsAreThoseThatAreInstalled(t *testing.T) {
	for want, processes := range map[string][]string{
		"aloft-shop.service": nil,
		"aloft-shop.service aloft-shop-mailer.service aloft-shop-worker.service": {"worker", "mailer"},
	} {
		if got, err := onUnits(t, "echo $units\n", processes...); got != want || err != nil {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
}

func TestAProcessThatDoesNotRunIsNamed(t *testing.T) {
	if got, err := onUnits(t, readScript("running.sh"), "worker"); got != "" || err != nil {
		t.Errorf("all run: %q, %v", got, err)
	}
	got, err := onUnits(t, readScript("running.sh"), "mailer", "worker")
	if got != "aloft-shop-mailer.service" || err == nil {
		t.Errorf("got %q, %v", got, err)
	}
}
