package release

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/project"
	"aloft.dev/aloft/internal/remote"
	"aloft.dev/aloft/internal/rolescript"
)

//go:embed recipe
var scripts embed.FS

// step is one script that root runs on a machine. It may run again, also after it was
// interrupted.
type step struct {
	number string // of the manual process
	name   string // "npm ci"
	script string // for sh -eu
	input  string // standard input; may contain secrets and is never printed
	// ship returns what writes the standard input instead, and shell variables for the
	// script. Neither counts for the release's id.
	ship   func(ctx context.Context, m *machine) (input remote.Input, variables string, err error)
	builds bool // it builds the application, for which the machine may have too little memory
	// check runs instead of the script.
	check func(ctx context.Context, m *machine) error
}

// recipe returns the steps that turn a machine of the base image into one on which the
// application serves.
func (b *Builder) recipe() []step {
	steps := []step{{number: "10", name: "wait until the machine has settled", script: join("settle")}}
	steps = append(steps, b.packages())
	steps = append(steps, b.python()...)
	steps = append(steps, b.toolchains()...)
	steps = append(steps, step{
		number: "12,14", name: "ship the source", script: join("user", "unpack", "place"),
		ship: func(context.Context, *machine) (remote.Input, string, error) { return b.Source.Pack, "", nil },
	})
	steps = append(steps, b.commands()...)
	steps = append(steps,
		step{number: "15", name: "remove what only the build needed", script: join("clean")},
		step{
			number: "16", name: "install what fetches the environment", script: join("environment"),
			input: b.programs(),
		},
		step{number: "16", name: "install the services", script: join("service"), input: b.unitFiles()},
	)
	header := b.variables()
	for i := range steps {
		steps[i].script = header + steps[i].script
	}
	return steps
}

// seal is the last step before an image is made.
func (b *Builder) seal() step {
	return step{
		number: "17", name: "forget the machine's own identity", script: b.variables() + join("forget"),
	}
}

// packages returns the step that installs the distribution packages that the machine lacks.
func (b *Builder) packages() step {
	wanted := slices.Concat(b.Source.Project.Packages, b.Spec.Build.Packages)
	if b.Source.Project.Language == project.Node {
		wanted = append(wanted, "libatomic1") // Node.js 25 and later are linked with it
	}
	if b.Spec.Logs != nil {
		wanted = append(wanted, "jq") // of ship-logs.sh
	}
	slices.Sort(wanted)
	names := strings.Join(slices.Compact(wanted), " ")
	return step{
		number: "11,13", name: strings.TrimSuffix("install missing packages: "+names, ": "),
		script: "packages=" + remote.Quote(names) + "\n" + join("packages"),
	}
}

// programs returns the programs of Aloft on a machine, each after a line with its name, as
// environment.sh reads them.
func (b *Builder) programs() string {
	all := [][2]string{{"aws.sh", rolescript.AWS}, {"env", readScript("fetch-env.sh")}}
	if b.Spec.Logs != nil {
		all = append(all, [2]string{"logs", readScript("ship-logs.sh")})
	}
	var out strings.Builder
	for _, program := range all {
		_, _ = fmt.Fprintf(&out, "#program %s\n%s", program[0], program[1])
	}
	return out.String()
}

// toolchains returns the steps that install the language's runtime and its package
// manager.
func (b *Builder) toolchains() []step {
	var steps []step
	for _, tool := range b.tools() {
		s := step{
			number: "13", name: "install " + tool.title,
			script: fmt.Sprintf("tool=%s\nwanted=%s\n", remote.Quote(tool.name), remote.Quote(tool.wanted)) +
				join("toolchain"),
		}
		s.ship = func(ctx context.Context, m *machine) (remote.Input, string, error) {
			m.say(s, event.Progress, s.name+": fetching it on this computer")
			archive, err := tool.fetch(ctx, m.architecture)
			if err != nil {
				return nil, "", err
			}
			return m.sendFile(s, archive.Path), "version=" + remote.Quote(archive.Version) + "\n", nil
		}
		steps = append(steps, s)
	}
	return steps
}

// commands returns the steps that install dependencies and build the application.
func (b *Builder) commands() []step {
	p := b.Source.Project
	var steps []step
	for _, command := range slices.Concat(p.Install, p.Build, p.Prune) {
		steps = append(steps, step{
			number: "15", name: command, script: b.commandVariables(command) + join("command"), builds: true,
		})
	}
	return steps
}

// commandVariables returns the shell variables of command.sh.
func (b *Builder) commandVariables(command string) string {
	return fmt.Sprintf("command=%s\nmanager=%s\nfolder=%s\npath=%s\n", remote.Quote(command),
		remote.Quote(string(b.Source.Project.Manager)), remote.Quote(b.buildFolder()), remote.Quote(b.path()))
}

// ID returns the id of a release, derived from everything that goes into its image: the
// id of the base image, the recipe's text and the source. Equal ids mean equal
// machines.
func (b *Builder) ID(base string) string {
	sum := sha256.New()
	add := func(part string) { _, _ = fmt.Fprintf(sum, "%d:%s", len(part), part) }
	add(base)
	add(b.Source.Digest)
	if b.Spec.Security.ThroughEndpoint() {
		add("pushed keys") // the builder's user data makes sshd accept them
	}
	for _, step := range append(b.recipe(), b.seal()) {
		add(step.script)
		add(step.input)
	}
	return hex.EncodeToString(sum.Sum(nil))[:12]
}

// variables returns the shell variables that describe the application to the scripts.
func (b *Builder) variables() string {
	var out strings.Builder
	for _, v := range [][2]string{
		{"app", b.Spec.Program()}, {"user", User(b.Spec.Program())}, {"service", Unit(b.Spec.Program())},
		{"home", Home(b.Spec.Program())},
	} {
		_, _ = fmt.Fprintf(&out, "%s=%s\n", v[0], remote.Quote(v[1]))
	}
	return out.String()
}

// folder returns the application's folder on a machine.
func (b *Builder) folder() string { return path.Join(Home(b.Spec.Program()), b.Source.Dir) }

// buildFolder returns the folder on a machine in which dependencies are installed.
func (b *Builder) buildFolder() string {
	if workspace := b.Source.Project.Workspace; workspace != "" {
		return path.Join(Home(b.Spec.Program()), workspace)
	}
	return b.folder()
}

// path returns the search path for programs of the application.
func (b *Builder) path() string {
	const system = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	var folders []string
	for _, folder := range b.Source.Project.Path {
		folders = append(folders, path.Join(b.folder(), folder))
	}
	return strings.Join(append(folders, system), ":")
}

// join concatenates embedded scripts.
func join(names ...string) string {
	var out strings.Builder
	for _, name := range names {
		out.WriteString(readScript(name + ".sh"))
	}
	return out.String()
}

// readScript returns an embedded file. Names are constants, and tests cover all of them.
func readScript(name string) string {
	text, err := scripts.ReadFile("recipe/" + name)
	if err != nil {
		return "exit 1 # " + err.Error() + "\n"
	}
	return string(text)
}
