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
	"time"

	"aloft.dev/aloft/internal/connerror"
)

const (
	openTimeout    = 3 * time.Second
	silenceTimeout = time.Second // a port that is silent for this long drops packets
	portSSH        = 22
)

// otherPorts are common ports that no rule opens: web servers and Node.js's debugger.
var otherPorts = []int{80, 443, 8080, 9229}

// serverPort is a port of a server.
type serverPort struct {
	server Server
	port   int
}

func (d serverPort) String() string { return d.server.Name + ":" + strconv.Itoa(d.port) }

// ports returns the ports of the servers that can be checked from here: those that the
// spec opens to this computer, and those that it does not. unjudged lists the ports
// that cannot be checked.
func (f Facts) ports() (open, closed []serverPort, unjudged []string) {
	appOpen, appKnown := f.admitted(f.Spec.Security.App.From)
	sshOpen, sshKnown := f.admitted(f.Spec.Security.SSH.From)
	judge := func(s Server, port int, isOpen bool) {
		if isOpen {
			open = append(open, serverPort{s, port})
		} else {
			closed = append(closed, serverPort{s, port})
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

// checkOpenPorts checks that every port that the rules open to this computer accepts a
// connection.
func (v Verifier) checkOpenPorts(ctx context.Context, f Facts) finding {
	ports, _, _ := f.ports()
	if len(ports) == 0 {
		return finding{
			true,
			"the servers take connections from the load balancer alone, as far as can be seen from here",
		}
	}
	var way interference
	way.verifier = v
	problems, unjudged := v.probePorts(ctx, ports, openTimeout, func(port int, err error) verdict {
		switch {
		case err == nil:
			return verdict{}
		case isRejection(err), connerror.Refused(err) && way.on(ctx, port):
			return verdict{unknown: true}
		}
		return verdict{problem: "does not answer: " + reason(err)}
	})
	return findingOf(problems, "answers: "+listPorts(without(ports, unjudged))+onTheWay(unjudged))
}

// checkClosedPorts checks that every other port drops packets. A refusal is not enough:
// it comes from the machine, so a packet reached it.
func (v Verifier) checkClosedPorts(ctx context.Context, f Facts) finding {
	_, ports, unknown := f.ports()
	var way interference
	way.verifier = v
	problems, unjudged := v.probePorts(ctx, ports, silenceTimeout, func(port int, err error) verdict {
		var timeout net.Error
		refused := connerror.Refused(err)
		switch {
		case isRejection(err), (err == nil || refused) && way.on(ctx, port):
			return verdict{unknown: true}
		case err == nil:
			return verdict{problem: "is open"}
		case refused:
			return verdict{problem: "refuses, so packets reach the machine"}
		case ctx.Err() == nil &&
			(errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()):
			return verdict{}
		}
		return verdict{problem: "cannot be judged: " + reason(err)}
	})
	detail := "silent: " + listPorts(without(ports, unjudged))
	if len(ports) == 0 {
		detail = "no server has a public address"
	}
	if len(unknown) > 0 {
		detail += fmt.Sprintf(
			" (port %s not judged: which address the servers see us come from is not known)",
			strings.Join(unknown, " and "),
		)
	}
	return findingOf(problems, detail+onTheWay(unjudged))
}

// onTheWay says which ports could not be judged, because a firewall or a proxy answers in
// the place of the servers.
func onTheWay(ports []serverPort) string {
	if len(ports) == 0 {
		return ""
	}
	return fmt.Sprintf(" (not judged: %s, for which a firewall or proxy between here and the servers answers)",
		listPorts(ports))
}

// without returns ports without those that could not be judged.
func without(ports, unjudged []serverPort) []serverPort {
	return slices.DeleteFunc(slices.Clone(ports), func(p serverPort) bool { return slices.Contains(unjudged, p) })
}

// findingOf returns a failed finding if there are problems.
func findingOf(problems []string, detail string) finding {
	if len(problems) > 0 {
		return finding{false, strings.Join(problems, "; ")}
	}
	return finding{true, detail}
}

// verdict is the finding of a connection attempt to a port: nothing bad if it is zero.
type verdict struct {
	problem string
	unknown bool // something on the way answered
}

// probePorts connects to all ports at once, at the servers' public IP addresses and
// nowhere else. It returns the problems that judge finds, and the ports that it cannot
// judge.
func (v Verifier) probePorts(
	ctx context.Context, ports []serverPort, timeout time.Duration, judge func(port int, err error) verdict,
) (problems []string, unjudged []serverPort) {
	verdicts := make([]verdict, len(ports))
	var all sync.WaitGroup
	for i, d := range ports {
		all.Go(func() {
			within, cancel := context.WithTimeout(ctx, timeout)
			defer cancel()
			conn, err := v.Dial(within, "tcp", netip.AddrPortFrom(d.server.PublicIP, uint16(d.port)).String())
			if err == nil {
				_ = conn.Close()
			}
			verdicts[i] = judge(d.port, err)
		})
	}
	all.Wait()
	for i, d := range ports {
		if verdicts[i].unknown {
			unjudged = append(unjudged, d)
		}
		if verdicts[i].problem != "" {
			problems = append(problems, d.String()+" "+verdicts[i].problem)
		}
	}
	return problems, unjudged
}

// listPorts lists ports by server, such as "server-1 22 80, server-2 22 80".
func listPorts(ports []serverPort) string {
	var out strings.Builder
	for i, d := range ports {
		if i == 0 || ports[i-1].server.Name != d.server.Name {
			if i > 0 {
				out.WriteString(", ")
			}
			out.WriteString(d.server.Name)
		}
		out.WriteString(" " + strconv.Itoa(d.port))
	}
	return out.String()
}
