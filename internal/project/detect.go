package project

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/diag"
)

// Detect returns what the files in the folder dir of root say. root is the folder or
// the repository that is deployed; dir is relative to it, and may be a member of a
// workspace whose root is above it. Errors are a diag.List: each names the file, the
// cause and the remedy. An application in a language that Aloft does not know is no
// error: its Language is Other, and NoStart says what to write.
func Detect(root fs.FS, dir string) (*Project, error) { return DetectStart(root, dir, "") }

// DetectStart is Detect for an application whose aloft.yaml has a start command, which
// precedes that of the files. An empty command is none.
func DetectStart(root fs.FS, dir, start string) (*Project, error) {
	dir = path.Clean(strings.ReplaceAll(dir, `\`, "/"))
	if !fs.ValidPath(dir) {
		return nil, diag.List{{
			Where: dir, Summary: "is no folder within the source", Hint: "source.dir is relative, without ..",
		}}
	}
	f := &folder{root: root, dir: dir, problems: &diag.List{}}
	if info, err := fs.Stat(root, dir); err != nil || !info.IsDir() {
		return nil, diag.List{{
			Where: dir, Summary: "is no folder of the source", Hint: "name a folder in source.dir", Cause: err,
		}}
	}
	p := &Project{}
	procfile := f.readProcfile()
	if start != "" {
		procfile.web, procfile.from = start, "aloft.yaml"
	}
	switch language, found := f.language(procfile); {
	case !found:
		f.detectOther(p)
	case language == Node:
		f.detectNode(p, procfile)
	case language == Python:
		f.detectPython(p, procfile)
	case language == Go:
		f.detectGo(p, procfile)
	}
	procfile.apply(p)
	if err := f.problems.Err(); err != nil {
		return nil, err
	}
	if p.Start != "" {
		p.NoStart = nil
	}
	p.HealthPaths = healthPaths(root, dir)
	return p, nil
}

// marks are files that say which language an application is written in.
var marks = []struct {
	language Language
	files    []string
}{
	{Node, []string{"package.json"}},
	{Python, []string{
		"pyproject.toml", "requirements.txt", "uv.lock", "Pipfile", "poetry.lock", "manage.py", "setup.py",
	}},
	{Go, []string{"go.mod"}},
}

// language returns the language that the folder's files name. Of several, it is the one
// whose files say how to start; the Procfile's first word decides before that.
func (f *folder) language(procfile procfile) (Language, bool) {
	var found []Language
	var names []string
	for _, mark := range marks {
		i := slices.IndexFunc(mark.files, f.has)
		if i >= 0 {
			found = append(found, mark.language)
			names = append(names, mark.files[i])
		}
	}
	if len(found) == 0 && f.goModule() != "" && len(f.goMains(f.dir)) > 0 {
		return Go, true // a folder within a module
	}
	if len(found) < 2 {
		return append(found, Other)[0], len(found) == 1
	}
	if language := procfile.language(); slices.Contains(found, language) {
		return language, true
	}
	starts := slices.DeleteFunc(slices.Clone(found), func(l Language) bool { return !f.starts(l) })
	if len(starts) == 1 {
		return starts[0], true
	}
	f.problem(names[0], "write a Procfile with the line web: COMMAND, or name another folder in source.dir",
		"cannot tell the application's language: there is also %s", strings.Join(names[1:], " and "))
	return Other, true
}

// starts reports whether the folder's files say how to start it in a language.
func (f *folder) starts(language Language) bool {
	quiet := &folder{root: f.root, dir: f.dir, problems: &diag.List{}}
	p := &Project{}
	switch language {
	case Node:
		pkg := quiet.readPackageJSON()
		if pkg == nil {
			return true
		}
		_, found := quiet.resolveMain(pkg)
		return pkg.Scripts["start"] != "" || found
	case Python:
		quiet.detectPython(p, procfile{})
	case Go:
		quiet.detectGo(p, procfile{})
	}
	return p.Start != "" || len(*quiet.problems) > 0
}

// folder is the application's folder in the root.
type folder struct {
	root     fs.FS
	dir      string
	problems *diag.List
}

// at returns another folder of the same root.
func (f *folder) at(dir string) *folder {
	return &folder{root: f.root, dir: dir, problems: f.problems}
}

// path returns the path of a file in the folder, relative to the root.
func (f *folder) path(name string) string { return path.Join(f.dir, name) }

// has reports whether the folder has a file.
func (f *folder) has(name string) bool {
	info, err := fs.Stat(f.root, f.path(name))
	return err == nil && info.Mode().IsRegular()
}

// hasFolder reports whether the folder has a folder.
func (f *folder) hasFolder(name string) bool {
	info, err := fs.Stat(f.root, f.path(name))
	return err == nil && info.IsDir()
}

// read returns a file's content, and whether the file exists. A byte order mark is
// left out.
func (f *folder) read(name string) (string, bool) {
	data, err := fs.ReadFile(f.root, f.path(name))
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) && !f.hasFolder(name) {
			f.problem(name, "make it readable", "cannot be read: %v", err)
		}
		return "", false
	}
	return strings.TrimPrefix(string(data), "\ufeff"), true
}

// problem reports a mistake in a file of the folder.
func (f *folder) problem(name, hint, format string, args ...any) {
	f.problems.Add(f.path(name), hint, format, args...)
}

// relative returns the path from the folder to another folder of the root.
func (f *folder) relative(to string) string {
	if f.dir == to {
		return "."
	}
	up := ""
	for from := f.dir; from != "."; from = path.Dir(from) {
		if from == to {
			break
		}
		if rest, ok := strings.CutPrefix(to, from+"/"); ok {
			return up + rest
		}
		up += "../"
	}
	if to == "." || f.dir == to || strings.HasPrefix(f.dir, to+"/") {
		return strings.TrimSuffix(up, "/")
	}
	return up + to
}
