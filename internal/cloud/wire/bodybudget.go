package wire

import (
	"errors"
	"io"
	"sync"
)

// Limits of the memory, in bytes, that bodies of requests hold whose signature is not
// verified yet: of all of them, and of those from one source.
const (
	maxUnverified         = 16 * maxBody
	maxUnverifiedOfSource = 4 * maxBody
)

var errTooManyBodies = errors.New("bodies of unverified requests hold too much memory")

// bodyBudget counts the bytes of bodies that are not verified yet.
type bodyBudget struct {
	mu      sync.Mutex
	held    int
	sources map[string]int // held, by the address of the client
}

// heldBody is a body whose bytes count until it is released.
type heldBody struct {
	io.Reader
	budget *bodyBudget
	source string
	held   int
}

// hold returns a reader of a body from a source. The caller releases it.
func (b *bodyBudget) hold(source string, body io.Reader) *heldBody {
	return &heldBody{Reader: body, budget: b, source: source}
}

// Read fails with errTooManyBodies if the bytes are too many for the budget.
func (h *heldBody) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	h.held += n
	if !h.budget.add(h.source, n) {
		return n, errTooManyBodies
	}
	return n, err
}

// release gives back what the body holds.
func (h *heldBody) release() { h.budget.add(h.source, -h.held) }

// add changes what a source holds, and reports whether that is within the limits.
func (b *bodyBudget) add(source string, n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sources == nil {
		b.sources = map[string]int{}
	}
	b.held += n
	b.sources[source] += n
	of := b.sources[source]
	if of == 0 {
		delete(b.sources, source)
	}
	return b.held <= maxUnverified && of <= maxUnverifiedOfSource
}
