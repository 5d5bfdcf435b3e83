package release

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

const (
	stopPatience = 5 * time.Second // for a command that is told to stop
	longestLine  = 1000            // bytes of a line of output that are kept
)

// Exit says that a remote command ended with an exit code other than 0.
type Exit struct{ Code int }

// Error gives the code.
func (e *Exit) Error() string { return fmt.Sprintf("exit %d", e.Code) }

// Input writes what a remote command reads from its standard input, which ends
// when Input returns. Its context ends with the command.
type Input func(ctx context.Context, to io.Writer) error

// Text is an input that is known in full.
func Text(text string) Input {
	return func(_ context.Context, to io.Writer) error {
		_, err := io.WriteString(to, text)
		return err
	}
}

// Run runs a shell script as root and gives its output line by line. When the
// context ends, the script and all that it started are stopped, and the
// context's cause is the error. A script that fails gives an *Exit; an input
// that fails gives its error.
func (m *Machine) Run(ctx context.Context, script string, input Input, line func(string)) error {
	return m.run(
		ctx,
		m.sudo+"setsid -w sh -euc "+shellQuote(script),
		m.sudo+"sh -c "+shellQuote(stopGroup),
		input,
		line,
	)
}

// stopGroup stops what begin.sh noted down.
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
	out, complaints := &lines{mu: &mu, line: line}, &lines{mu: &mu, line: line}
	session.Stdout, session.Stderr = out, complaints
	if err := session.Start(command); err != nil {
		return fmt.Errorf("start a command: %w", err)
	}
	running, finish := context.WithCancel(ctx)
	defer finish()
	ended, fed := make(chan error, 1), make(chan error, 1)
	go func() { ended <- session.Wait() }()
	go func() {
		err := input(running, remote{stdin})
		_ = stdin.Close()
		fed <- err
	}()
	select {
	case err = <-ended:
	case <-ctx.Done():
		m.halt(undo, session, ended)
		_ = <-fed // the cause of the end is told
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
		return &Exit{Code: exit.ExitStatus()}
	}
	if err != nil {
		return fmt.Errorf("the connection was lost: %w", err)
	}
	return nil
}

// errNotRead says that a command has ended before it read all its input. That
// is its own affair: how it ended tells whether it succeeded.
var errNotRead = errors.New("the command reads no more")

// remote is a command's standard input.
type remote struct{ io.Writer }

func (r remote) Write(data []byte) (int, error) {
	n, err := r.Writer.Write(data)
	if err != nil {
		err = fmt.Errorf("%w: %w", errNotRead, err)
	}
	return n, err
}

// halt stops a command and returns when it has ended or the connection is
// closed, so that nothing is written after it.
func (m *Machine) halt(undo string, session *ssh.Session, ended <-chan error) {
	cut := time.AfterFunc(stopPatience, func() { _ = m.client.Close() })
	defer cut.Stop()
	if undo != "" {
		if stopping, err := m.client.NewSession(); err == nil {
			_ = stopping.Run(undo) // when it fails, the connection is cut
			_ = stopping.Close()
		}
	} else {
		_ = session.Close()
	}
	_ = <-ended // it was made to end
}

// lines cuts a stream into lines that can be shown on a terminal.
type lines struct {
	mu   *sync.Mutex
	line func(string)
	rest []byte
}

func (l *lines) Write(data []byte) (int, error) {
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
	if len(l.rest) > 8*longestLine { // a stream without line ends
		l.rest = append([]byte(nil), l.rest[len(l.rest)-longestLine:]...)
	}
	return len(data), nil
}

func (l *lines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.emit(l.rest)
	l.rest = nil
}

// emit gives a line as a terminal would show it: what a carriage return wrote
// over is gone, and so is all that could steer the terminal.
func (l *lines) emit(raw []byte) {
	text := strings.TrimRight(string(raw), "\r \t")
	text = text[strings.LastIndexByte(text, '\r')+1:]
	if text = plain(text); text == "" {
		return
	}
	if len(text) > longestLine {
		text = strings.ToValidUTF8(text[:longestLine], "") + "…"
	}
	l.line(text)
}

// plain removes escape sequences (ECMA-48, CSI) and control characters.
func plain(text string) string {
	var out strings.Builder
	sequence := false
	for i, r := range text {
		switch {
		case r == '\x1b':
			sequence = true
		case sequence:
			introducer := r == '[' && text[i-1] == '\x1b'
			sequence = introducer || r < '@' || r > '~'
		case r == '\t' || r >= ' ' && r != 0x7f && (r < 0x80 || r > 0x9f):
			out.WriteRune(r)
		}
	}
	return strings.ToValidUTF8(out.String(), "")
}
