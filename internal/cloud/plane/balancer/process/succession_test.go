//go:build linux

package process

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/plane/balancer"
)

// A daemon closes its connection as soon as it has the answer.
func TestASuccessionGoesOnWithoutItsClient(t *testing.T) {
	s := newSupervisor([]string{os.Args[0]}, []string{t.TempDir(), "", t.TempDir()}, slog.New(slog.DiscardHandler))
	body, err := json.Marshal(balancer.Successor{Command: []string{os.Args[0]}})
	if err != nil {
		t.Fatal(err)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	for range 20 {
		request := httptest.NewRequestWithContext(gone, "POST", "/succeed", strings.NewReader(string(body)))
		answered := make(chan struct{})
		go func() { defer close(answered); s.succeed(httptest.NewRecorder(), request) }()
		select {
		case next := <-s.next:
			<-answered
			if err := next.program.Close(); err != nil {
				t.Error(err)
			}
		case <-answered:
			t.Fatal("the successor is forgotten")
		}
	}
}
