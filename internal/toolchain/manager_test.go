package toolchain_test

import (
	"strings"
	"testing"

	"aloft.dev/aloft/internal/project"
	"aloft.dev/aloft/internal/toolchain"
)

func TestManagers(t *testing.T) {
	registry := newSite(t)
	scripts := tarball(
		t,
		item{name: "package/bin/run.cjs", content: "run", mode: 0o644},
		item{name: "package/package.json", content: "{}", mode: 0o644},
	)
	bin := func(name string) map[string]any {
		return map[string]any{"bin": map[string]string{name: "./bin/run.cjs"}}
	}
	registry.publish(t, "pnpm", bin("pnpm"), scripts, "9.12.0", "9.15.1", "10.2.0", "11.0.0-rc.1", "10.9.0")
	registry.publish(t, "yarn", bin("yarn"), scripts, "1.22.19", "1.22.22")
	registry.publish(t, "@yarnpkg/cli-dist", bin("yarn"), scripts, "3.8.0", "4.5.1")
	registry.publish(t, "@oven/bun-linux-aarch64", nil,
		tarball(t, item{name: "package/bin/bun", content: "bun", mode: 0o644}), "1.1.0", "1.3.0")
	f := &toolchain.Fetcher{Cache: t.TempDir(), Registry: registry.URL}
	scripted := func(name, command string) map[string]string {
		home := "lib/node_modules/" + name + "/"
		return map[string]string{
			"bin/" + command: "-> ../" + home + "bin/run.cjs", home + "bin/run.cjs": "x run",
			home + "package.json": "- {}",
		}
	}
	for _, test := range []struct {
		name          project.Manager
		version, want string
		content       map[string]string
	}{
		{project.PNPM, "9.12.0", "9.12.0", scripted("pnpm", "pnpm")},
		{project.PNPM, "^9", "9.15.1", scripted("pnpm", "pnpm")},
		{project.PNPM, "", "10.9.0", scripted("pnpm", "pnpm")},
		{project.PNPM, ">=9", "10.9.0", scripted("pnpm", "pnpm")},
		{project.Yarn, "^1", "1.22.22", scripted("yarn", "yarn")},
		{project.Yarn, "1.22.19", "1.22.19", scripted("yarn", "yarn")},
		{project.Yarn, "", "1.22.22", scripted("yarn", "yarn")},
		{project.Yarn, "4.5.1", "4.5.1", scripted("@yarnpkg/cli-dist", "yarn")},
		{project.Yarn, "^3", "3.8.0", scripted("@yarnpkg/cli-dist", "yarn")},
		{project.Bun, "", "1.3.0", map[string]string{"bin/bun": "x bun", "bin/bunx": "-> bun"}},
	} {
		a, err := f.Manager(t.Context(), test.name, test.version, "arm64")
		if err != nil || a.Version != test.want || a.Name != string(test.name) {
			t.Errorf("%s %q: got %v %v, want %s", test.name, test.version, a, err, test.want)
			continue
		}
		wantContent(t, a, test.content)
	}
	for version, summary := range map[string]string{
		"9.99.0": "is no version that", "^99": "no version satisfies ^99; the newest is 10.9.0", "many": "no range",
	} {
		_, err := f.Manager(t.Context(), project.PNPM, version, "amd64")
		if d := problem(t, err); !strings.Contains(d.Summary, summary) {
			t.Errorf("%s: %+v", version, d)
		}
	}
	_, err := f.Manager(t.Context(), project.Pip, "", "amd64")
	problem(t, err)
	noParts(t, f.Cache)
}

func TestPnpmIsAProgramSinceVersion12(t *testing.T) {
	registry := newSite(t)
	registry.publish(t, "pnpm", map[string]any{
		"bin":                  map[string]string{"pnpm": "pnpm", "pnpx": "pnpx"},
		"optionalDependencies": map[string]string{"@pnpm/exe.linux-x64": "12.1.0", "@pnpm/exe.darwin-arm64": "12.1.0"},
	}, tarball(
		t,
		item{name: "package/pnpm", content: "downloads", mode: 0o755},
		item{name: "package/pnpx", content: "downloads", mode: 0o755},
		item{name: "package/dist/gyp.js", content: "gyp", mode: 0o644},
	), "12.1.0")
	registry.publish(t, "@pnpm/exe.linux-x64", nil, tarball(
		t,
		item{name: "package/pnpm", content: "program", mode: 0o755},
		item{name: "package/LICENSE", content: "license", mode: 0o644},
	), "12.1.0")
	f := &toolchain.Fetcher{Cache: t.TempDir(), Registry: registry.URL}
	a, err := f.Manager(t.Context(), project.PNPM, "12", "amd64")
	if err != nil {
		t.Fatal(err)
	}
	const home = "lib/node_modules/pnpm/"
	wantContent(t, a, map[string]string{
		home + "pnpm": "x program", home + "pnpx": "-> pnpm", home + "dist/gyp.js": "- gyp",
		"bin/pnpm": "-> ../" + home + "pnpm", "bin/pnpx": "-> ../" + home + "pnpx",
	})
}
