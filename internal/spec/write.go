package spec

import (
	"bytes"
	_ "embed"
	"fmt"
	"path/filepath"
	"strings"
	"text/template"
)

//go:embed aloft.yaml.tmpl
var fileTemplate string

// Write returns the text of an aloft.yaml that describes s, with comments, for a
// person to change.
func Write(s *Spec) ([]byte, error) {
	t, err := template.New(FileName).Funcs(template.FuncMap{
		"relative": func(path string) string {
			if rel, err := filepath.Rel(s.Dir, path); err == nil {
				return filepath.ToSlash(rel)
			}
			return path
		},
		"quote": func(text string) string {
			if strings.ContainsAny(text, ":#{}[]&*!|>'\"%@`") || text != strings.TrimSpace(text) {
				return fmt.Sprintf("%q", text)
			}
			return text
		},
	}).Parse(fileTemplate)
	if err != nil {
		return nil, fmt.Errorf("read the template of %s: %w", FileName, err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, s); err != nil {
		return nil, fmt.Errorf("write %s: %w", FileName, err)
	}
	return out.Bytes(), nil
}
