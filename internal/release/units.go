package release

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// User returns the system user that an application runs as.
func User(app string) string { return "aloft-" + app }

// Unit returns the name of the systemd service that runs an application's web process.
func Unit(app string) string { return "aloft-" + app + ".service" }

// processUnit returns the name of the systemd service that runs another process of an
// application, such as worker.
func processUnit(app, process string) string { return "aloft-" + app + "-" + process + ".service" }

// Home returns the folder on a machine that contains an application's source.
func Home(app string) string { return "/srv/" + app }

// process is a process of the application, which a systemd service runs.
type process struct{ unit, title, command string }

// processes returns the application's processes, the web process first.
func (b *Builder) processes() []process {
	all := []process{{Unit(b.Spec.Program()), b.Spec.Program(), b.Source.Project.Start}}
	others := b.Source.Project.Processes
	for _, name := range slices.Sorted(maps.Keys(others)) {
		all = append(all, process{processUnit(b.Spec.Program(), name), b.Spec.Program() + " " + name, others[name]})
	}
	return all
}

// environmentUnit returns the name of the systemd service that fetches an application's
// environment.
func environmentUnit(app string) string { return "aloft-" + app + "-env.service" }

// logsUnit returns the name of the systemd service that ships an application's log.
func logsUnit(app string) string { return processUnit(app, "logs") }

// unitFiles returns the unit files of all processes, of what fetches their environment and
// of what ships their log, each after a line with its name, as service.sh reads them.
func (b *Builder) unitFiles() string {
	var out strings.Builder
	_, _ = fmt.Fprintf(&out, "#unit %s\n%s", environmentUnit(b.Spec.Program()), environmentUnitFile(b.Spec.Program()))
	if b.Spec.Logs != nil {
		_, _ = fmt.Fprintf(&out, "#unit %s\n%s", logsUnit(b.Spec.Program()), logsUnitFile(b.Spec.Program()))
	}
	for _, p := range b.processes() {
		_, _ = fmt.Fprintf(&out, "#unit %s\n%s", p.unit, b.unitFile(p))
	}
	return out.String()
}

// environmentUnitFile returns the unit file of the service that fetches the environment
// once, before the processes start. The environment is in memory alone.
func environmentUnitFile(app string) string {
	return fmt.Sprintf(`# Written by Aloft.
[Unit]
Description=Environment of %[1]s
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/lib/aloft/env %[1]s
TimeoutStartSec=180
Restart=on-failure
RestartSec=5

[Install]
WantedBy=multi-user.target
`, app)
}

// logsUnitFile returns the unit file of the service that ships the log. It starts before the
// processes, so that at a shutdown it stops after them and ships their last lines.
func logsUnitFile(app string) string {
	return fmt.Sprintf(`# Written by Aloft.
[Unit]
Description=Log of %[1]s to CloudWatch Logs
Wants=network-online.target
After=network-online.target
Before=%[2]s
StartLimitIntervalSec=0

[Service]
ExecStart=/usr/local/lib/aloft/logs %[1]s
StateDirectory=aloft-%[1]s-logs
RuntimeDirectory=aloft-%[1]s-logs
Restart=always
RestartSec=5
KillMode=mixed
TimeoutStopSec=20
MemoryMax=128M
CPUWeight=20
NoNewPrivileges=yes
CapabilityBoundingSet=
PrivateTmp=yes
ProtectSystem=strict
ProtectHome=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
LockPersonality=yes

[Install]
WantedBy=multi-user.target
`, app, Unit(app))
}

// unitFile returns a process's unit file (systemd.service(5), systemd.exec(5)).
func (b *Builder) unitFile(p process) string {
	app, folder := b.Spec.Program(), b.folder()
	var settings strings.Builder
	env := b.Source.Project.Env
	for _, name := range slices.Sorted(maps.Keys(env)) {
		_, _ = fmt.Fprintf(&settings, "Environment=%s\n", quoteUnit(name+"="+env[name]))
	}
	return fmt.Sprintf(`# Written by Aloft.
[Unit]
Description=%[1]s
Wants=network-online.target %[9]s
After=network-online.target %[9]s
# It is tried for ever: the load balancer leaves out a server that does not answer.
StartLimitIntervalSec=0

[Service]
User=%[2]s
Group=%[2]s
WorkingDirectory=%[3]s
%[4]sEnvironment=%[5]s
Environment=PORT=%[10]d
EnvironmentFile=/run/aloft/%[6]s.env
ExecStart=/bin/sh -c %[7]s
SyslogIdentifier=%[8]s
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
`, p.title, User(app), strings.ReplaceAll(folder, "%", "%%"), settings.String(), quoteUnit("PATH="+b.path()), app,
		strings.ReplaceAll(quoteUnit(p.command), "$", "$$"), strings.TrimSuffix(p.unit, ".service"),
		environmentUnit(app), b.Spec.Port)
}

// quoteUnit quotes a text as one word of a unit file (systemd.syntax(7), "Quoting"). In
// a command line the caller must also double each $ (systemd.service(5), "Command
// lines").
func quoteUnit(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`).Replace(text) + `"`
}
