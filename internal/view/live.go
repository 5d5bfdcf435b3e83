package view

import (
	"fmt"
	"io"
	"sort"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/event"
)

// Live draws a run on a terminal. Finished work scrolls up; each work in progress stays
// below, with a spinner and a stopwatch.
type Live struct {
	program *tea.Program
	style   Style
	done    chan error
}

// NewLive starts drawing on out. The caller must call Close. NewLive does not read the
// keyboard, so Ctrl-C remains a signal.
func NewLive(out io.Writer, style Style) *Live {
	model := &running{style: style, work: map[string]*work{}}
	l := &Live{
		program: tea.NewProgram(model, tea.WithOutput(out), tea.WithInput(nil), tea.WithoutSignalHandler()),
		style:   style,
		done:    make(chan error, 1),
	}
	go func() {
		_, err := l.program.Run()
		l.done <- err
	}()
	return l
}

// Event is an event.Sink.
func (l *Live) Event(e event.Event) {
	l.program.Send(e)
	switch e.Kind {
	case event.Done, event.Fail, event.Note:
		// Send a message and not a command: commands run concurrently, and their
		// output may follow later lines or the end.
		l.program.Send(tea.Println(l.style.line(e))())
	}
}

// Close draws the rest and restores the terminal.
func (l *Live) Close() error {
	l.program.Send(finish{})
	if err := <-l.done; err != nil {
		return fmt.Errorf("draw the progress: %w", err)
	}
	return nil
}

type (
	finish struct{}
	tick   time.Time
)

// work is work in progress.
type work struct {
	step, message, output string
	began                 time.Time
}

type running struct {
	style Style
	work  map[string]*work
	frame int
	width int
}

func nextTick() tea.Cmd {
	return tea.Tick(120*time.Millisecond, func(t time.Time) tea.Msg { return tick(t) })
}

func (r *running) Init() tea.Cmd { return nextTick() }

func (r *running) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch m := msg.(type) {
	case tick:
		r.frame++
		return r, nextTick()
	case tea.WindowSizeMsg:
		r.width = m.Width
	case finish:
		return r, tea.Quit
	case event.Event:
		r.take(m)
	}
	return r, nil
}

func (r *running) take(e event.Event) {
	now := r.work[e.Address]
	switch e.Kind {
	case event.Start:
		r.work[e.Address] = &work{step: e.Step, message: e.Message, began: e.Time}
	case event.Progress:
		if now != nil {
			now.message = e.Message
		}
	case event.Output:
		if now != nil {
			now.output = e.Message
		}
	case event.Done, event.Fail:
		delete(r.work, e.Address)
	}
}

var spinner = []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

func (r *running) View() tea.View {
	addresses := make([]string, 0, len(r.work))
	for address := range r.work {
		addresses = append(addresses, address)
	}
	sort.Strings(addresses)
	var out strings.Builder
	for _, address := range addresses {
		w := r.work[address]
		line := r.style.line(
			event.Event{Step: w.step, Address: address, Message: w.message, Elapsed: time.Since(w.began)},
		)
		_, _ = fmt.Fprintln(&out, r.style.Name(spinner[r.frame%len(spinner)])+r.clip(line))
		if w.output != "" {
			output := strings.TrimSpace(diag.Printable(w.output))
			_, _ = fmt.Fprintln(&out, r.clip(strings.Repeat(" ", 35)+r.style.Faint(output)))
		}
	}
	return tea.NewView(out.String())
}

func (r *running) clip(line string) string {
	if r.width > 4 {
		return clip(line, r.width-2)
	}
	return line
}
