package project_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/project"
)

// files is a source: content by path.
type files map[string]string

func (f files) fs() fstest.MapFS {
	m := fstest.MapFS{}
	for name, text := range f {
		m[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	return m
}

// with returns the files and further ones.
func (f files) with(more files) files {
	all := files{}
	for _, source := range []files{f, more} {
		for name, text := range source {
			all[name] = text
		}
	}
	return all
}

func detect(t *testing.T, source files, dir string) *project.Project {
	t.Helper()
	p, err := project.Detect(source.fs(), dir)
	if err != nil {
		for _, d := range diag.From(err) {
			t.Errorf("%v (%s)", d, d.Hint)
		}
		t.FailNow()
	}
	return p
}

// refused returns the only problem of a source.
func refused(t *testing.T, source files, dir string) *diag.Diagnostic {
	t.Helper()
	_, err := project.Detect(source.fs(), dir)
	var list diag.List
	if !errors.As(err, &list) || len(list) != 1 {
		t.Fatalf("got %v, want one problem", err)
	}
	if list[0].Where == "" || list[0].Hint == "" {
		t.Errorf("%+v names no place or no remedy", list[0])
	}
	return list[0]
}

const (
	expressJSON = `{"name":"api","main":"server.js","engines":{"node":">=20"},"dependencies":{"express":"^4.18.0"}}`
	expressLock = `{"lockfileVersion":3,"packages":{"":{"dependencies":{"express":"^4.18.0"}},` +
		`"node_modules/express":{"version":"4.19.2"}}}`
	builtJSON = `{"name":"api","main":"dist/main.js","engines":{"node":"22"},` +
		`"scripts":{"build":"tsc","start":"node dist/main.js"},` +
		`"dependencies":{"express":"^4.18.0"},"devDependencies":{"typescript":"^5.0.0"}}`
	builtLock = `{"lockfileVersion":3,"packages":{"":{"dependencies":{"express":"^4.18.0"},` +
		`"devDependencies":{"typescript":"^5.0.0"}}}}`
	pnpmBuiltLock = "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      express:\n" +
		"        specifier: ^4.18.0\n        version: 4.19.2\n    devDependencies:\n      typescript:\n" +
		"        specifier: ^5.0.0\n        version: 5.4.0\n\npackages:\n\n  express@4.19.2: {}\n"
	yarnClassicLock = "# yarn lockfile v1\n\n\nexpress@^4.18.0:\n  version \"4.19.2\"\n\n" +
		"typescript@^5.0.0, typescript@^5.1.0:\n  version \"5.4.0\"\n"
	yarnBerryLock = "__metadata:\n  version: 8\n  cacheKey: 10\n\n\"express@npm:^4.18.0\":\n  version: 4.19.2\n\n" +
		"\"typescript@npm:^5.0.0\":\n  version: 5.4.0\n"
	bunLock = "{\n  \"lockfileVersion\": 1,\n  \"workspaces\": {\n    \"\": {\n      \"name\": \"api\",\n" +
		"      \"dependencies\": {\n        \"express\": \"^4.18.0\",\n      },\n" +
		"      \"devDependencies\": {\n        \"typescript\": \"^5.0.0\",\n      },\n    },\n  },\n" +
		"  \"packages\": {\n    \"express\": [\"express@4.19.2\", \"\", {}, \"sha512-x\"],\n  }\n}\n"
)

func TestNodeCommands(t *testing.T) {
	built := files{"package.json": builtJSON}
	for name, test := range map[string]struct {
		source  files
		manager string // with its version
		want    []string
		start   string
	}{
		"nothing to install": {
			files{"package.json": `{"main":"server.js"}`, "server.js": ""}, "@", nil, "node server.js",
		},
		"npm with a lock file": {
			files{"package.json": expressJSON, "package-lock.json": expressLock, "server.js": ""},
			"npm@", []string{"npm ci --omit=dev"}, "node server.js",
		},
		"npm without one": {
			files{"package.json": expressJSON, "server.js": ""},
			"npm@", []string{"npm install --omit=dev"}, "node server.js",
		},
		"npm that builds": {
			built.with(files{"package-lock.json": builtLock}), "npm@",
			[]string{"npm ci --include=dev", "npm run build", "npm prune --omit=dev"}, "npm start",
		},
		"npm whose prepare needs husky": {
			files{
				"package.json": `{"main":"a.js","scripts":{"prepare":"husky"},"devDependencies":{"husky":"^9.0.0"}}`,
				"a.js":         "",
			},
			"npm@", []string{"npm install --include=dev", "npm prune --omit=dev"}, "node a.js",
		},
		"pnpm that builds": {
			built.with(files{"pnpm-lock.yaml": pnpmBuiltLock}), "pnpm@^10",
			[]string{"pnpm install --frozen-lockfile --prod=false", "pnpm run build", "CI=true pnpm prune --prod"},
			"pnpm start",
		},
		"yarn classic that builds": {
			built.with(files{"yarn.lock": yarnClassicLock}), "yarn@^1",
			[]string{
				"yarn install --frozen-lockfile --production=false", "yarn run build",
				"yarn install --frozen-lockfile --production --ignore-scripts --prefer-offline",
			}, "yarn start",
		},
		"yarn berry that builds": {
			built.with(files{"yarn.lock": yarnBerryLock, ".yarnrc.yml": "nodeLinker: node-modules\n"}), "yarn@^4",
			[]string{"yarn install --immutable", "yarn run build", "yarn workspaces focus --all --production"},
			"yarn start",
		},
		"yarn berry with Plug'n'Play": {
			built.with(files{"yarn.lock": yarnBerryLock, ".yarnrc.yml": "yarnPath: .yarn/releases/yarn-4.5.1.cjs\n"}),
			"yarn@4.5.1", []string{
				"YARN_ENABLE_GLOBAL_CACHE=false yarn install --immutable", "yarn run build",
				"YARN_ENABLE_GLOBAL_CACHE=false yarn workspaces focus --all --production",
			}, "yarn start",
		},
		"yarn 3 without the plugin": {
			built.with(files{"yarn.lock": strings.Replace(yarnBerryLock, ": 8", ": 6", 1),
				".yarnrc.yml": "nodeLinker: node-modules"}),
			"yarn@^3", []string{"yarn install --immutable", "yarn run build"}, "yarn start",
		},
		"bun that builds": {
			built.with(files{"bun.lock": bunLock}), "bun@", []string{
				"bun install --frozen-lockfile", "bun run build",
				"rm -rf node_modules", "bun install --frozen-lockfile --production",
			}, "bun run start",
		},
		"a start command that needs a development dependency": {
			files{
				"package.json": `{"scripts":{"start":"NODE_OPTIONS=x tsx src/a.ts"},` +
					`"devDependencies":{"tsx":"^4.0.0"}}`,
				"package-lock.json": `{"lockfileVersion":3,"packages":{"":{"devDependencies":{"tsx":"^4.0.0"}}}}`,
			}, "npm@", []string{"npm ci --include=dev"}, "npm start",
		},
		"a start command that sets variables with a development dependency": {
			files{
				"package.json": `{"scripts":{"build":"tsc","start":"cross-env A=1 node dist/a.js"},` +
					`"devDependencies":{"cross-env":"^7.0.0","typescript":"^5.0.0"}}`,
			}, "npm@", []string{"npm install --include=dev", "npm run build"}, "npm start",
		},
		"a start command that loads a development dependency": {
			files{
				"package.json": `{"scripts":{"start":"node -r dotenv/config a.js"},` +
					`"devDependencies":{"dotenv":"^16.0.0"}}`,
				"a.js": "",
			}, "npm@", []string{"npm install --include=dev"}, "npm start",
		},
		"nodemon that is no dependency": {
			files{
				"package.json":      `{"scripts":{"start":"nodemon server.js"},"dependencies":{"express":"^4.18.0"}}`,
				"package-lock.json": expressLock,
			}, "npm@", []string{"npm ci --omit=dev", "npm install --no-save nodemon"}, "npm start",
		},
		"nodemon that is a dependency": {
			files{"package.json": `{"scripts":{"start":"nodemon server.js"},"dependencies":{"nodemon":"^3.0.0"}}`},
			"npm@", []string{"npm install --omit=dev"}, "npm start",
		},
		"start:prod beside a start that compiles": {
			files{
				"package.json": `{"scripts":{"build":"nest build","start":"nest start",` +
					`"start:prod":"node dist/main"},` +
					`"dependencies":{"express":"^4.18.0"},"devDependencies":{"@nestjs/cli":"^10.0.0"}}`,
			}, "npm@", []string{"npm install --include=dev", "npm run build", "npm prune --omit=dev"},
			"npm run start:prod",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := detect(t, test.source, ".")
			var got []string
			got = append(append(append(got, p.Install...), p.Build...), p.Prune...)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("commands differ: %s", diff)
			}
			if got := string(p.Manager) + "@" + p.ManagerVersion; got != test.manager {
				t.Errorf("got the manager %s, want %s", got, test.manager)
			}
			if p.Start != test.start {
				t.Errorf("start is %q, want %q", p.Start, test.start)
			}
			if p.Env["NODE_ENV"] != "production" {
				t.Errorf("got the variables %v", p.Env)
			}
		})
	}
}

func TestMainIsResolvedAsNodeDoes(t *testing.T) {
	for name, test := range map[string]struct {
		main  string
		files []string
		want  string
	}{
		"a file":                      {"src/server.js", []string{"src/server.js"}, "node src/server.js"},
		"without extension":           {"src/server", []string{"src/server.js", "index.js"}, "node src/server.js"},
		"with ./":                     {"./src/server", []string{"src/server.js"}, "node src/server.js"},
		"a folder":                    {"src", []string{"src/index.js", "index.js"}, "node src/index.js"},
		"a folder with a slash":       {"src/", []string{"src/index.js"}, "node src/index.js"},
		"a file before a folder":      {"src", []string{"src.js", "src/index.js"}, "node src.js"},
		"a module":                    {"server.mjs", []string{"server.mjs"}, "node server.mjs"},
		"none, but server.js":         {"", []string{"app.js", "server.js"}, "node server.js"},
		"npm init's, which is absent": {"index.js", []string{"server.js"}, "node server.js"},
		"the folder itself":           {".", []string{"index.js"}, "node index.js"},
	} {
		t.Run(name, func(t *testing.T) {
			source := files{"package.json": `{"main":"` + test.main + `"}`}
			for _, file := range test.files {
				source[file] = ""
			}
			if p := detect(t, source, "."); p.Start != test.want || p.NoStart != nil {
				t.Errorf("start is %q, want %q", p.Start, test.want)
			}
		})
	}
	inner := files{
		"package.json": `{"main":"src"}`, "src/package.json": `{"main":"lib/run"}`, "src/lib/run.js": "",
		"src/index.js": "",
	}
	if p := detect(t, inner, ""); p.Start != "node src/lib/run.js" {
		t.Errorf("a folder with a package.json: start is %q", p.Start)
	}
	for _, main := range []string{"gone.js", "../up.js", "data.json"} {
		p := detect(t, files{"package.json": `{"main":"` + main + `"}`, "data.json": "{}"}, ".")
		if p.Start != "" || p.NoStart == nil || !strings.Contains(p.NoStart.Summary, main) {
			t.Errorf("%s: got %q, %+v", main, p.Start, p.NoStart)
		}
	}
}

func TestNodeVersion(t *testing.T) {
	for name, test := range map[string]struct {
		engines     string
		more        files
		version, at string
	}{
		"engines":                  {">=20", nil, ">=20", "package.json engines.node"},
		".nvmrc":                   {"", files{".nvmrc": "lts/*\n"}, "lts/*", ".nvmrc"},
		".node-version":            {"", files{".node-version": "v20.11.1\n"}, "v20.11.1", ".node-version"},
		"none":                     {"", nil, "", ""},
		"engines and a version":    {">=18", files{".nvmrc": "20\n"}, "20", ".nvmrc"},
		"engines and a name":       {">=18", files{".nvmrc": "lts/*\n"}, ">=18", "package.json engines.node"},
		"a comment":                {"", files{".nvmrc": "# ours\n22\n"}, "22", ".nvmrc"},
		"two versions that agree":  {"20.x", files{".nvmrc": "20.11.0", ".node-version": "20"}, "20.11.0", ".nvmrc"},
		"engines as npm writes it": {">= 18.0.0 < 21", nil, ">= 18.0.0 < 21", "package.json engines.node"},
	} {
		t.Run(name, func(t *testing.T) {
			source := files{"package.json": `{"main":"a.js","engines":{"node":"` + test.engines + `"}}`, "a.js": ""}
			p := detect(t, source.with(test.more), ".")
			if p.Version != test.version || p.VersionFrom != test.at {
				t.Errorf("got %q from %q, want %q from %q", p.Version, p.VersionFrom, test.version, test.at)
			}
		})
	}
	volta := detect(t, files{"package.json": `{"main":"a.js","volta":{"node":"20.1.0"}}`, "a.js": ""}, ".")
	if volta.Version != "20.1.0" || volta.VersionFrom != "package.json volta.node" {
		t.Errorf("volta: got %q from %q", volta.Version, volta.VersionFrom)
	}
}

func TestManagerVersionFitsTheLockFile(t *testing.T) {
	for name, test := range map[string]struct{ lock, text, engines, want string }{
		"pnpm 7":                        {"pnpm-lock.yaml", "lockfileVersion: 5.4\n", "", "^7"},
		"pnpm 8":                        {"pnpm-lock.yaml", "lockfileVersion: '6.0'\n", "", "^8"},
		"pnpm in a wide range":          {"pnpm-lock.yaml", "lockfileVersion: '9.0'\n", ">=8", "^10"},
		"pnpm in another range":         {"pnpm-lock.yaml", "lockfileVersion: '9.0'\n", "^9", "^9"},
		"yarn classic in a wide range":  {"yarn.lock", "# yarn lockfile v1\n", ">=1.22", ">=1.22"},
		"yarn berry in a classic range": {"yarn.lock", yarnBerryLock, ">=1.22", "^4"},
		"yarn berry in a range":         {"yarn.lock", yarnBerryLock, ">=4.2", ">=4.2"},
		"npm comes with Node.js":        {"package-lock.json", "{}", ">=10", ""},
	} {
		manager := strings.TrimSuffix(strings.Split(name, " ")[0], ",")
		p := detect(t, files{
			"package.json": `{"main":"a.js","engines":{"` + manager + `":"` + test.engines + `"}}`, "a.js": "",
			test.lock: test.text,
		}, ".")
		if p.ManagerVersion != test.want && p.Manager != "" {
			t.Errorf("%s: got %s %q, want %q", name, p.Manager, p.ManagerVersion, test.want)
		}
	}
}

func TestPackageManagerIsExactWithItsHash(t *testing.T) {
	p := detect(t, files{
		"package.json":   strings.Replace(builtJSON, "{", `{"packageManager":"pnpm@9.12.0+sha512.abc123",`, 1),
		"pnpm-lock.yaml": pnpmBuiltLock, "yarn.lock": yarnClassicLock,
	}, ".")
	if p.Manager != project.PNPM || p.ManagerVersion != "9.12.0" || p.ManagerIntegrity != "sha512.abc123" {
		t.Errorf("got %s %s %s", p.Manager, p.ManagerVersion, p.ManagerIntegrity)
	}
	if !p.Locked || p.LockFile != "pnpm-lock.yaml" {
		t.Errorf("got the lock file %q", p.LockFile)
	}
}
