package project_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/project"
)

// shop is a workspace whose application apps/api needs packages/db, and that needs
// packages/log.
var shop = files{
	"package.json": `{"name":"shop","private":true,"engines":{"node":"22"},` +
		`"workspaces":["packages/*","apps/*","!apps/old"]}`,
	"apps/api/package.json": `{"name":"@shop/api","scripts":{"build":"tsc","start":"node dist/a.js"},` +
		`"dependencies":{"@shop/db":"*"}}`,
	"apps/web/package.json":     `{"name":"@shop/web","scripts":{"build":"vite build"}}`,
	"apps/old/package.json":     `{"name":"@shop/old","main":"a.js"}`,
	"apps/old/a.js":             "",
	"packages/db/package.json":  `{"name":"@shop/db","scripts":{"build":"tsc"},"dependencies":{"@shop/log":"*"}}`,
	"packages/log/package.json": `{"name":"@shop/log","scripts":{"build":"tsc"}}`,
}

func TestMemberOfAWorkspaceIsBuiltFromItsRoot(t *testing.T) {
	for name, test := range map[string]struct {
		more                  files
		install, build, prune []string
		start                 string
	}{
		"npm": {
			files{"package-lock.json": `{"lockfileVersion":3,"packages":{"":{},` +
				`"apps/api":{"dependencies":{"@shop/db":"*"}}}}`},
			[]string{"npm ci --include=dev"},
			[]string{
				"npm run build --workspace=packages/log", "npm run build --workspace=packages/db",
				"npm run build --workspace=apps/api",
			},
			[]string{"npm prune --omit=dev"}, "npm start",
		},
		"pnpm": {
			files{
				"pnpm-workspace.yaml": "packages:\n  - 'packages/*'\n  - 'apps/**'\n",
				"pnpm-lock.yaml": "lockfileVersion: '9.0'\nimporters:\n  apps/api:\n    dependencies:\n      " +
					"'@shop/db':\n" +
					"        specifier: '*'\n        version: link:../../packages/db\n",
			},
			[]string{"pnpm install --frozen-lockfile --prod=false"},
			[]string{"pnpm --filter @shop/api... run build"},
			[]string{"CI=true pnpm install --frozen-lockfile --prod"}, "pnpm start",
		},
		"yarn classic": {
			files{"yarn.lock": "# yarn lockfile v1\n"},
			[]string{"yarn install --frozen-lockfile --production=false"},
			[]string{
				"yarn workspace @shop/log run build", "yarn workspace @shop/db run build",
				"yarn workspace @shop/api run build",
			},
			[]string{"yarn install --frozen-lockfile --production --ignore-scripts --prefer-offline"}, "yarn start",
		},
		"yarn berry": {
			files{
				"yarn.lock":   "__metadata:\n  version: 8\n\n\"@shop/db@npm:*\":\n  version: 0.0.0-use.local\n",
				".yarnrc.yml": "nodeLinker: node-modules\n",
			},
			[]string{"yarn install --immutable"},
			[]string{
				"yarn workspace @shop/log run build", "yarn workspace @shop/db run build",
				"yarn workspace @shop/api run build",
			},
			[]string{"yarn workspaces focus @shop/api --production"}, "yarn start",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := detect(t, shop.with(test.more), "apps/api")
			if p.Workspace != "." || p.Start != test.start || p.Version != "22" ||
				p.VersionFrom != "package.json engines.node" {
				t.Errorf("got the workspace %q, start %q, version %q from %q", p.Workspace, p.Start, p.Version,
					p.VersionFrom)
			}
			for _, diff := range []string{
				cmp.Diff(test.install, p.Install), cmp.Diff(test.build, p.Build), cmp.Diff(test.prune, p.Prune),
				cmp.Diff([]string{"node_modules/.bin", "../../node_modules/.bin"}, p.Path),
			} {
				if diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestFolderThatNoPatternMatchesStandsAlone(t *testing.T) {
	lock := files{"package-lock.json": `{"packages":{"":{}}}`}
	if p := detect(t, shop.with(lock), "apps/old"); p.Workspace != "" || p.LockFile != "" || len(p.Install) > 0 {
		t.Errorf("got %+v", p)
	}
	own := files{"apps/api/package-lock.json": `{"packages":{"":{"dependencies":{"@shop/db":"*"}}}}`}
	if p := detect(t, shop.with(own), "apps/api"); p.Workspace != "" || p.LockFile != "apps/api/package-lock.json" {
		t.Errorf("with a lock file of its own: got %q %q", p.Workspace, p.LockFile)
	}
}

func TestWorkspaceBelowTheRoot(t *testing.T) {
	nested := files{"backend/package-lock.json": `{"packages":{"":{},"apps/api":{"dependencies":{"@shop/db":"*"}}}}`}
	for name, text := range shop {
		nested["backend/"+name] = text
	}
	p := detect(t, nested, "backend/apps/api")
	if p.Workspace != "backend" || p.LockFile != "backend/package-lock.json" || len(p.Build) != 3 ||
		p.VersionFrom != "backend/package.json engines.node" {
		t.Errorf("got %+v", p)
	}
}

func TestRootOfAWorkspaceThatServes(t *testing.T) {
	p := detect(t, files{
		"package.json": `{"name":"a","packageManager":"pnpm@9.12.0","scripts":{"start":"node a.js"},` +
			`"dependencies":{"b":"workspace:*"}}`,
		"a.js":                "",
		"pnpm-workspace.yaml": "packages:\n  - packages/*\n",
		"pnpm-lock.yaml": "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      b:\n" +
			"        specifier: workspace:*\n        version: link:packages/b\n\n  packages/b: {}\n",
		"packages/b/package.json": `{"name":"b"}`,
	}, "")
	if p.Manager != project.PNPM || p.ManagerVersion != "9.12.0" || p.Start != "pnpm start" || p.Workspace != "" ||
		!slices.Equal(p.Install, []string{"pnpm install --frozen-lockfile --prod"}) {
		t.Errorf("got %+v", p)
	}
}
