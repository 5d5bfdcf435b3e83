package spec

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"aloft.dev/aloft/internal/diag"
)

// derive makes the spec of a folder that has no aloft.yaml.
func derive(dir string) (*Spec, error) {
	if _, err := os.Stat(filepath.Join(dir, "package.json")); err != nil {
		return nil, diag.List{{Where: dir, Summary: "holds neither aloft.yaml nor package.json",
			Hint: "run aloft in the folder of a Node application, or write an aloft.yaml (aloft init shows how)"}}
	}
	return Parse(nil, FileName, dir)
}

// startCommand finds how a Node application is started: its start script, its
// main file, or a file with a customary name. It returns "" when there is none.
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
