// Package project reads from an application's files how to build and run it: its
// language, the version of the runtime, the package manager, and the commands that
// install, build and start. It reads files only, and it never guesses: files that
// contradict each other are errors.
package project

import "aloft.dev/aloft/internal/diag"

// Language is the language of an application.
type Language string

// The languages for which Aloft knows the way from files to a running application. An
// application in another one says in aloft.yaml how it is built and started.
const (
	Node   Language = "node"
	Python Language = "python"
	Go     Language = "go"
	Other  Language = ""
)

// String returns the language's name: "Node.js".
func (l Language) String() string {
	switch l {
	case Node:
		return "Node.js"
	case Python:
		return "Python"
	case Go:
		return "Go"
	}
	return "another language"
}

// Manager is a package manager.
type Manager string

// The package managers.
const (
	NPM  Manager = "npm"
	PNPM Manager = "pnpm"
	Yarn Manager = "yarn" // classic (1) or berry (2 and later), by its version
	Bun  Manager = "bun"
	Pip  Manager = "pip"
	UV   Manager = "uv"
)

// Project says how an application is built and run. Its commands are lines for a
// shell. The application's user runs Install, Build and Prune, in this order, in the
// folder Workspace if it is set, else in the application's folder. All other commands
// run in the application's folder.
type Project struct {
	Language    Language
	Version     string // of the runtime, as the file says: ">=20", "lts/*", "3.12", "1.25"; "" if no file says
	VersionFrom string // where Version is written: "package.json engines.node", ".nvmrc"

	Manager          Manager // "" if nothing is installed by one
	ManagerVersion   string  // exact ("9.12.0"), a range ("^10"), or "" for any
	ManagerIntegrity string  // hash of that version as packageManager has it ("sha512.5ca…"), or ""
	Locked           bool    // LockFile fixes the versions of all dependencies
	LockFile         string  // relative to the root; "" if there is none

	// Workspace is the folder of the workspace that the application is a member of,
	// relative to the root: "." is the root itself. It is "" for an application that
	// stands alone.
	Workspace string

	Install []string // fetches the dependencies
	Build   []string // compiles
	Prune   []string // removes what only Build needs

	Start     string            // starts the server; "" if the files do not say
	StartFrom string            // where Start is written: "Procfile", "package.json scripts.start"
	NoStart   *diag.Diagnostic  // why Start is "" and what to write; nil if Start is set
	Processes map[string]string // the Procfile's other processes by name: "worker"
	Release   string            // the Procfile's release command: runs once per release, before it serves

	Env      map[string]string // variables of all processes when they run: NODE_ENV
	Path     []string          // folders that precede PATH, relative to the application's folder
	Packages []string          // packages of the distribution, by Debian's names

	HealthPaths []string // paths in the code that look like health checks, the likeliest first
	Notes       []string // what a person should know, in sentences
}
