// Package proof asks a service on a machine for answers as a load balancer will, before
// any user does.
package proof

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/remote"
)

const (
	askInterval   = 100 * time.Millisecond // before the service answers
	watchInterval = time.Second            // once it does
	maxCrashes    = 3
)

// Host is a machine. *remote.Machine is one.
type Host interface {
	Query(ctx context.Context, command string, input remote.Input, line func(string)) error
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Check describes what a service must do.
type Check struct {
	Unit       string // of systemd
	Port       int
	Path       string
	Matcher    string        // status codes that pass, such as "200,204-299"
	Patience   time.Duration // until the first answer that passes
	Watch      time.Duration // for which it goes on answering, without a restart
	Candidates []string      // paths to propose when Path does not pass
}

// Report receives what a check finds. Notes are for people to read although the check
// succeeded.
type Report struct{ Say, Note func(string) }

// check is a check of a service on one machine.
type check struct {
	Check
	Report
	host    Host
	address string // of the machine in its network
}

// Run checks the service at the machine's own address, as the load balancer will. It
// returns a *diag.Diagnostic if the service does not pass, whose Summary is the reason.
func (c Check) Run(ctx context.Context, host Host, report Report) error {
	address, err := ownAddress(ctx, host)
	if err != nil {
		return err
	}
	k := &check{Check: c, Report: report, host: host, address: address}
	if err := k.awaitAnswer(ctx); err != nil {
		return err
	}
	return k.watch(ctx)
}

// ownAddress returns the machine's address in its network.
func ownAddress(ctx context.Context, host Host) (string, error) {
	address := ""
	err := host.Query(ctx, "hostname -I", remote.Text(""), func(line string) {
		if fields := strings.Fields(line); address == "" && len(fields) > 0 {
			address = fields[0]
		}
	})
	if err == nil && address == "" {
		err = errors.New("it has none")
	}
	if err != nil {
		return "", fmt.Errorf("find the machine's address: %w", err)
	}
	return address, nil
}

// state is the state of the service's unit (systemctl(1), org.freedesktop.systemd1(5)).
type state struct {
	restarts   int
	invocation string // another one for every start (systemd.exec(5), INVOCATION_ID)
}

func (k *check) state(ctx context.Context) (state, error) {
	var now state
	command := "systemctl show -p NRestarts -p InvocationID " + remote.Quote(k.Unit)
	err := k.host.Query(ctx, command, remote.Text(""), func(line string) {
		switch name, value, _ := strings.Cut(line, "="); name {
		case "NRestarts":
			now.restarts, _ = strconv.Atoi(value) // 0 for a service that is not loaded
		case "InvocationID":
			now.invocation = value
		}
	})
	if err != nil {
		return state{}, fmt.Errorf("read the state of %s: %w", k.Unit, err)
	}
	return now, nil
}

// awaitAnswer waits for an answer that passes.
func (k *check) awaitAnswer(ctx context.Context) error {
	before, err := k.state(ctx)
	if err != nil {
		return err
	}
	deadline := time.Now().Add(k.Patience)
	tick := time.NewTicker(askInterval)
	defer tick.Stop()
	for {
		last := k.ask(ctx, k.address, k.Path)
		if last.err == nil && k.passes(last.status) {
			k.Say(fmt.Sprintf("http://%s%s answers %d", k.at(k.address), k.Path, last.status))
			k.proposePath(ctx, last.status)
			return nil
		}
		now, err := k.state(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return err
		case now.restarts-before.restarts >= maxCrashes:
			return &diag.Diagnostic{
				Summary: fmt.Sprintf("the service has ended %d times", now.restarts-before.restarts),
				Hint: "the log above says why; run the start command on your computer as in production, " +
					"with PORT set",
			}
		case time.Now().After(deadline):
			return k.explain(ctx, last)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// proposePath notes a path that says more about the service's health than one that
// redirects.
func (k *check) proposePath(ctx context.Context, status int) {
	if status < 300 || status > 399 {
		return
	}
	for _, path := range k.Candidates {
		if answer := k.ask(ctx, k.address, path); answer.err == nil && answer.status == 200 {
			k.Note(fmt.Sprintf("the health check's path %s redirects, and %s answers 200: "+
				"set load_balancer.health.path: %s", k.Path, path, path))
			return
		}
	}
}

// watch keeps asking a service that answers.
func (k *check) watch(ctx context.Context) error {
	if k.Watch <= 0 {
		return nil
	}
	measuring, stop := context.WithCancel(ctx)
	defer stop()
	idle := make(chan int, 1)
	go func() { idle <- k.keepsIdle(measuring) }()
	err := k.keepAsking(ctx)
	if err != nil {
		stop()
	}
	if seconds := <-idle; err == nil {
		k.Say(fmt.Sprintf("it went on doing so for %s", k.Watch))
		k.noteIdle(seconds)
	}
	return err
}

func (k *check) keepAsking(ctx context.Context) error {
	before, err := k.state(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for time.Since(began) < k.Watch {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		answer := k.ask(ctx, k.address, k.Path)
		now, err := k.state(ctx)
		after := fmt.Sprintf("after %d s", int(time.Since(began).Seconds()))
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return err
		case now.invocation != before.invocation:
			return &diag.Diagnostic{Summary: fmt.Sprintf("the service ended %s, and was started again", after)}
		case answer.err != nil:
			return &diag.Diagnostic{Summary: fmt.Sprintf("%s it answers no more: %v", after, answer.err)}
		case !k.passes(answer.status):
			return &diag.Diagnostic{Summary: fmt.Sprintf(
				"%s it answers %d; the health check wants %s", after, answer.status, k.Matcher,
			)}
		}
	}
	return nil
}

// explain says why a service did not pass in time.
func (k *check) explain(ctx context.Context, last answer) error {
	if last.err == nil {
		d := &diag.Diagnostic{
			Summary: fmt.Sprintf("http://%s%s answers %d; the health check wants %s",
				k.at(k.address), k.Path, last.status, k.Matcher),
			Hint: "set load_balancer.health.path to a path that needs no login, or load_balancer.health.matcher",
		}
		for _, path := range k.Candidates {
			if answer := k.ask(ctx, k.address, path); answer.err == nil && k.passes(answer.status) {
				d.Hint = fmt.Sprintf("set load_balancer.health.path: %s, which answers %d", path, answer.status)
				break
			}
		}
		return d
	}
	if k.ask(ctx, "127.0.0.1", k.Path).err == nil {
		return &diag.Diagnostic{
			Summary: "the application listens on 127.0.0.1 alone, where the load balancer does not reach it",
			Hint:    "let it listen on 0.0.0.0; in Node.js: server.listen(process.env.PORT, '0.0.0.0')",
		}
	}
	return &diag.Diagnostic{
		Summary: fmt.Sprintf("nothing answers on port %d after %s: %v", k.Port, k.Patience, last.err),
		Hint: fmt.Sprintf("let the application listen on the port in the variable PORT, which is %d, "+
			"or set port: to the one it listens on", k.Port),
	}
}

// passes reports whether the health check's matcher contains a status code.
func (k *check) passes(status int) bool {
	for part := range strings.SplitSeq(k.Matcher, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		low, errLow := strconv.Atoi(strings.TrimSpace(from))
		high, errHigh := strconv.Atoi(strings.TrimSpace(to))
		if errLow == nil && errHigh == nil && status >= low && status <= high {
			return true
		}
	}
	return false
}

func (k *check) at(address string) string { return net.JoinHostPort(address, strconv.Itoa(k.Port)) }

// dialError returns the reason that the machine itself has for a failed connection.
func dialError(err error) error {
	var refused *ssh.OpenChannelError
	var timeout net.Error
	switch {
	case errors.As(err, &refused):
		return errors.New(strings.ToLower(refused.Message))
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("no answer within %s", askTimeout)
	case errors.Is(err, io.EOF):
		return errors.New("it closed the connection without an answer")
	}
	return err
}
