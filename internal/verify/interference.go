package verify

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"sync"

	"aloft.dev/aloft/internal/connerror"
)

// nowhere is an address that no host has (RFC 5737, TEST-NET-3). Whoever answers for it
// is on the way: a firewall that refuses, or a proxy that accepts for every address.
var nowhere = netip.AddrFrom4([4]byte{203, 0, 113, 1})

// interference finds out, once per port, whether something between here and the servers
// answers in their place.
type interference struct {
	verifier Verifier

	mu    sync.Mutex
	ports map[int]*portAnswer
}

type portAnswer struct {
	once     sync.Once
	answered bool
}

// on reports whether a connection to a port is answered although it leads nowhere.
func (i *interference) on(ctx context.Context, port int) bool {
	i.mu.Lock()
	if i.ports == nil {
		i.ports = map[int]*portAnswer{}
	}
	answer := i.ports[port]
	if answer == nil {
		answer = &portAnswer{}
		i.ports[port] = answer
	}
	i.mu.Unlock()
	answer.once.Do(func() {
		within, cancel := context.WithTimeout(ctx, silenceTimeout)
		defer cancel()
		conn, err := i.verifier.Dial(within, "tcp", net.JoinHostPort(nowhere.String(), strconv.Itoa(port)))
		if err == nil {
			_ = conn.Close()
		}
		answer.answered = err == nil || connerror.Refused(err)
	})
	return answer.answered
}

// isRejection reports whether a firewall on the way, or on this computer, rejected a
// connection. Security groups never do: they drop packets (Amazon VPC User Guide,
// "Security groups").
func isRejection(err error) bool {
	return connerror.Rejected(err)
}
