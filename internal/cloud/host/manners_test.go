//go:build linux

package host

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/cloud/manners"
)

func TestMannersOutliveTheDaemonAndNotAReset(t *testing.T) {
	layout, err := LayoutFor(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	read := func(want manners.Settings) {
		t.Helper()
		got, err := ReadManners(layout)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	}
	read(manners.Default())
	settings := manners.Settings{Manners: []manners.Manner{manners.Times}, Seed: 7, TimeScale: 0.5}
	if err := WriteManners(layout, settings); err != nil {
		t.Fatal(err)
	}
	read(settings)
	info, err := os.Stat(layout.manners())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of the file: %v, %v; want 0600", info, err)
	}
	if err := Delete(t.Context(), layout, false); err != nil {
		t.Fatal(err)
	}
	read(manners.Default())
}

func TestDamagedMannersAreReported(t *testing.T) {
	layout, err := LayoutFor(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := writeFile(layout.manners(), []byte("{")); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadManners(layout); err == nil {
		t.Error("a damaged file was read")
	}
}

func TestARunningDaemonTakesNewManners(t *testing.T) {
	layout, err := LayoutFor(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var daemon manners.Set // this process takes the daemon's place
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, MannersSignal)
	defer signal.Stop(signals)
	done := make(chan error, 1)
	go func() {
		<-signals
		settings, err := ReadManners(layout)
		daemon.Use(settings)
		done <- err
	}()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(Status{Manners: daemon.Settings()})
	}))
	defer server.Close()
	if _, err := EnsureCredentials(layout); err != nil {
		t.Fatal(err)
	}
	want := manners.Settings{Manners: manners.All(), Seed: 9, TimeScale: 2}
	running := Daemon{PID: os.Getpid(), Address: strings.TrimPrefix(server.URL, "http://")}
	if err := running.UseManners(t.Context(), layout, want); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil || !daemon.Settings().Equal(want) {
		t.Errorf("the daemon has %+v, %v", daemon.Settings(), err)
	}
}
