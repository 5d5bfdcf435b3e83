package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	// pause is the shortest time between two updates of a page.
	pause = 250 * time.Millisecond
	// refresh is how often a page is rendered although nothing has changed: metrics have no
	// changes to wait for. It also finds out that a browser is gone.
	refresh = 10 * time.Second
)

// stream sends a page's sections as server-sent events when they change, until the browser
// closes the page.
func (c *Console) stream(w http.ResponseWriter, r *http.Request, p page) {
	if p.watch == nil {
		http.NotFound(w, r)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	var closed sync.WaitGroup
	closed.Go(func() {
		select {
		case <-c.closing:
			cancel()
		case <-ctx.Done():
		}
	})
	defer closed.Wait()
	defer cancel()
	w.Header().Set("Content-Type", "text/event-stream")
	out, sent := http.NewResponseController(w), map[string]string{}
	for {
		wait := p.watch()
		changed, err := c.changedSections(r.WithContext(ctx), p, sent)
		if err != nil {
			if ctx.Err() == nil {
				c.Log.Warn("update a page of the console", "error", err)
			}
			return // the browser connects again
		}
		message := ": nothing has changed\n\n"
		if len(changed) > 0 {
			data, err := json.Marshal(changed)
			if err != nil {
				return
			}
			message = fmt.Sprintf("event: sections\ndata: %s\n\n", data)
		}
		if _, err := w.Write([]byte(message)); err != nil || out.Flush() != nil {
			return
		}
		if !c.awaitChange(ctx, wait) {
			return
		}
	}
}

// awaitChange waits for a change, and at least the pause. It is false if the stream ends.
func (c *Console) awaitChange(ctx context.Context, wait func(context.Context) error) bool {
	rest := time.NewTimer(pause)
	defer rest.Stop()
	bounded, cancel := context.WithTimeout(ctx, refresh)
	defer cancel()
	_ = wait(bounded) // its error is that of the context, or the next rendering has it too
	select {
	case <-rest.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// changedSections renders a page and returns the sections that differ from what was sent.
func (c *Console) changedSections(r *http.Request, p page, sent map[string]string) (map[string]string, error) {
	v, err := p.show(r)
	if err != nil {
		return nil, err
	}
	changed := map[string]string{}
	for _, s := range v.Sections {
		if s.Fixed {
			continue
		}
		html, err := c.render(s, r.PathValue("region"))
		if err != nil {
			return nil, err
		}
		if sent[s.ID] != html {
			changed[s.ID], sent[s.ID] = html, html
		}
	}
	return changed, nil
}
