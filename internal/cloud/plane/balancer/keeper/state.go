//go:build linux

package keeper

import (
	"net/netip"
	"os"
)

// State is everything that a keeper keeps. Its process passes it on when it continues as
// another program.
type State struct {
	Listening []Listening    `json:"listening"`
	Memories  map[string]int `json:"memories"` // descriptors
}

// Listening is a listening socket.
type Listening struct {
	Namespace string         `json:"namespace"` // its ID
	At        netip.AddrPort `json:"at"`
	FD        int            `json:"fd"`
}

// State returns what is kept. The descriptors stay the keeper's.
func (k *Keeper) State() State {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state()
}

// state returns what is kept. The caller holds the lock.
func (k *Keeper) state() State {
	s := State{Memories: map[string]int{}}
	for at, f := range k.listening {
		s.Listening = append(s.Listening, Listening{at.namespace, at.at, int(f.Fd())})
	}
	for name, f := range k.memories {
		s.Memories[name] = int(f.Fd())
	}
	return s
}

// Restore keeps the state, whose descriptors it owns from then on. Call it first.
func (k *Keeper) Restore(s State) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.listening, k.memories = map[place]*os.File{}, map[string]*os.File{}
	for _, l := range s.Listening {
		k.listening[place{l.Namespace, l.At}] = os.NewFile(uintptr(l.FD), l.At.String())
	}
	for name, fd := range s.Memories {
		k.memories[name] = os.NewFile(uintptr(fd), name)
	}
}

// FDs returns all descriptors of the state.
func (s State) FDs() []int {
	var out []int
	for _, l := range s.Listening {
		out = append(out, l.FD)
	}
	for _, fd := range s.Memories {
		out = append(out, fd)
	}
	return out
}
