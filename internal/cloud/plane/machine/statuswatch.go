package machine

import (
	"context"
	"encoding/json"
	"sync"
)

// watch is one Watch under way.
type watch struct {
	ctx     context.Context //nolint:containedctx // it is the watch: both end together
	changes chan string
	group   sync.WaitGroup

	mu        sync.Mutex
	listening map[string]bool // machines whose launcher is being listened to; true: listen again after that
	ended     bool
}

// Watch tells the ids of machines whose state has changed, or may have: the
// receiver asks for the Status. Every machine that exists is told once at the
// start. The channel closes after ctx has ended.
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

// notifyWatches makes every watch tell of a machine, and listen to its launcher.
func (p *Plane) notifyWatches(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := range p.watches {
		w.watchMachine(p, id)
	}
}

// watchMachine tells of the machine now and whenever its launcher reports something,
// until the launcher is gone.
func (w *watch) watchMachine(p *Plane, id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, listening := w.listening[id]; listening || w.ended {
		if listening {
			w.listening[id] = true
		}
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

// finish ends the listening, unless there is reason to listen again.
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
	for reports := json.NewDecoder(conn); ; {
		var now report
		if reports.Decode(&now) != nil {
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
