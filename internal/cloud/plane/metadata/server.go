package metadata

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Server answers machines.
type Server struct {
	source Source
	tokens *tokenIssuer
	log    *slog.Logger
}

// New gives a server for the machines that source knows. Session tokens of a
// former server are void: machines ask for new ones when one is refused.
func New(source Source, log *slog.Logger) (*Server, error) {
	m, err := newTokenIssuer()
	if err != nil {
		return nil, err
	}
	return &Server{source: source, tokens: m, log: log}, nil
}

// connKey is the key of a request's connection in its context.
type connKey struct{}

// Bounds of one request, which is small, and of an idle connection.
const (
	requestTimeout = 10 * time.Second
	idleTimeout    = time.Minute
)

// Serve answers machines of the VPC, told by their addresses, until ctx ends or
// the listener is closed. It closes the listener.
func (s *Server) Serve(ctx context.Context, vpcID string, listener net.Listener) error {
	server := &http.Server{
		Handler:           s.Handler(vpcID),
		ConnContext:       func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
		ReadHeaderTimeout: requestTimeout, WriteTimeout: requestTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	// The connections end with the listener, so that none outlives a VPC.
	closing := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { defer close(closing); _ = server.Close() })
	err := server.Serve(listener)
	if stop() {
		_ = server.Close()
	} else {
		<-closing
	}
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return fmt.Errorf("answer metadata requests: %w", err)
}

// Headers of the second version of the protocol.
const (
	tokenTTLHeader = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	tokenHeader    = "X-Aws-Ec2-Metadata-Token"
)

// Handler answers requests that come from machines of the VPC.
func (s *Server) Handler(vpcID string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "EC2ws")
		instance, ok := s.machine(vpcID, r)
		switch {
		case !ok:
			writeError(w, http.StatusNotFound)
		case !instance.EndpointEnabled, r.Header.Get("X-Forwarded-For") != "" && r.Method == http.MethodPut:
			// Behind an open proxy somebody else may be asking.
			writeError(w, http.StatusForbidden)
		case r.Method == http.MethodPut && path.Clean(r.URL.Path) == "/latest/api/token":
			s.issueToken(w, r, instance)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "OPTIONS, GET, HEAD, PUT")
			writeError(w, http.StatusMethodNotAllowed)
		case !s.allowed(r, instance):
			writeError(w, http.StatusUnauthorized)
		default:
			s.serveContent(w, r, instance)
		}
	})
}

func (s *Server) machine(vpcID string, r *http.Request) (Instance, bool) {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return Instance{}, false
	}
	return s.source.Instance(vpcID, from.Addr().Unmap())
}

// allowed tells whether the request has a good token, or may do without.
func (s *Server) allowed(r *http.Request, instance Instance) bool {
	if token := r.Header.Get(tokenHeader); token != "" {
		return s.tokens.valid(instance.ID, token, time.Now())
	}
	return !instance.TokensRequired
}

func (s *Server) issueToken(w http.ResponseWriter, r *http.Request, instance Instance) {
	seconds, err := strconv.Atoi(r.Header.Get(tokenTTLHeader))
	if err != nil || seconds < minTokenTTL || seconds > maxTokenTTL {
		writeError(w, http.StatusBadRequest)
		return
	}
	// An answer with a token travels only so far: not beyond the machine itself
	// where the limit is one.
	if err := limitHops(r.Context(), max(instance.HopLimit, 1)); err != nil {
		s.log.Warn("limit the hops of a token", "instance", instance.ID, "error", err)
		writeError(w, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set(tokenTTLHeader, strconv.Itoa(seconds))
	_, _ = io.WriteString(w, s.tokens.issue(instance.ID, time.Now().Add(time.Duration(seconds)*time.Second)))
}

func limitHops(ctx context.Context, hops int) error {
	conn, ok := ctx.Value(connKey{}).(*net.TCPConn)
	if !ok {
		return nil // not over a network
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return fmt.Errorf("limit hops: %w", err)
	}
	var failure error
	err = raw.Control(func(fd uintptr) { failure = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TTL, hops) })
	return errors.Join(err, failure)
}

// versions that the service answers under; all mean the same here.
var versions = []string{
	"1.0",
	"2007-01-19",
	"2009-04-04",
	"2011-01-01",
	"2016-09-02",
	"2018-09-24",
	"2019-10-01",
	"2020-10-27",
	"2021-01-03",
	"2021-03-23",
	"2021-07-15",
	"2022-09-24",
	"latest",
}

// serveContent answers a request for a path, if there is something.
func (s *Server) serveContent(w http.ResponseWriter, r *http.Request, instance Instance) {
	version, rest, _ := strings.Cut(strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/"), "/")
	body, found := "", false
	var err error
	switch {
	case version == "":
		body, found = strings.Join(versions, "\n"), true
	case slices.Contains(versions, version):
		body, found, err = instance.contentAt(rest)
	}
	switch {
	case err != nil:
		s.log.Error("answer a metadata request", "instance", instance.ID, "error", err)
		writeError(w, http.StatusInternalServerError)
	case !found:
		writeError(w, http.StatusNotFound)
	default:
		kind := "text/plain"
		if rest == "user-data" {
			kind = "application/octet-stream"
		}
		w.Header().Set("Content-Type", kind)
		_, _ = io.WriteString(w, body)
	}
}

// contentAt gives what is at a path below a version.
func (i Instance) contentAt(name string) (body string, found bool, err error) {
	switch name {
	case "":
		body = "dynamic\nmeta-data"
		if i.UserData != nil {
			body += "\nuser-data"
		}
		return body, true, nil
	case "user-data":
		return string(i.UserData), i.UserData != nil, nil
	case "dynamic":
		return "instance-identity/", true, nil
	case "dynamic/instance-identity":
		return "document", true, nil
	case "dynamic/instance-identity/document":
		body, err = i.identityDocument()
		return body, true, err
	}
	if below, ok := strings.CutPrefix(name+"/", "meta-data/"); ok {
		body, found = i.metadataAt(below)
	}
	return body, found, nil
}

// writeError answers with an error page, as the service does.
func writeError(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	title := strconv.Itoa(status) + " - " + http.StatusText(status)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"
	"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head>
  <title>%s</title>
 </head>
 <body>
  <h1>%s</h1>
 </body>
</html>
`, title, title)
}
