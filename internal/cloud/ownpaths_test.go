//go:build linux

package cloud

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/control/images"
	"aloft.dev/aloft/internal/cloud/host"
	"aloft.dev/aloft/internal/cloud/plane/simulated"
)

// takenSnapshots is an EC2 that records the snapshots that it is given.
type takenSnapshots struct {
	taken []host.ImportRequest
	err   error
}

func (s *takenSnapshots) AddSnapshot(region, description string, size int32, layers []string) (string, error) {
	s.taken = append(s.taken, host.ImportRequest{
		Import: strings.Join(layers, " "), Region: region, Description: description, SizeGiB: size,
	})
	return "snap-1", s.err
}

func TestDaemonMakesASnapshotOfAnImport(t *testing.T) {
	var layers simulated.Layers
	ec2 := &takenSnapshots{}
	d := &daemon{images: &images.Loop{Layers: &layers}}
	d.Log = slog.New(slog.DiscardHandler)
	server := httptest.NewServer(d.own(ec2))
	defer server.Close()
	client := host.Daemon{Address: strings.TrimPrefix(server.URL, "http://")}
	in := host.ImportRequest{Import: "import-1", Region: "us-east-1", Description: "Debian", SizeGiB: 9}
	out, err := client.Import(t.Context(), in)
	if err != nil || out.SnapshotID != "snap-1" || len(ec2.taken) != 1 {
		t.Fatalf("snapshot %+v, %v, of %+v", out, err, ec2.taken)
	}
	if found, _ := layers.List(); len(found) != 1 || ec2.taken[0].Import != found[0] ||
		ec2.taken[0].SizeGiB != 9 || ec2.taken[0].Region != "us-east-1" || ec2.taken[0].Description != "Debian" {
		t.Errorf("snapshot of %+v, layers %v", ec2.taken[0], found)
	}
	ec2.err = errors.New("no such region")
	if _, err := client.Import(t.Context(), in); err == nil || !strings.Contains(err.Error(), "no such region") {
		t.Errorf("a refused import: %v", err)
	}
	response, err := http.Post(server.URL+host.ImportPath, "application/json", strings.NewReader("{"))
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusBadRequest {
		t.Errorf("half a document: %s, %v", response.Status, err)
	}
}
