package project_test

import (
	"strings"
	"testing"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/project"
)

func TestContradictionsAreRefused(t *testing.T) {
	express := files{"package.json": expressJSON, "server.js": ""}
	for name, test := range map[string]struct {
		source           files
		where, says, try string
	}{
		"unreadable JSON": {
			files{"package.json": "{\n  \"main\": 1,\n}"}, "package.json", "line ", "correct",
		},
		"a range that is none": {
			files{"package.json": `{"main":"a.js","engines":{"node":"newest"}}`, "a.js": ""},
			"package.json engines.node", `"newest" is no range`, ">=20",
		},
		"versions that contradict": {
			files{"package.json": `{"main":"a.js","engines":{"node":">=20"}}`, "a.js": "", ".nvmrc": "18.20.0"},
			".nvmrc", "asks for Node.js 18.20.0, and package.json engines.node for >=20", "correct one",
		},
		"two lock files": {
			express.with(files{"package-lock.json": expressLock, "yarn.lock": yarnClassicLock}),
			"package-lock.json", "there is also yarn.lock", "packageManager",
		},
		"a manager that the lock file contradicts": {
			files{
				"package.json": `{"main":"a.js","packageManager":"pnpm@9.12.0"}`, "a.js": "",
				"package-lock.json": `{"packages":{"":{}}}`,
			},
			"package.json", "names pnpm, but the lock file is package-lock.json", "remove package-lock.json",
		},
		"a manager without version": {
			files{"package.json": `{"main":"a.js","packageManager":"pnpm"}`, "a.js": ""},
			"package.json", `packageManager is "pnpm"`, "pnpm@9.12.0",
		},
		"pnpm 9 and the lock file of pnpm 8": {
			express.with(files{
				"package.json":   strings.Replace(expressJSON, "{", `{"packageManager":"pnpm@9.12.0",`, 1),
				"pnpm-lock.yaml": "lockfileVersion: '6.0'\n",
			}), "package.json", "names pnpm 9.12.0, and another version wrote pnpm-lock.yaml", "correct packageManager",
		},
		"yarn 1 and the lock file of berry": {
			express.with(files{
				"package.json": strings.Replace(expressJSON, "{", `{"packageManager":"yarn@1.22.22",`, 1),
				"yarn.lock":    yarnBerryLock,
			}), "package.json", "names yarn 1.22.22, and another version wrote yarn.lock", "correct packageManager",
		},
		"a manager that is unknown": {
			files{"package.json": `{"main":"a.js","packageManager":"cnpm@9.12.0"}`, "a.js": ""},
			"package.json", `"cnpm" is not known`, "npm, pnpm, yarn and bun",
		},
		"npm: a dependency that is not locked": {
			express.with(files{"package-lock.json": `{"lockfileVersion":3,"packages":{"":{}}}`}),
			"package-lock.json", "express is missing", "npm install",
		},
		"npm: another range": {
			express.with(files{"package-lock.json": strings.NewReplacer(
				"^4.18.0", "^3.0.0", "4.19.2", "3.1.0").Replace(expressLock)}),
			"package-lock.json", "express is ^3.0.0 and not ^4.18.0", "npm install",
		},
		"npm: version 1": {
			express.with(files{"package-lock.json": `{"lockfileVersion":1,` +
				`"dependencies":{"koa":{"version":"2.0.0"}}}`}),
			"package-lock.json", "express is missing", "npm install",
		},
		"npm: unreadable": {
			express.with(files{"package-lock.json": "{\n<<<<<<< HEAD\n"}), "package-lock.json", "line 2", "npm install",
		},
		"pnpm: another specifier": {
			files{"package.json": builtJSON, "pnpm-lock.yaml": strings.Replace(pnpmBuiltLock, "^5.0.0", "^4.0.0", 1)},
			"pnpm-lock.yaml", "typescript is ^4.0.0 and not ^5.0.0", "pnpm install",
		},
		"pnpm 8: a dependency that is not locked": {
			express.with(files{"pnpm-lock.yaml": "lockfileVersion: '6.0'\n\ndependencies:\n  koa:\n    " +
				"specifier: ^2.0.0\n    version: 2.0.0\n"}),
			"pnpm-lock.yaml", "express is missing", "pnpm install",
		},
		"yarn classic: another range": {
			express.with(files{"yarn.lock": strings.Replace(yarnClassicLock, "^4.18.0", "^3.0.0", 1)}),
			"yarn.lock", "express is missing", "yarn install",
		},
		"yarn berry: a dependency that is not locked": {
			express.with(files{"yarn.lock": strings.Replace(yarnBerryLock, "express", "koa", 1)}),
			"yarn.lock", "express is missing", "yarn install",
		},
		"bun: another range": {
			files{"package.json": builtJSON, "bun.lock": strings.Replace(bunLock, "^4.18.0", "^3.0.0", 1)},
			"bun.lock", "express is ^3.0.0", "bun install",
		},
		"a Procfile with a script that does not exist": {
			express.with(files{"Procfile": "web: npm run serve\n"}), "Procfile", "runs the script serve", "correct",
		},
		"a start script with a script that does not exist": {
			files{"package.json": `{"scripts":{"start":"npm run build && npm run server","build":"tsc"}}`},
			"package.json", "runs the script server", "correct",
		},
		"a start script with a file that does not exist": {
			files{"package.json": `{"scripts":{"start":"node serve.js"}}`, "server.js": ""},
			"package.json", "serve.js, which does not exist", "scripts.start",
		},
		"a Procfile with a line that is no process": {
			express.with(files{"Procfile": "web npm start\n"}), "Procfile", "line 1 is no process", "web: npm start",
		},
		"a Procfile with web twice": {
			express.with(files{"Procfile": "web: node server.js\nweb: node a.js\n"}), "Procfile",
			"two processes web", "remove",
		},
		"a Procfile with a process env": {
			express.with(files{"Procfile": "web: node server.js\nenv: node a.js\n"}), "Procfile",
			"fetches the application's environment", "another name",
		},
		"nodemon without npm": {
			files{"package.json": `{"packageManager":"pnpm@9.12.0","scripts":{"start":"nodemon a.js"}}`},
			"package.json", "nodemon, which is no dependency", "pnpm add nodemon",
		},
		"a start command with another manager": {
			express.with(files{"package-lock.json": expressLock, "Procfile": "web: pnpm start\n"}),
			"package.json", "runs pnpm, but the package manager is npm", "packageManager",
		},
		"two languages": {
			files{"package.json": `{"main":"a.js"}`, "a.js": "", "requirements.txt": "flask\n",
				"app.py": "app = Flask(__name__)\n"},
			"package.json", "there is also requirements.txt", "Procfile",
		},
		"poetry": {
			files{"pyproject.toml": "[tool.poetry]\nname = \"a\"\n", "poetry.lock": ""},
			"poetry.lock", "is of Poetry", "poetry export",
		},
		"pipenv":          {files{"Pipfile": ""}, "Pipfile", "is of Pipenv", "pipenv requirements"},
		"unreadable TOML": {files{"pyproject.toml": "[project\n"}, "pyproject.toml", "cannot be read", "correct"},
		"a Python version that is none": {
			files{"requirements.txt": "", ".python-version": "three"}, ".python-version", `"three"`, "3.12",
		},
		"requirements that include no file": {
			files{"requirements.txt": "-r base.txt\n", "main.py": ""}, "requirements.txt", "base.txt", "correct",
		},
		"several commands": {
			files{"go.mod": "module a\n\ngo 1.25\n", "cmd/api/main.go": "package main\n",
				"cmd/job/main.go": "package main\n"},
			"go.mod", "cannot tell which program serves: cmd/api, cmd/job", "source.dir",
		},
		"Go without go.sum": {
			files{"go.mod": "module a\n\ngo 1.25\n\nrequire example.com/b v1.0.0\n", "main.go": "package main\n"},
			"go.mod", "no go.sum", "go mod tidy",
		},
		"Go with another go.sum": {
			files{
				"go.mod": "module a\n\ngo 1.25\n\nrequire example.com/b v1.0.0\n", "main.go": "package main\n",
				"go.sum": "example.com/b v0.9.0/go.mod h1:x\n",
			},
			"go.sum", "no checksum of example.com/b v1.0.0", "go mod tidy",
		},
		"unreadable go.mod": {
			files{"go.mod": "modul a\n", "main.go": "package main\n"}, "go.mod", "cannot be read", "correct",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := refused(t, test.source, ".")
			if d.Where != test.where || !strings.Contains(d.Summary, test.says) || !strings.Contains(d.Hint, test.try) {
				t.Errorf("%s\nhint: %s", d, d.Hint)
			}
		})
	}
	_, err := project.DetectStart(express.fs(), ".", "npm run serve")
	if list := diag.From(err); len(list) != 1 || list[0].Where != "aloft.yaml" {
		t.Errorf("a start command of aloft.yaml: got %v", err)
	}
	for _, dir := range []string{"gone", "../up", "/abs"} {
		refused(t, files{"package.json": "{}"}, dir)
	}
}

func TestWhatTheManagerAcceptsIsAccepted(t *testing.T) {
	for name, source := range map[string]files{
		"npm: another range that contains the locked version": {
			"package.json":      strings.Replace(expressJSON, "^4.18.0", "~4.19.0", 1),
			"package-lock.json": expressLock, "server.js": "",
		},
		"npm: version 1": {
			"package.json": expressJSON, "server.js": "",
			"package-lock.json": `{"lockfileVersion":1,"dependencies":{"express":{"version":"4.19.2"}}}`,
		},
		"npm start without a script runs server.js": {
			"package.json": "{}", "server.js": "", "Procfile": "web: npm start\n",
		},
		"a file that the build writes": {
			"package.json": `{"scripts":{"build":"tsc","start":"node dist/a.js"}}`,
		},
		"a program and no script": {
			"package.json": `{"dependencies":{"next":"^14.0.0"}}`, "Procfile": "web: yarn next start\n",
			"yarn.lock": "next@^14.0.0:\n  version \"14.0.0\"\n",
		},
		"yarn: a repository and a member": {
			"package.json": `{"main":"a.js","packageManager":"yarn@4.5.1","dependencies":{"b":"workspace:*"}}`,
			"a.js":         "",
			"yarn.lock":    yarnBerryLock,
		},
		"yarn: a root that depends on a member": {
			"package.json": `{"main":"a.js","workspaces":["b"],"dependencies":{"b":"1.0.0"}}`, "a.js": "",
			"b/package.json": `{"name":"b","version":"1.0.0"}`, "yarn.lock": "# yarn lockfile v1\n",
		},
		"pnpm: an override and a catalog": {
			"package.json": `{"main":"a.js","dependencies":{"b":"^1.0.0","c":"catalog:"}}`, "a.js": "",
			"pnpm-lock.yaml": "lockfileVersion: '9.0'\n\noverrides:\n  b: 1.2.0\n\nimporters:\n\n  .:\n    " +
				"dependencies:\n      b:\n        specifier: 1.2.0\n        version: 1.2.0\n      c:\n        " +
				"specifier: ^2.0.0\n        version: 2.0.0\n",
		},
		"npm: a repository": {
			"package.json": `{"main":"a.js","dependencies":{"b":"owner/b"}}`, "a.js": "",
			"package-lock.json": `{"packages":{"":{"dependencies":{"b":"github:owner/b"}}}}`,
		},
		"engines as an array": {"package.json": `{"main":"a.js","engines":["node >= 0.8"]}`, "a.js": ""},
		"a byte order mark":   {"package.json": "\ufeff" + `{"main":"a.js"}`, "a.js": ""},
	} {
		t.Run(name, func(t *testing.T) {
			if p := detect(t, source, "."); p.Start == "" {
				t.Errorf("no start: %v", p.NoStart)
			}
		})
	}
}
