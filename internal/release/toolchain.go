package release

import (
	"context"
	"errors"
	"strings"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/project"
	"aloft.dev/aloft/internal/toolchain"
)

// Toolchain fetches runtimes and package managers. *toolchain.Fetcher is one.
type Toolchain interface {
	Node(ctx context.Context, version, arch string) (toolchain.Archive, error)
	Go(ctx context.Context, version, arch string) (toolchain.Archive, error)
	Manager(ctx context.Context, name project.Manager, version, arch string) (toolchain.Archive, error)
}

// tool is a toolchain that the application needs.
type tool struct {
	name   string // of its folder on a machine
	title  string
	wanted string // versions that will do
	fetch  func(ctx context.Context, arch string) (toolchain.Archive, error)
}

// tools returns the toolchains that the application needs. Python's comes with the
// distribution, npm with Node.js.
func (b *Builder) tools() []tool {
	p := b.Source.Project
	var all []tool
	switch p.Language {
	case project.Node:
		all = append(all, tool{"node", strings.TrimSpace("Node.js " + p.Version), p.Version,
			func(ctx context.Context, arch string) (toolchain.Archive, error) {
				archive, err := b.Toolchain.Node(ctx, p.Version, arch)
				return archive, where(p.VersionFrom, err)
			}})
	case project.Go:
		all = append(all, tool{"go", strings.TrimSpace("Go " + p.Version), p.Version,
			func(ctx context.Context, arch string) (toolchain.Archive, error) {
				archive, err := b.Toolchain.Go(ctx, p.Version, arch)
				return archive, where(p.VersionFrom, err)
			}})
	case project.Python, project.Other:
	}
	switch p.Manager {
	case project.PNPM, project.Yarn, project.Bun:
		name := string(p.Manager)
		all = append(all, tool{name, strings.TrimSpace(name + " " + p.ManagerVersion), p.ManagerVersion,
			func(ctx context.Context, arch string) (toolchain.Archive, error) {
				return b.Toolchain.Manager(ctx, p.Manager, p.ManagerVersion, arch)
			}})
	case project.NPM, project.Pip, project.UV:
	}
	return all
}

// Runtime names the runtime and the package manager that the source asks for: "Node.js >=20,
// pnpm 9.12.0". It is "" for a program that needs none.
func (b *Builder) Runtime() string {
	var names []string
	if p := b.Source.Project; p.Language == project.Python {
		names = append(names, strings.TrimSpace("Python "+p.Version))
	}
	for _, tool := range b.tools() {
		names = append(names, tool.title)
	}
	return strings.Join(names, ", ")
}

// where names the file that asks for a version, if there is one, as the place of a
// problem with it.
func where(file string, err error) error {
	var problem *diag.Diagnostic
	if file == "" || !errors.As(err, &problem) {
		return err
	}
	named := *problem
	named.Where = file
	return &named
}
