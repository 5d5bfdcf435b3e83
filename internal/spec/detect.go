package spec

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"aloft.dev/aloft/internal/diag"
)

// derive returns the spec of a Node.js application without aloft.yaml.
func derive(dir string) (*Spec, error) {
	if _, err := os.Stat(filepath.Join(dir, "package.json")); err != nil {
		return nil, diag.List{{
			Where: dir, Summary: "holds neither aloft.yaml nor package.json",
			Hint: "run aloft in the folder of a Node.js application, or write an aloft.yaml (see docs/aloft-yaml.md)",
		}}
	}
	return Parse(nil, FileName, dir)
}

// detectStart sets the start command from the application's files.
func (s *Spec) detectStart(d *decoder) {
	var err error
	if s.Start, err = startCommand(s.Source.Path); err != nil {
		d.rejected["start"] = true
		d.problems.Add(filepath.Join(s.Source.Path, "package.json"), "correct it, or set start: in aloft.yaml",
			"the start command cannot be read: %v", err)
	}
}

// startCommand returns the command that starts the Node.js application in a
// folder: its start script, its main file, or a file with a usual name. It returns
// "" if there is none.
func startCommand(dir string) (string, error) {
	var pkg struct {
		Main    string            `json:"main"`
		Scripts map[string]string `json:"scripts"`
	}
	if data, err := os.ReadFile(filepath.Join(dir, "package.json")); err == nil {
		if err := json.Unmarshal(data, &pkg); err != nil {
			return "", fmt.Errorf("read package.json: %w", err)
		}
	}
	if pkg.Scripts["start"] != "" {
		return "npm start", nil
	}
	for _, file := range []string{pkg.Main, "server.js", "app.js", "index.js"} {
		if file == "" {
			continue
		}
		if info, err := os.Stat(filepath.Join(dir, file)); err == nil && info.Mode().IsRegular() {
			return fmt.Sprintf("nodemon %s", file), nil
		}
	}
	return "", nil
}
