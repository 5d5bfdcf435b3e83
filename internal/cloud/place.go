package cloud

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
)

// DefaultStateDir is where the local cloud keeps its state.
const DefaultStateDir = "/var/lib/aloft"

// DefaultAddress is where the local cloud serves the AWS APIs.
const DefaultAddress = "127.0.0.1:4566"

// Place is where one local cloud lives on the host. Two with different state
// folders share no name.
type Place struct {
	State string // folder of what outlives the host's next boot
	Run   string // folder of namespaces, mounts and sockets, gone with the host's next boot
	Name  string // prefix of its cgroup and network devices, at most 8 characters
}

// PlaceAt gives the place of the local cloud with its state in dir.
func PlaceAt(dir string) (Place, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Place{}, fmt.Errorf("find the state folder: %w", err)
	}
	if dir == DefaultStateDir {
		return Place{State: dir, Run: "/run/aloft", Name: "aloft"}, nil
	}
	sum := sha256.Sum256([]byte(dir))
	tag := hex.EncodeToString(sum[:])[:4]
	return Place{State: dir, Run: "/run/aloft-" + tag, Name: "alo" + tag}, nil
}

func (p Place) database() string    { return filepath.Join(p.State, "aloft.db") }
func (p Place) credentials() string { return filepath.Join(p.State, "credentials.json") }
func (p Place) images() string      { return filepath.Join(p.State, "images") }
func (p Place) machines() string    { return filepath.Join(p.State, "machines") }
func (p Place) logs() string        { return filepath.Join(p.State, "logs") }

// ownerFile is the file in a Run folder that names the State folder it belongs to.
const ownerFile = "state-dir"

func (p Place) daemon() string { return filepath.Join(p.Run, "daemon.json") }

// Log is the file that holds the daemon's log.
func (p Place) Log() string { return filepath.Join(p.State, "aloft.log") }
