//go:build linux

package machine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Files of a machine below Config.Dir. They survive a restart of the host.
func (p *Plane) dir(id string) string         { return filepath.Join(p.config.Dir, id) }
func (p *Plane) recordFile(id string) string  { return filepath.Join(p.dir(id), "machine.json") }
func (p *Plane) disk(id string) string        { return filepath.Join(p.dir(id), "disk.ext4") }
func (p *Plane) nextDisk(id string) string    { return filepath.Join(p.dir(id), "next.ext4") }
func (p *Plane) diskFolder(id string) string  { return filepath.Join(p.dir(id), "disk") }
func (p *Plane) consoleLog(id string) string  { return filepath.Join(p.dir(id), "console.log") }
func (p *Plane) launcherLog(id string) string { return filepath.Join(p.dir(id), "launcher.log") }

// Files of a machine below Config.RunDir. They do not survive a restart of the host.
func (p *Plane) runDir(id string) string    { return filepath.Join(p.config.RunDir, id) }
func (p *Plane) root(id string) string      { return filepath.Join(p.runDir(id), "root") }
func (p *Plane) namespace(id string) string { return filepath.Join(p.runDir(id), "net") }
func (p *Plane) capturing(id string) string { return filepath.Join(p.runDir(id), "capturing") }
func (p *Plane) socket(id string) string    { return filepath.Join(p.runDir(id), "control") }

func (p *Plane) cgroup(id string) cgroup {
	return cgroup{hierarchies: p.hierarchies, name: filepath.Join(p.config.CgroupName, id)}
}

// exists reports whether a file exists at path. It does not follow symbolic links.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
