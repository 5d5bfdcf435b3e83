package project_test

import (
	"testing"
	"testing/fstest"

	"aloft.dev/aloft/internal/project"
)

// What a folder contains decides what Detect returns, but nothing in it ends the program.
func FuzzDetect(f *testing.F) {
	files := []string{
		"package.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", ".yarnrc.yml", ".nvmrc",
		"pyproject.toml", "requirements.txt", "uv.lock", "go.mod", "Procfile", "Dockerfile", "pnpm-workspace.yaml",
	}
	f.Add(0, []byte(`{"name":"a","scripts":{"start":"node a.js"},"engines":{"node":">=20 <23 || ^18"},`+
		`"workspaces":["b/*"]}`),
		1, []byte(`{"lockfileVersion":3,"packages":{"":{"dependencies":{"a":"1"}}}}`))
	f.Add(7, []byte("[project]\nname = 'a'\nrequires-python = '>=3.11'\n[tool.uv]\n"), 9, []byte("version = 1\n"))
	f.Add(10, []byte("module a\n\ngo 1.24\n"), 11, []byte("web: ./a\nworker: ./b\n"))
	f.Add(0, []byte(`{"packageManager":"pnpm@9"}`), 2, []byte("lockfileVersion: '9.0'\nimporters:\n  .:\n"))
	f.Add(12, []byte("FROM node:20 AS a\nEXPOSE 80/tcp\nCMD [\"node\", \"a.js\"]\n"), 13, []byte("packages: [a]\n"))
	f.Fuzz(func(_ *testing.T, first int, text []byte, second int, more []byte) {
		name := func(n int) string { return files[uint(n)%uint(len(files))] }
		folder := fstest.MapFS{
			name(first):  {Data: text},
			name(second): {Data: more},
			"server.js":  {Data: []byte("listen")},
		}
		_, _ = project.Detect(folder, ".")
	})
}
