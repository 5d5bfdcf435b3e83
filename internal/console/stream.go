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
	// defaultRefresh is how often a page is rendered although nothing has changed: metrics have
	// no changes to wait for. It also finds out that a browser is gone.
	defaultRefresh = 10 * time.Second
	// moving is how often a page is rendered whose numbers change by themselves.
	moving = 2 * time.Second
)

// stream sends a page's sections as server-sent events when they change, until the browser
// closes the page.
func (p *Pages) stream(w http.ResponseWriter, r *http.Request, page Page) {
	ctx, cancel := context.WithCancel(r.Context())
	var closed sync.WaitGroup
	closed.Go(func() {
		select {
		case <-p.closing:
			cancel()
		case <-ctx.Done():
		}
	})
	defer closed.Wait()
	defer cancel()
	w.Header().Set("Content-Type", "text/event-stream")
	out, sent := http.NewResponseController(w), map[string]string{}
	for {
		wait := page.Watch()
		changed, every, err := p.changedSections(r.WithContext(ctx), page, sent)
		if err != nil {
			if ctx.Err() == nil {
				p.Log.Warn("update a page of the console", "error", err)
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
		if !awaitChange(ctx, wait, every) {
			return
		}
	}
}

// awaitChange waits for a change, or for a time, and at least the pause. It is false if the
// stream ends.
func awaitChange(ctx context.Context, wait func(context.Context) error, limit time.Duration) bool {
	rest := time.NewTimer(pause)
	defer rest.Stop()
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	_ = wait(bounded) // its error is that of the context, or the next rendering has it too
	select {
	case <-rest.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// changedSections renders a page and returns the sections that differ from what was sent, and
// how soon to render it again.
func (p *Pages) changedSections(
	r *http.Request, page Page, sent map[string]string,
) (changed map[string]string, again time.Duration, err error) {
	v, err := page.Show(r)
	if err != nil {
		return nil, 0, err
	}
	changed = map[string]string{}
	for _, s := range v.Sections {
		if s.Fixed {
			continue
		}
		html, err := p.render(s, r)
		if err != nil {
			return nil, 0, err
		}
		if sent[s.ID] != html {
			changed[s.ID], sent[s.ID] = html, html
		}
	}
	if v.Moving {
		return changed, moving, nil
	}
	return changed, p.Refresh, nil
}
