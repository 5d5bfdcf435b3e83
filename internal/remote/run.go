package remote

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"aloft.dev/aloft/internal/diag"
)

// maxLine is how many bytes of a line of output are kept.
const maxLine = 1000

// begin begins every script that Run runs.
//
//go:embed begin.sh
var begin string

// ExitError is returned when a remote command ends with an exit code other than 0.
type ExitError struct{ Code int }

// Error implements error.
func (e *ExitError) Error() string { return fmt.Sprintf("exit %d", e.Code) }

// Input writes the standard input of a remote command. The input ends when Input returns.
// Its context ends with the command.
type Input func(ctx context.Context, to io.Writer) error

// Text returns an Input that writes a text.
func Text(text string) Input {
	return func(_ context.Context, to io.Writer) error {
		_, err := io.WriteString(to, text)
		return err
	}
}

// Run runs a script for sh -eu as root and calls line for each line of its output. When the
// context ends, Run stops the script and all processes that it started, and returns the
// context's cause. It returns an *ExitError if the script fails, and the input's error
// if the input fails.
func (m *Machine) Run(ctx context.Context, script string, input Input, line func(string)) error {
	return m.run(
		ctx, m.sudo+"setsid -w sh -euc "+Quote(begin+script), m.sudo+"sh -c "+Quote(stopGroup), input, line,
	)
}

// Query runs a command as root that changes nothing, as Run does. It may run beside other
// commands. When the context ends, Query closes the command's input and output.
func (m *Machine) Query(ctx context.Context, command string, input Input, line func(string)) error {
	return m.run(ctx, m.sudo+command, "", input, line)
}

// Quote quotes a text as one word of sh.
func Quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// stopGroup stops the process group that begin.sh recorded.
const stopGroup = `[ ! -s /run/aloft-release.group ] || kill -s TERM -- "-$(cat /run/aloft-release.group)"`

func (m *Machine) run(ctx context.Context, command, undo string, input Input, line func(string)) error {
	session, err := m.client.NewSession()
	if err != nil {
		return fmt.Errorf("open a session: %w", err)
	}
	defer func() { _ = session.Close() }()
	stdin, err := session.StdinPipe()
	if err != nil {
		return fmt.Errorf("open a session: %w", err)
	}
	var mu sync.Mutex
	out, complaints := &lineWriter{mu: &mu, line: line}, &lineWriter{mu: &mu, line: line}
	session.Stdout, session.Stderr = out, complaints
	if err := session.Start(command); err != nil {
		return fmt.Errorf("start a command: %w", err)
	}
	running, finish := context.WithCancel(ctx)
	defer finish()
	ended, fed := make(chan error, 1), make(chan error, 1)
	go func() { ended <- session.Wait() }()
	go func() {
		err := input(running, remoteInput{stdin})
		_ = stdin.Close()
		fed <- err
	}()
	select {
	case err = <-ended:
	case <-ctx.Done():
		m.stopCommand(undo, session, ended)
		_ = <-fed // the context's cause says why
		return context.Cause(ctx)
	}
	finish()
	out.flush()
	complaints.flush()
	if problem := <-fed; problem != nil && !errors.Is(problem, errNotRead) && !errors.Is(problem, context.Canceled) {
		return problem
	}
	var exit *ssh.ExitError
	if errors.As(err, &exit) {
		return &ExitError{Code: exit.ExitStatus()}
	}
	if err != nil {
		return fmt.Errorf("the connection was lost: %w", err)
	}
	return nil
}

// errNotRead means that a command ended before it read all of its input. Its exit code
// decides whether that is an error.
var errNotRead = errors.New("the command has closed its input")

// remoteInput is a remote command's standard input.
type remoteInput struct{ io.Writer }

func (r remoteInput) Write(data []byte) (int, error) {
	n, err := r.Writer.Write(data)
	if err != nil {
		err = fmt.Errorf("%w: %w", errNotRead, err)
	}
	return n, err
}

// stopCommand stops a command. It returns when the command has ended or the connection
// is closed, so that no output follows.
func (m *Machine) stopCommand(undo string, session *ssh.Session, ended <-chan error) {
	cut := time.AfterFunc(stopTimeout, func() { _ = m.client.Close() })
	defer cut.Stop()
	if undo != "" {
		if stopping, err := m.client.NewSession(); err == nil {
			_ = stopping.Run(undo) // if it fails, the timeout closes the connection
			_ = stopping.Close()
		}
	} else {
		_ = session.Close()
	}
	_ = <-ended // its exit code does not matter
}

// lineWriter splits a stream into lines that are safe to show on a terminal.
type lineWriter struct {
	mu   *sync.Mutex
	line func(string)
	rest []byte
}

func (l *lineWriter) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, data...)
	for {
		end := bytes.IndexByte(l.rest, '\n')
		if end < 0 {
			break
		}
		l.emit(l.rest[:end])
		l.rest = l.rest[end+1:]
	}
	if len(l.rest) > 8*maxLine { // a stream without newlines
		l.rest = append([]byte(nil), l.rest[len(l.rest)-maxLine:]...)
	}
	return len(data), nil
}

func (l *lineWriter) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.emit(l.rest)
	l.rest = nil
}

// emit passes on a line as a terminal would show it, without text that a carriage return
// overwrote and without control sequences.
func (l *lineWriter) emit(raw []byte) {
	text := strings.TrimRight(string(raw), "\r \t")
	text = text[strings.LastIndexByte(text, '\r')+1:]
	if text = diag.Printable(text); text == "" {
		return
	}
	if len(text) > maxLine {
		text = strings.ToValidUTF8(text[:maxLine], "") + "…"
	}
	l.line(text)
}
