package project

import (
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Limits of the search for health checks. An application that exceeds them has its
// routes in the files that are read first.
const (
	healthFiles = 2000
	healthSize  = 512 << 10
)

var (
	sourceFile  = regexp.MustCompile(`\.(js|cjs|mjs|jsx|ts|cts|mts|tsx|py|go)$`)
	testFile    = regexp.MustCompile(`(^|[./_-])(tests?|specs?|__tests__|mocks?|fixtures)([./_-]|$)`)
	healthNames = `healthz|health-?check|health|livez|liveness|readyz|readiness|alive|heartbeat|ping`
	// healthRoute is a whole string: "/api/health", "GET /healthz".
	healthRoute = regexp.MustCompile(
		"[\"'`](?:(?:GET|HEAD|ANY) )?(/(?:[A-Za-z0-9_-]+/){0,3}_?(?:" + healthNames + ")/?)[\"'`]")
	// healthDeclared are routes without the first slash: Django's path("health/", …) and
	// Nest's @Controller('health').
	healthDeclared = regexp.MustCompile(`(?:\bpath\(\s*|@Controller\(\s*)["'](_?(?:` + healthNames + `)/?)["']`)
)

// healthPaths returns the paths in the application's code that look like a health
// check. The likeliest one is first: a short one before a long one, health before ping.
func healthPaths(root fs.FS, dir string) []string {
	found := map[string]bool{}
	read := 0
	_ = fs.WalkDir(root, dir, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil || read >= healthFiles:
			return nil
		case entry.IsDir():
			if name != dir && isForeign(entry.Name()) {
				return fs.SkipDir
			}
			return nil
		case !sourceFile.MatchString(name) || testFile.MatchString(strings.TrimPrefix(name, dir)):
			return nil
		}
		if info, err := entry.Info(); err != nil || !info.Mode().IsRegular() || info.Size() > healthSize {
			return nil
		}
		read++
		if data, err := fs.ReadFile(root, name); err == nil {
			collectHealth(string(data), found)
		}
		return nil
	})
	rank := func(route string) int {
		last := strings.TrimPrefix(path.Base(route), "_")
		return slices.Index(strings.Split(strings.ReplaceAll(healthNames, "?", ""), "|"), last) + 100*strings.Count(
			strings.TrimSuffix(route, "/"), "/")
	}
	paths := slices.Sorted(maps.Keys(found))
	slices.SortStableFunc(paths, func(a, b string) int { return rank(a) - rank(b) })
	return paths
}

func collectHealth(source string, found map[string]bool) {
	for line := range strings.Lines(source) {
		if trimmed := strings.TrimSpace(line); strings.HasPrefix(trimmed, "//") || strings.HasPrefix(trimmed, "#") {
			continue
		}
		for _, m := range healthRoute.FindAllStringSubmatch(line, -1) {
			found[m[1]] = true
		}
		for _, m := range healthDeclared.FindAllStringSubmatch(line, -1) {
			found["/"+m[1]] = true
		}
	}
}

// isForeign reports whether a folder holds what is not the application's own code.
func isForeign(name string) bool {
	return strings.HasPrefix(name, ".") || slices.Contains([]string{
		"node_modules", "vendor", "venv", "dist", "build", "public", "static", "coverage", "__pycache__",
		"site-packages",
	}, name)
}
