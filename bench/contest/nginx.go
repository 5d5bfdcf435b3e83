//go:build linux

package contest

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// StartNginx starts nginx. Without a subscription it has no active health checks: after
// a number of failed requests it takes a server out for a time, and then tries it with a
// client's next request (nginx documentation, "HTTP Load Balancing: Passive Health
// Checks").
func StartNginx(ctx context.Context, s Settings) (*Proxy, error) {
	conf := filepath.Join(s.Dir, "nginx.conf")
	p, cmd, err := startPeer(ctx, "nginx", s.Port, conf, s.nginx(-1), "nginx", "-c", conf, "-p", s.Dir)
	if err != nil {
		return p, err
	}
	p.Drain = func(_ context.Context, backend int) error {
		if err := os.WriteFile(conf, []byte(s.nginx(backend)), 0o600); err != nil {
			return err
		}
		// Reload: new workers serve new connections, and the old ones finish theirs.
		return cmd.Process.Signal(syscall.SIGHUP)
	}
	return p, p.Ready(ctx)
}

// nginx returns the settings as nginx's configuration. It marks the server of that index
// as down; -1 means none.
func (s Settings) nginx(down int) string {
	var servers strings.Builder
	for i, b := range s.Backends {
		fmt.Fprintf(&servers, "    server 127.0.0.1:%d", b.Port)
		if !s.Retries {
			out := time.Duration(s.Threshold) * s.Interval // rounded up, because nginx takes whole seconds
			fmt.Fprintf(&servers, " max_fails=%d fail_timeout=%.0fs", s.Threshold, math.Ceil(out.Seconds()))
		}
		if i == down {
			servers.WriteString(" down")
		}
		servers.WriteString(";\n")
	}
	next := "proxy_next_upstream off;"
	if s.Retries {
		next = ""
	}
	return fmt.Sprintf(`worker_processes %[1]d;
daemon off;
pid %[2]s/nginx.pid;
error_log %[2]s/nginx.log;
worker_rlimit_nofile 20000;
events { worker_connections 8192; }
http {
  access_log off;
  keepalive_requests 100000000;
  keepalive_timeout 60s;
  client_body_temp_path %[2]s/body; proxy_temp_path %[2]s/proxy;
  fastcgi_temp_path %[2]s/f; uwsgi_temp_path %[2]s/u; scgi_temp_path %[2]s/s;
  upstream backends {
%[3]s    keepalive 1024;
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:%[4]d backlog=4096;
    location / {
      proxy_pass http://backends;
      proxy_connect_timeout 10s;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Port $server_port;
      %[5]s
      proxy_max_temp_file_size 0;
    }
  }
}
`, s.Workers, s.Dir, servers.String(), s.Port, next)
}
