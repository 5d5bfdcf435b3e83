//go:build linux

package cloud

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/control/images"
	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/plane/loopback"
	"aloft.dev/aloft/internal/cloud/plane/simulated"
	"aloft.dev/aloft/internal/cloud/wire"
)

// takenSnapshots is an EC2 that records the snapshots that it is given.
type takenSnapshots struct {
	taken []host.ImportRequest
	err   error
}

func (s *takenSnapshots) AddSnapshot(
	region identity.Region, description string, size int32, layers []string,
) (string, error) {
	s.taken = append(s.taken, host.ImportRequest{
		Import: strings.Join(layers, " "), Region: region.Name(), Description: description, SizeGiB: size,
	})
	return "snap-1", s.err
}

func TestDaemonMakesASnapshotOfAnImport(t *testing.T) {
	var layers simulated.Layers
	ec2 := &takenSnapshots{}
	d := &daemon{images: &images.Loop{Layers: &layers}}
	d.Log = slog.New(slog.DiscardHandler)
	layout, err := host.LayoutFor(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	key, err := host.EnsureCredentials(layout)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := wire.NewHandler(wire.Config{
		Fallback:    d.own(ec2),
		Credentials: func(_, token string) (wire.Key, error) { return rootKey(key, token) },
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	client := host.Daemon{PID: os.Getpid(), Address: strings.TrimPrefix(server.URL, "http://")}
	in := host.ImportRequest{Import: "import-1", Region: "us-east-1", Description: "Debian", SizeGiB: 9}
	out, err := client.Import(t.Context(), layout, in)
	if err != nil || out.SnapshotID != "snap-1" || len(ec2.taken) != 1 {
		t.Fatalf("snapshot %+v, %v, of %+v", out, err, ec2.taken)
	}
	if found, _ := layers.List(); len(found) != 1 || ec2.taken[0].Import != found[0] ||
		ec2.taken[0].SizeGiB != 9 || ec2.taken[0].Region != "us-east-1" || ec2.taken[0].Description != "Debian" {
		t.Errorf("snapshot of %+v, layers %v", ec2.taken[0], found)
	}
	ec2.err = errors.New("no such region")
	_, err = client.Import(t.Context(), layout, in)
	if err == nil || !strings.Contains(err.Error(), "no such region") {
		t.Errorf("a refused import: %v", err)
	}
	direct := httptest.NewRecorder()
	d.own(ec2).ServeHTTP(direct, httptest.NewRequest(http.MethodPost, host.ImportPath, strings.NewReader("{")))
	if direct.Code != http.StatusBadRequest {
		t.Errorf("half a document: %d", direct.Code)
	}
	response, err := http.Get(server.URL + host.StatusPath)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusForbidden {
		t.Errorf("status for whoever asks: %s, %v", response.Status, err)
	}
	squatted := client
	squatted.PID = 1 // root's, as the server is not if this test runs as another user
	if os.Geteuid() != 0 {
		if _, err := squatted.Status(t.Context(), layout); !errors.Is(err, loopback.ErrStranger) {
			t.Errorf("a squatter was asked: %v", err)
		}
	}
}
