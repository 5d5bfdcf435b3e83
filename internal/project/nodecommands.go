package project

import (
	"regexp"
	"slices"
	"strings"
)

// nodeCommands derives the commands that install, build and prune.
type nodeCommands struct {
	*folder
	top         *folder // where the lock file is
	pkg, topPkg *packageJSON
	workspace   *workspace
	project     *Project
}

// set sets the project's commands. Development dependencies are installed if something
// needs them, and removed afterwards unless the start command needs them too.
func (c *nodeCommands) set() {
	p := c.project
	p.Build = c.build()
	c.checkPrograms()
	if c.hasNothing() {
		c.addNodemon()
		if len(p.Install) == 0 && !c.startRuns(string(p.Manager)) {
			p.Manager, p.ManagerVersion, p.ManagerIntegrity = "", "", ""
		}
		return
	}
	if !p.Locked {
		p.Notes = append(p.Notes, "There is no lock file: two releases of the same source may get different versions. "+
			"To fix them, commit the lock file that "+string(p.Manager)+" install writes.")
	}
	keeps := c.startNeeds()
	if keeps != "" {
		p.Notes = append(p.Notes, "A command that runs in production uses "+keeps+
			", a development dependency: development dependencies stay installed. Move it to dependencies.")
	}
	dev := len(p.Build) > 0 || c.installNeedsDev() || keeps != ""
	p.Install = c.install(dev)
	if dev && keeps == "" {
		p.Prune = c.prune()
	}
	c.addNodemon()
}

// startRuns reports whether the start command runs a program by its name.
func (c *nodeCommands) startRuns(program string) bool {
	return slices.ContainsFunc(c.startCommands(), func(command string) bool {
		word, _ := firstWord(command)
		return word == program
	})
}

// checkPrograms reports a package manager that the start command runs and that is not
// the application's: only one is installed, beside npm.
func (c *nodeCommands) checkPrograms() {
	for _, other := range []Manager{PNPM, Yarn, Bun} {
		if other != c.project.Manager && c.pkg.all()[string(other)] == "" && c.startRuns(string(other)) {
			c.problem("package.json", `name it as in "packageManager": "`+string(other)+`@VERSION", or start with `+
				string(c.project.Manager), "the start command runs %s, but the package manager is %s", other,
				c.project.Manager)
		}
	}
}

// addNodemon installs nodemon for a start command that uses it although package.json
// does not list it: people install it globally. Only npm adds a package and changes
// neither package.json nor the lock file.
func (c *nodeCommands) addNodemon() {
	p := c.project
	switch {
	case !c.startRuns("nodemon") || c.pkg.all()["nodemon"] != "" || c.topPkg.all()["nodemon"] != "":
	case p.Manager != NPM:
		c.problem("package.json", "run "+string(p.Manager)+" add nodemon, or start with node",
			"the start command uses nodemon, which is no dependency")
	default:
		p.Notes = append(p.Notes, "The start command uses nodemon, which is no dependency: the newest one is "+
			"installed. To fix its version, run npm install nodemon; or start with node.")
		last := &p.Install
		if len(p.Prune) > 0 {
			last = &p.Prune
		}
		*last = append(*last, "npm install --no-save nodemon")
	}
}

// hasNothing reports whether there is nothing to install.
func (c *nodeCommands) hasNothing() bool {
	return c.workspace == nil && !c.project.Locked && len(c.pkg.all()) == 0 && c.pkg.installs() == "" &&
		len(c.pkg.Workspaces) == 0 && len(c.project.Build) == 0
}

// installNeedsDev reports whether a script that installing runs may use development
// dependencies, as "prepare": "husky" does.
func (c *nodeCommands) installNeedsDev() bool {
	return c.topPkg.installs() != "" && len(c.topPkg.DevDependencies) > 0 ||
		c.pkg.installs() != "" && len(c.pkg.DevDependencies) > 0
}

// startNeeds names a package that a command in production runs and that is only a
// development dependency, or returns "".
func (c *nodeCommands) startNeeds() string {
	for _, command := range c.startCommands() {
		for _, name := range packagesOf(command) {
			dev := c.pkg.DevDependencies[name] != "" || c.topPkg.DevDependencies[name] != ""
			if dev && !c.pkg.requires(name) && !c.topPkg.requires(name) {
				return name
			}
		}
	}
	return ""
}

// packagesOf returns the names of the packages that a command may run: its programs, and
// what Node.js loads before the program (node -r dotenv/config, node --import tsx).
func packagesOf(command string) []string {
	var names []string
	if strings.Contains(command, "cross-env ") {
		names = append(names, "cross-env")
	}
	word, rest := firstWord(command)
	if word == "npx" && len(rest) > 0 {
		word = rest[0]
	}
	if other := programPackages[word]; other != "" {
		word = other
	}
	names = append(names, word)
	for _, argument := range rest {
		name, _, _ := strings.Cut(argument[strings.LastIndex(argument, "=")+1:], "/")
		if isLoader(command, argument) {
			names = append(names, name)
		}
	}
	return names
}

// programPackages are programs whose package has another name.
var programPackages = map[string]string{
	"nest": "@nestjs/cli", "tsc": "typescript", "babel-node": "@babel/node", "remix-serve": "@remix-run/serve",
	"ts-node-esm": "ts-node", "react-router-serve": "@react-router/serve", "medusa": "@medusajs/cli",
	"dotenv": "dotenv-cli", "pm2-runtime": "pm2", "sequelize": "sequelize-cli",
}

// isLoader reports whether Node.js loads a word of a command before the program.
func isLoader(command, word string) bool {
	for _, flag := range []string{"-r ", "--require ", "--import ", "--loader ", "--experimental-loader "} {
		if strings.Contains(command, flag+word) {
			return true
		}
	}
	return strings.HasPrefix(word, "--") && strings.Contains(word, "=")
}

// startCommands returns the commands that run in production, with those of the scripts
// that they name.
func (c *nodeCommands) startCommands() []string {
	var all []string
	add := func(line string) {
		for command := range strings.SplitSeq(strings.ReplaceAll(line, ";", "&&"), "&&") {
			all = append(all, strings.TrimSpace(command))
		}
	}
	for _, command := range append(values(c.project.Processes), c.project.Start, c.project.Release) {
		add(command)
	}
	for i := 0; i < len(all) && i < 100; i++ {
		name, _ := scriptOf(all[i])
		for _, name := range []string{"pre" + name, name, "post" + name} {
			if script := c.pkg.Scripts[name]; script != "" {
				add(script)
			}
		}
	}
	return all
}

// install returns the command that installs, with or without development dependencies.
// Its flags say which, whatever NODE_ENV is.
func (c *nodeCommands) install(dev bool) []string {
	p := c.project
	switch p.Manager {
	case PNPM:
		return []string{"pnpm install" + c.flag(" --frozen-lockfile") + choose(dev, " --prod=false", " --prod")}
	case Yarn:
		if !p.isClassic() {
			return c.installBerry(dev)
		}
		return []string{
			"yarn install" + c.flag(" --frozen-lockfile") + " --production" + choose(dev, "=false", ""),
		}
	case Bun:
		return []string{"bun install" + c.flag(" --frozen-lockfile") + choose(dev, "", " --production")}
	}
	return []string{"npm " + choose(p.Locked, "ci", "install") + choose(dev, " --include=dev", " --omit=dev")}
}

// flag returns a flag if there is a lock file.
func (c *nodeCommands) flag(text string) string { return choose(c.project.Locked, text, "") }

// installBerry installs everything, since a berry checks its lock file only then, and
// takes away what is not needed.
func (c *nodeCommands) installBerry(dev bool) []string {
	commands := []string{c.berry() + "yarn install" + c.flag(" --immutable")}
	if !dev {
		commands = append(commands, c.pruneBerry()...)
	}
	return commands
}

// berry returns an assignment that keeps the packages of Plug'n'Play in the folder:
// they are read from there at run time.
func (c *nodeCommands) berry() string {
	return choose(c.usesPlugAndPlay(), "YARN_ENABLE_GLOBAL_CACHE=false ", "")
}

// usesPlugAndPlay reports whether Yarn installs no node_modules (Yarn's documentation,
// "nodeLinker": the default is pnp).
func (c *nodeCommands) usesPlugAndPlay() bool { return c.top.plugAndPlay(c.project) }

func (f *folder) plugAndPlay(p *Project) bool {
	linker := f.yarnConfig().NodeLinker
	return p.Manager == Yarn && !p.isClassic() && (linker == "" || linker == "pnp")
}

// prune returns the command that removes development dependencies.
func (c *nodeCommands) prune() []string {
	switch c.project.Manager {
	case PNPM:
		if c.workspace != nil || c.top.has("pnpm-workspace.yaml") { // where pnpm prune is not supported
			return []string{"CI=true pnpm install" + c.flag(" --frozen-lockfile") + " --prod"}
		}
		return []string{"CI=true pnpm prune --prod"}
	case Yarn:
		if !c.project.isClassic() {
			return c.pruneBerry()
		}
		return []string{"yarn install" + c.flag(" --frozen-lockfile") +
			" --production --ignore-scripts --prefer-offline"}
	case Bun:
		return []string{"rm -rf node_modules", "bun install" + c.flag(" --frozen-lockfile") + " --production"}
	}
	return []string{"npm prune --omit=dev"}
}

// pruneBerry needs the plugin workspace-tools, which Yarn 4 contains (Yarn's
// documentation, "yarn workspaces focus").
func (c *nodeCommands) pruneBerry() []string {
	version := strings.TrimLeft(c.project.ManagerVersion, "^~v=<> ")
	old := strings.HasPrefix(version, "2") || strings.HasPrefix(version, "3")
	if old && !c.top.has(".yarn/plugins/@yarnpkg/plugin-workspace-tools.cjs") {
		if len(c.pkg.DevDependencies)+len(c.topPkg.DevDependencies) > 0 {
			c.project.Notes = append(c.project.Notes, "Development dependencies stay installed: Yarn "+version+
				" removes them only with its plugin workspace-tools (yarn plugin import workspace-tools).")
		}
		return nil
	}
	if c.workspace != nil && c.pkg.Name != "" {
		return []string{c.berry() + "yarn workspaces focus " + quote(c.pkg.Name) + " --production"}
	}
	return []string{c.berry() + "yarn workspaces focus --all --production"}
}

// build returns the commands that run the build scripts of the application and, in a
// workspace, of the members that it needs.
func (c *nodeCommands) build() []string {
	manager := string(c.project.Manager)
	if c.workspace == nil {
		if c.pkg.Scripts["build"] == "" {
			return nil
		}
		return []string{manager + " run build"}
	}
	var builds []string
	for _, name := range append(c.workspace.needed(c.pkg), "") {
		pkg, dir := c.pkg, c.dir
		if name != "" {
			pkg, dir = c.workspace.members[name].pkg, c.workspace.members[name].dir
		}
		if pkg.Scripts["build"] != "" {
			builds = append(builds, c.buildMember(pkg.Name, c.top.relative(dir)))
		}
	}
	if len(builds) > 0 && c.project.Manager == PNPM && c.pkg.Name != "" { // which knows the order itself
		return []string{"pnpm --filter " + quote(c.pkg.Name+"...") + " run build"}
	}
	return builds
}

func (c *nodeCommands) buildMember(name, dir string) string {
	switch c.project.Manager {
	case Yarn:
		return "yarn workspace " + quote(name) + " run build"
	case NPM:
		return "npm run build --workspace=" + quote(dir)
	}
	return "cd " + quote(dir) + " && " + string(c.project.Manager) + " run build"
}

func choose(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9@/._+:,-]+$`)

// quote quotes a word for a shell unless nothing in it is special.
func quote(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
