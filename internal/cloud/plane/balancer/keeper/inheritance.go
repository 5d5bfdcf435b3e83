//go:build linux

package keeper

import (
	"errors"
	"fmt"
	"net"
)

// bequest is one message of an inheritance: a listening socket or a memory, with its
// descriptor, or the end.
type bequest struct {
	Listening *Listening `json:"listening,omitempty"`
	Memory    string     `json:"memory,omitempty"`
	End       bool       `json:"end,omitempty"`
}

// send sends the state, a message for each descriptor.
func (s State) send(to *net.UnixConn) error {
	for _, l := range s.Listening {
		if err := send(to, bequest{Listening: &l}, []int{l.FD}); err != nil {
			return fmt.Errorf("hand over a listening socket: %w", err)
		}
	}
	for name, fd := range s.Memories {
		if err := send(to, bequest{Memory: name}, []int{fd}); err != nil {
			return fmt.Errorf("hand over a memory: %w", err)
		}
	}
	return send(to, bequest{End: true}, nil)
}

// Inherit keeps what the keeper before this one had. Its balancer process, which is at the
// other end of the connection, hands it over (Remote.Bequeath). Call it first.
func (k *Keeper) Inherit(from *net.UnixConn) error {
	s := State{Memories: map[string]int{}}
	for {
		var b bequest
		fds, err := receive(from, &b)
		if err == nil && b.End {
			k.Restore(s)
			return nil
		}
		if err == nil && len(fds) != 1 {
			err = errors.New("a message without its descriptor")
		}
		switch {
		case err != nil:
			closeAll(append(fds, s.FDs()...))
			return fmt.Errorf("take over from the balancer's last keeper: %w", err)
		case b.Listening != nil:
			b.Listening.FD = fds[0]
			s.Listening = append(s.Listening, *b.Listening)
		default:
			s.Memories[b.Memory] = fds[0]
		}
	}
}
