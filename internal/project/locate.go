package project

import (
	"bytes"
	"os"
	"path/filepath"
)

// Locate returns the folder on this computer whose files the application in folder
// needs, and the application's folder in it, with slashes. They are the workspace that
// folder is a member of, or else folder itself and ".".
func Locate(folder string) (root, dir string) {
	for root = filepath.Dir(folder); ; root = filepath.Dir(root) {
		if definesWorkspace(root) {
			dir, err := filepath.Rel(root, folder)
			if err != nil {
				break
			}
			dir = filepath.ToSlash(dir)
			if p, err := Detect(os.DirFS(root), dir); err != nil || p.Workspace != "" {
				return root, dir
			}
		}
		// A workspace does not reach beyond its repository.
		if _, err := os.Stat(filepath.Join(root, ".git")); err == nil || root == filepath.Dir(root) {
			break
		}
	}
	return folder, "."
}

// definesWorkspace reports whether a folder has a file that names members of a workspace.
func definesWorkspace(folder string) bool {
	if _, err := os.Stat(filepath.Join(folder, "pnpm-workspace.yaml")); err == nil {
		return true
	}
	text, err := os.ReadFile(filepath.Join(folder, "package.json"))
	return err == nil && bytes.Contains(text, []byte(`"workspaces"`))
}
