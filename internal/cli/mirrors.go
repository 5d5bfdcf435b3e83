package cli

import (
	"cmp"
	"path/filepath"
	"strings"

	"aloft.dev/aloft/internal/spec"
)

// mirrors returns the places that toolchains and packages come from: those of the spec,
// else of the variables and files that the languages' own tools read.
func mirrors(given spec.Mirrors, getenv func(string) string, readFile func(string) ([]byte, error)) spec.Mirrors {
	return spec.Mirrors{
		Node: cmp.Or(given.Node, getenv("NODEJS_ORG_MIRROR"), getenv("NVM_NODEJS_ORG_MIRROR")),
		NPM: cmp.Or(given.NPM, getenv("npm_config_registry"), getenv("NPM_CONFIG_REGISTRY"),
			npmRegistry(getenv("HOME"), readFile)),
		Python: cmp.Or(given.Python, getenv("PIP_INDEX_URL"), getenv("UV_DEFAULT_INDEX")),
		Go:     cmp.Or(given.Go, firstProxy(getenv("GOPROXY"))),
	}
}

// npmRegistry returns the registry in the user's npmrc (npm documentation, "npmrc"), or "".
func npmRegistry(home string, readFile func(string) ([]byte, error)) string {
	text, err := readFile(filepath.Join(home, ".npmrc"))
	if home == "" || err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		name, value, ok := strings.Cut(line, "=")
		if ok && strings.TrimSpace(name) == "registry" {
			return strings.Trim(strings.TrimSpace(value), `"'`)
		}
	}
	return ""
}

// firstProxy returns the first URL in a list of Go module proxies (Go Modules Reference,
// "GOPROXY protocol"), or "".
func firstProxy(list string) string {
	for entry := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == '|' }) {
		if strings.HasPrefix(entry, "http") {
			return entry
		}
	}
	return ""
}
