package release

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/event"
)

// Node.js closes an idle connection after five seconds and says so. A load balancer that
// sends a request at that moment answers 502.
func TestProofMeasuresHowLongIdleConnectionsAreKept(t *testing.T) {
	const warning = "aloft-note: the application closes idle connections after "
	for name, test := range map[string]struct {
		announced string // Keep-Alive header
		idle      time.Duration
		closes    bool // after each response
		want      string
	}{
		"announced":           {announced: "timeout=5", want: warning + "5 s"},
		"announced, and long": {announced: "timeout=65"},
		"observed":            {idle: time.Second, want: warning + "1 s"},
		"kept":                {idle: time.Hour},
		"closed at once":      {closes: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if test.announced != "" {
					w.Header().Set("Keep-Alive", test.announced)
				}
			}))
			server.Config.IdleTimeout = test.idle
			server.Config.SetKeepAlivesEnabled(!test.closes)
			server.Start()
			defer server.Close()
			host, port, err := net.SplitHostPort(server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			node := exec.CommandContext(t.Context(), "node", "-", host, port)
			node.Stdin = strings.NewReader("const http = require('node:http');" + readScript("keepalive.js") +
				"keepsIdle(process.argv[2], process.argv[3], '/', 3000).then(warnOfIdle);")
			out, err := node.CombinedOutput()
			if err != nil || test.want == "" && len(out) > 0 || !strings.HasPrefix(string(out), test.want) {
				t.Errorf("%v, printed %q", err, out)
			}
		})
	}
}

func TestNoteOfAProofIsANote(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, listener, func(c command) int {
		_, _ = c.output.Write([]byte("it answers 200\naloft-note: it may fail later\n"))
		return 0
	})
	var notes []string
	sink := func(e event.Event) {
		if e.Kind == event.Note {
			notes = append(notes, e.Message)
		}
	}
	if err := Prove(t.Context(), s.target(), application(), sink); err != nil {
		t.Fatal(err)
	}
	if len(notes) != 1 || notes[0] != "it may fail later" {
		t.Errorf("notes %q", notes)
	}
}
