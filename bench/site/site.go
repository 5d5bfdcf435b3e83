package site

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/load"
)

// Site is an application on the local cloud.
type Site struct {
	Dir string // of its source and aloft.yaml
	app string
}

// SlowPath is what the application answers after Slow; all else it answers at once.
const SlowPath = "/slow"

// Slow is how long a slow request takes.
const Slow = 5 * time.Second

const (
	releaseHeader = "X-Release"
	manifest      = `{"name": "bench", "version": "1.0.0", "private": true}` + "\n"
	// program is the application; its release is filled in. It finishes what it has
	// begun when it is told to stop, and keeps connections longer than a load balancer.
	program = `'use strict';
const server = require('node:http').createServer((request, response) => {
  const answer = () => {
    response.writeHead(200, { 'Content-Type': 'text/plain', '` + releaseHeader + `': '%[1]s' });
    response.end('release %[1]s\n');
  };
  if (request.url === '` + SlowPath + `') setTimeout(answer, %[2]d);
  else answer();
});
server.keepAliveTimeout = 65_000;
server.listen(Number(process.env.PORT) || 3000);
process.once('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
`
)

// Start starts the local cloud, removes what a run that was killed has left of the
// application, and makes its folder. End ends both.
func Start(ctx context.Context, app string) (*Site, error) {
	dir, err := os.MkdirTemp("", "aloft-bench-")
	if err != nil {
		return nil, err
	}
	s := &Site{Dir: dir, app: app}
	if _, err := Aloft(ctx, "local", "start"); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if _, err := Aloft(ctx, "down", "--app", app, "--images", "--yes"); err != nil {
		return nil, errors.Join(err, s.End(ctx))
	}
	return s, nil
}

// End deletes the application with its images, and stops the local cloud.
func (s *Site) End(ctx context.Context) error {
	_, down := Aloft(ctx, "down", "--app", s.app, "--images", "--yes")
	_, stop := Aloft(ctx, "local", "stop")
	return errors.Join(down, stop, os.RemoveAll(s.Dir))
}

// Write makes the source that of a release, and the spec the app's name, start and
// port with more lines.
func (s *Site) Write(release, spec string) error {
	return errors.Join(
		s.write("server.js", fmt.Sprintf(program, release, Slow.Milliseconds())),
		s.write("package.json", manifest),
		s.write("aloft.yaml", fmt.Sprintf("app: %s\nstart: node server.js\nport: 3000\n%s", s.app, spec)))
}

func (s *Site) write(name, text string) error {
	return os.WriteFile(
		filepath.Join(s.Dir, name),
		[]byte(text),
		0o644,
	) //nolint:gosec // an application's source is no secret
}

// Up deploys what was written.
func (s *Site) Up(ctx context.Context) error {
	_, err := Aloft(ctx, "up", s.Dir)
	return err
}

// Status asks how the application stands.
func (s *Site) Status(ctx context.Context) (apply.Status, error) {
	var status apply.Status
	return status, read(ctx, &status, "status", s.Dir)
}

// Load makes requests for a path, by the DNS name of the load balancer.
func (s *Site) Load(ctx context.Context, path string, rate float64) (*load.Generator, error) {
	status, err := s.Status(ctx)
	if err != nil {
		return nil, err
	}
	patience := 5 * time.Second
	if path == SlowPath {
		patience += Slow
	}
	return load.New(
		load.Config{URL: status.URL + path, Rate: rate, Timeout: patience, Dial: load.Dial, Target: served},
	), nil
}

// served is the release that gave an answer.
func served(response *http.Response, _ []byte) string { return response.Header.Get(releaseHeader) }
