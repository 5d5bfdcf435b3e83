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

	mu    sync.Mutex
	on    map[string]bool // machines whose launcher is being listened to; true: listen again after that
	ended bool
}

// Watch tells the ids of machines whose state has changed, or may have: the
// receiver asks for the Status. Every machine that exists is told once at the
// start. The channel closes after ctx has ended.
func (p *Plane) Watch(ctx context.Context) <-chan string {
	w := &watch{ctx: ctx, changes: make(chan string), on: map[string]bool{}}
	p.mu.Lock()
	p.watches[w] = struct{}{}
	p.mu.Unlock()
	for _, id := range p.List() {
		w.follow(p, id)
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

// announce makes every watch tell of a machine, and listen to its launcher.
func (p *Plane) announce(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := range p.watches {
		w.follow(p, id)
	}
}

// follow tells of the machine now and whenever its launcher reports something,
// until the launcher is gone.
func (w *watch) follow(p *Plane, id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, listening := w.on[id]; listening || w.ended {
		if listening {
			w.on[id] = true
		}
		return
	}
	w.on[id] = false
	w.group.Go(func() {
		for again := true; again; {
			w.tell(id)
			w.listen(p.socket(id), id)
			again = w.leave(id)
		}
		w.tell(id)
	})
}

// leave ends the listening, unless there is reason to listen again.
func (w *watch) leave(id string) (again bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.on[id] && w.ctx.Err() == nil {
		w.on[id] = false
		return true
	}
	delete(w.on, id)
	return false
}

func (w *watch) listen(socket, id string) {
	conn, err := dial(w.ctx, socket)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(w.ctx, func() { _ = conn.Close() })()
	if json.NewEncoder(conn).Encode(request{Do: doWatch}) != nil {
		return
	}
	for reports := json.NewDecoder(conn); ; {
		var now report
		if reports.Decode(&now) != nil {
			return
		}
		w.tell(id)
	}
}

func (w *watch) tell(id string) {
	select {
	case w.changes <- id:
	case <-w.ctx.Done():
	}
}
