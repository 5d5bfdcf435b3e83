package project

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// packageJSON has the keys that Aloft reads of package.json (npm documentation, "package.json").
type packageJSON struct {
	Name            string            `json:"name"`
	Main            string            `json:"main"`
	Type            string            `json:"type"`
	Scripts         map[string]string `json:"scripts"`
	Dependencies    map[string]string `json:"dependencies"`
	DevDependencies map[string]string `json:"devDependencies"`
	Optional        map[string]string `json:"optionalDependencies"`
	Engines         engines           `json:"engines"`
	PackageManager  string            `json:"packageManager"`
	DevEngines      struct {
		PackageManager json.RawMessage `json:"packageManager"`
	} `json:"devEngines"`
	Volta struct {
		Node string `json:"node"`
	} `json:"volta"`
	Workspaces  workspaces        `json:"workspaces"`
	Resolutions map[string]string `json:"resolutions"`
	PNPM        struct {
		OnlyBuilt json.RawMessage `json:"onlyBuiltDependencies"`
	} `json:"pnpm"`
}

// engines are versions by program. npm ignores the array that it once was.
type engines map[string]string

// UnmarshalJSON reads an object and ignores an array.
func (e *engines) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("[")) {
		return nil
	}
	return json.Unmarshal(data, (*map[string]string)(e))
}

// workspaces are patterns of folders: an array, or an object with packages (Yarn
// classic).
type workspaces []string

// UnmarshalJSON reads either form.
func (w *workspaces) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("{")) {
		var object struct {
			Packages []string `json:"packages"`
		}
		err := json.Unmarshal(data, &object)
		*w = object.Packages
		return err
	}
	return json.Unmarshal(data, (*[]string)(w))
}

// readPackageJSON returns the folder's package.json. It returns nil and reports a
// problem if there is none that can be read.
func (f *folder) readPackageJSON() *packageJSON {
	text, found := f.read("package.json")
	if !found {
		f.problem("package.json", "npm init -y creates one", "does not exist")
		return nil
	}
	var pkg packageJSON
	if err := json.Unmarshal([]byte(text), &pkg); err != nil {
		f.problem("package.json", "correct it; node -p \"require('./package.json')\" shows the place",
			"cannot be read: %s", describeJSON(text, err))
		return nil
	}
	return &pkg
}

// describeJSON describes a mistake in a JSON file with its line.
func describeJSON(text string, err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	offset := int64(-1)
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
		if kind.Field != "" {
			err = errors.New(kind.Field + " is a " + kind.Value)
		}
	}
	if offset < 0 || offset > int64(len(text)) {
		return err.Error()
	}
	return "line " + strconv.Itoa(1+strings.Count(text[:offset], "\n")) + ": " + err.Error()
}

// requires reports whether a package is among the dependencies at run time.
func (p *packageJSON) requires(name string) bool {
	return p.Dependencies[name] != "" || p.Optional[name] != ""
}

// all returns all dependencies. As npm, it prefers optionalDependencies.
func (p *packageJSON) all() map[string]string {
	all := map[string]string{}
	maps.Copy(all, p.DevDependencies)
	maps.Copy(all, p.Dependencies)
	maps.Copy(all, p.Optional)
	return all
}

// installs names a script that installing runs, or "" (npm documentation, "Life cycle
// operation order": npm ci).
func (p *packageJSON) installs() string {
	for _, name := range []string{"preinstall", "install", "postinstall", "prepare"} {
		if p.Scripts[name] != "" {
			return name
		}
	}
	return ""
}

// scriptNames lists the scripts for a message.
func (p *packageJSON) scriptNames() string {
	if len(p.Scripts) == 0 {
		return "it has no scripts"
	}
	return "it has " + strings.Join(slices.Sorted(maps.Keys(p.Scripts)), ", ")
}
