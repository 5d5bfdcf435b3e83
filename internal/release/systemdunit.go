package release

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"aloft.dev/aloft/internal/spec"
)

// User returns the system user that an application runs as.
func User(app string) string { return "aloft-" + app }

// Unit returns the name of the systemd service that runs an application.
func Unit(app string) string { return "aloft-" + app + ".service" }

// Home returns the folder on a machine that contains an application's source.
func Home(app string) string { return "/srv/" + app }

// unit returns the service's unit file (systemd.service(5), systemd.exec(5)).
func unit(s *spec.Spec, source Source) string {
	folder := strings.TrimSuffix(Home(s.App)+"/"+source.Dir, "/")
	return fmt.Sprintf(`# Written by Aloft.
[Unit]
Description=%[1]s
Wants=network-online.target
After=network-online.target
# It is tried for ever: the load balancer leaves out a server that does not answer.
StartLimitIntervalSec=0

[Service]
User=%[2]s
Group=%[2]s
WorkingDirectory=%[3]s
Environment=NODE_ENV=production
Environment=%[4]s
EnvironmentFile=/etc/aloft/%[1]s.env
ExecStart=/bin/sh -c %[5]s
Restart=always
RestartSec=1
TimeoutStopSec=15
SuccessExitStatus=143
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=full
ProtectHome=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
LockPersonality=yes

[Install]
WantedBy=multi-user.target
`, s.App, User(s.App), strings.ReplaceAll(folder, "%", "%%"),
		quoteUnit("PATH="+folder+"/node_modules/.bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
		strings.ReplaceAll(quoteUnit(s.Start), "$", "$$"))
}

// environment returns the file with the application's variables (systemd.exec(5),
// EnvironmentFile=). It sets PORT unless the spec does.
func environment(s *spec.Spec) string {
	all := map[string]string{"PORT": strconv.Itoa(s.Port)}
	maps.Copy(all, s.Env)
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", `$`, `\$`)
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		_, _ = fmt.Fprintf(&out, "%s=\"%s\"\n", name, escape.Replace(all[name]))
	}
	return out.String()
}

// quoteUnit quotes a text as one word of a unit file (systemd.syntax(7), "Quoting"). In
// a command line the caller must also double each $ (systemd.service(5), "Command
// lines").
func quoteUnit(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`).Replace(text) + `"`
}
