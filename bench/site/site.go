//go:build linux

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

// Site is an application deployed on the local cloud.
type Site struct {
	Dir string // of its source code and aloft.yaml
	app string
}

// SlowPath is the path of slow requests. The application answers all others at once.
const SlowPath = "/slow"

// SlowTime is how long a slow request takes.
const SlowTime = 5 * time.Second

const (
	releaseHeader = "X-Release"
	manifest      = `{"name": "bench", "version": "1.0.0", "private": true}` + "\n"
	// program is the application, with placeholders for the release and SlowTime in
	// milliseconds. It finishes its requests before it exits on SIGTERM, and keeps idle
	// connections open longer than a load balancer does.
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

// Start starts the local cloud, deletes the application of an earlier run that was killed,
// and creates a directory for it. Call Close to undo all that.
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
		return nil, errors.Join(err, s.Close(ctx))
	}
	return s, nil
}

// Close deletes the application with its images and its directory, and stops the local cloud.
func (s *Site) Close(ctx context.Context) error {
	_, downErr := Aloft(ctx, "down", "--app", s.app, "--images", "--yes")
	_, stopErr := Aloft(ctx, "local", "stop")
	return errors.Join(downErr, stopErr, os.RemoveAll(s.Dir))
}

// Write writes the source code of a release and an aloft.yaml, to which it appends spec.
func (s *Site) Write(release, spec string) error {
	return errors.Join(
		s.write("server.js", fmt.Sprintf(program, release, SlowTime.Milliseconds())),
		s.write("package.json", manifest),
		s.write("aloft.yaml", fmt.Sprintf("app: %s\nstart: node server.js\nport: 3000\n%s", s.app, spec)))
}

func (s *Site) write(name, text string) error {
	path := filepath.Join(s.Dir, name)
	return os.WriteFile(path, []byte(text), 0o644) //nolint:gosec // an application's source is no secret
}

// Up deploys what Write has written.
func (s *Site) Up(ctx context.Context) error {
	_, err := Aloft(ctx, "up", s.Dir)
	return err
}

// Status returns the application's status.
func (s *Site) Status(ctx context.Context) (apply.Status, error) {
	var status apply.Status
	return status, readJSON(ctx, &status, "status", s.Dir)
}

// Load returns a generator of requests for a path, through the load balancer's DNS name. rate
// is in requests a second.
func (s *Site) Load(ctx context.Context, path string, rate float64) (*load.Generator, error) {
	status, err := s.Status(ctx)
	if err != nil {
		return nil, err
	}
	timeout := 5 * time.Second
	if path == SlowPath {
		timeout += SlowTime
	}
	return load.New(load.Config{
		URL: status.URL + path, Rate: rate, Timeout: timeout, Dial: load.Dial, Target: releaseOf,
	}), nil
}

// releaseOf returns the release that sent a response.
func releaseOf(response *http.Response, _ []byte) string { return response.Header.Get(releaseHeader) }
