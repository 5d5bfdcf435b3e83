//go:build linux

package machine

import (
	"context"
	"encoding/json"
	"sync"
)

// watch is a running Watch.
type watch struct {
	ctx     context.Context //nolint:containedctx // a watch lives exactly as long as its context
	changes chan string
	group   sync.WaitGroup

	mu        sync.Mutex
	listening map[string]bool // machines being watched; true: connect to the launcher once more afterwards
	ended     bool
}

// Watch sends the ids of machines whose state has changed or may have changed; the receiver
// queries their Status. It begins with every existing machine once. The channel is closed
// after ctx has ended.
func (p *Plane) Watch(ctx context.Context) <-chan string {
	w := &watch{ctx: ctx, changes: make(chan string), listening: map[string]bool{}}
	p.mu.Lock()
	p.watches[w] = struct{}{}
	p.mu.Unlock()
	for _, id := range p.List() {
		w.watchMachine(p, id)
	}
	go func() {
		<-ctx.Done()
		p.mu.Lock()
		delete(p.watches, w)
		p.mu.Unlock()
		w.mu.Lock()
		w.ended = true
		w.mu.Unlock()
		w.group.Wait()
		close(w.changes)
	}()
	return w.changes
}

// notifyWatches makes every watch send a machine's id and connect to its launcher.
func (p *Plane) notifyWatches(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := range p.watches {
		w.watchMachine(p, id)
	}
}

// watchMachine sends the machine's id now and after each report of its launcher, until the
// launcher is gone. A call while the machine is already being watched makes the watch
// connect once more afterwards, possibly to a new launcher.
func (w *watch) watchMachine(p *Plane, id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	if _, listening := w.listening[id]; listening {
		w.listening[id] = true
		return
	}
	w.listening[id] = false
	w.group.Go(func() {
		for again := true; again; {
			w.send(id)
			w.forwardReports(p.socket(id), id)
			again = w.finish(id)
		}
		w.send(id)
	})
}

// finish ends the watch of a machine, and reports whether it must begin again.
func (w *watch) finish(id string) (again bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.listening[id] && w.ctx.Err() == nil {
		w.listening[id] = false
		return true
	}
	delete(w.listening, id)
	return false
}

// forwardReports sends the machine's id for each report of its launcher, until the
// connection ends.
func (w *watch) forwardReports(socket, id string) {
	conn, err := dial(w.ctx, socket)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(w.ctx, func() { _ = conn.Close() })()
	if json.NewEncoder(conn).Encode(request{Do: opWatch}) != nil {
		return
	}
	for reports := newReports(conn); ; {
		if _, err := reports.next(); err != nil {
			return
		}
		w.send(id)
	}
}

func (w *watch) send(id string) {
	select {
	case w.changes <- id:
	case <-w.ctx.Done():
	}
}
