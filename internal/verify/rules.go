package verify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	openPatience   = 3 * time.Second
	closedPatience = time.Second // a port that is silent for so long drops what comes
	portSSH        = 22
)

// otherPorts are some that no rule opens: web servers, and Node.js's debugger.
var otherPorts = []int{80, 443, 8080, 9229}

// door is a port of a server.
type door struct {
	server Server
	port   int
}

func (d door) String() string { return d.server.Name + ":" + strconv.Itoa(d.port) }

// doors are the ports of the servers that can be judged from here: those that
// the spec opens to us, and those that it does not. What cannot be judged is
// told.
func (f Facts) doors() (open, closed []door, unjudged []string) {
	appOpen, appKnown := f.allowed(f.Spec.Security.App.From)
	sshOpen, sshKnown := f.allowed(f.Spec.Security.SSH.From)
	judge := func(s Server, port int, isOpen bool) {
		if isOpen {
			open = append(open, door{s, port})
		} else {
			closed = append(closed, door{s, port})
		}
	}
	for _, s := range f.Servers {
		if !s.PublicIP.IsValid() {
			continue
		}
		if appKnown {
			judge(s, f.Spec.Port, appOpen)
		}
		if sshKnown && f.Spec.Port != portSSH {
			judge(s, portSSH, sshOpen)
		}
		for _, port := range otherPorts {
			if port != f.Spec.Port {
				judge(s, port, false)
			}
		}
	}
	if !appKnown {
		unjudged = append(unjudged, strconv.Itoa(f.Spec.Port))
	}
	if !sshKnown {
		unjudged = append(unjudged, strconv.Itoa(portSSH))
	}
	return open, closed, unjudged
}

// open checks that every port that the rules open to us takes a connection.
func (v Verifier) open(ctx context.Context, f Facts) finding {
	doors, _, _ := f.doors()
	if len(doors) == 0 {
		return finding{
			true,
			"the servers take connections from the load balancer alone, as far as can be seen from here",
		}
	}
	problems := v.knock(ctx, doors, openPatience, func(err error) string {
		if err == nil {
			return ""
		}
		return "does not answer: " + reason(err)
	})
	return judged(problems, "answers: "+list(doors))
}

// closed checks that every other port drops what comes. A refusal is not enough:
// it comes from the machine, so the packet reached it.
func (v Verifier) closed(ctx context.Context, f Facts) finding {
	_, doors, unjudged := f.doors()
	problems := v.knock(ctx, doors, closedPatience, func(err error) string {
		var timeout net.Error
		switch {
		case err == nil:
			return "is open"
		case errors.Is(err, syscall.ECONNREFUSED):
			return "refuses, so packets reach the machine"
		case ctx.Err() == nil && (errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()):
			return ""
		}
		return "cannot be judged: " + reason(err)
	})
	detail := "silent: " + list(doors)
	if len(doors) == 0 {
		detail = "no server has a public address"
	}
	if len(unjudged) > 0 {
		detail += fmt.Sprintf(
			" (port %s not judged: which address the servers see us come from is not known)",
			strings.Join(unjudged, " and "),
		)
	}
	return judged(problems, detail)
}

func judged(problems []string, detail string) finding {
	if len(problems) > 0 {
		return finding{false, strings.Join(problems, "; ")}
	}
	return finding{true, detail}
}

// knock connects to all doors at once, at the servers' public addresses and
// nowhere else, and gives what judge finds wrong.
func (v Verifier) knock(ctx context.Context, doors []door, patience time.Duration, judge func(error) string) []string {
	found := make([]string, len(doors))
	var all sync.WaitGroup
	for i, d := range doors {
		all.Go(func() {
			within, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			conn, err := v.Dial(within, "tcp", netip.AddrPortFrom(d.server.PublicIP, uint16(d.port)).String())
			if err == nil {
				_ = conn.Close()
			}
			if problem := judge(err); problem != "" {
				found[i] = d.String() + " " + problem
			}
		})
	}
	all.Wait()
	return slices.DeleteFunc(found, func(problem string) bool { return problem == "" })
}

// list names doors, those of a server together: "server-1 22 80, server-2 22 80".
func list(doors []door) string {
	var out strings.Builder
	for i, d := range doors {
		if i == 0 || doors[i-1].server.Name != d.server.Name {
			if i > 0 {
				out.WriteString(", ")
			}
			out.WriteString(d.server.Name)
		}
		out.WriteString(" " + strconv.Itoa(d.port))
	}
	return out.String()
}
