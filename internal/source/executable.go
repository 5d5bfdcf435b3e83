//go:build !windows

package source

import (
	"io/fs"
	"os"
)

// isExecutable reports whether a file is a program.
func isExecutable(_ *os.File, info fs.FileInfo) (bool, error) { return info.Mode()&0o100 != 0, nil }
