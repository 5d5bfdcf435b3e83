package archtest

import (
	"slices"
	"testing"
)

// runsTheLocalCloud reports whether all of a package is of the local cloud on real
// machines, or tests and measures it there.
func runsTheLocalCloud(path string) bool {
	return path == module+"/internal/cloud" || slices.ContainsFunc([]string{
		"internal/cloud/host", "internal/cloud/control", "internal/cloud/plane", "cmd/base-image", "bench", "test",
	}, func(folder string) bool { return within(path, module+"/"+folder) })
}

// namesFlags is the package of the local cloud that the command line imports on every
// system: its names are values of flags.
const namesFlags = module + "/internal/cloud/manners"

func TestLocalCloudIsBuiltForLinuxAlone(t *testing.T) {
	for _, goos := range []string{"darwin", "windows"} {
		all := packages(t, "GOOS="+goos)
		for _, p := range all {
			files := slices.Concat(p.GoFiles, p.TestGoFiles, p.XTestGoFiles)
			if runsTheLocalCloud(p.ImportPath) && len(files) > 0 {
				t.Errorf("%s: %s builds %v: begin them with //go:build linux", p.ImportPath, goos, files)
				continue
			}
			inCloud := within(p.ImportPath, module+"/internal/cloud")
			ofCloud := func(path string) bool {
				return within(path, module+"/internal/cloud") && path != namesFlags
			}
			for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
				if runsTheLocalCloud(imported) || !inCloud && ofCloud(imported) {
					t.Errorf("%s imports %s on %s, where the local cloud does not exist: "+
						"begin the file with //go:build linux", p.ImportPath, imported, goos)
				}
			}
		}
		if !slices.ContainsFunc(all, func(p pkg) bool { return p.ImportPath == module+"/cmd/aloft" }) {
			t.Errorf("%s builds no aloft", goos)
		}
	}
}
