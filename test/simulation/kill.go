package simulation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/spec"
)

var errKilled = errors.New("the run was killed")

// killer lets calls through until the nth that changes something: that one is
// done, but its answer is lost, and nothing is sent any more. What is under way
// then is done too, and its answers are lost.
type killer struct {
	next http.RoundTripper
	kill context.CancelCauseFunc
	n    int

	mu    sync.Mutex
	seen  int
	fatal string         // the call at which it happened
	sent  sync.WaitGroup // calls under way
}

func (k *killer) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	name := Operation(r, body)
	k.mu.Lock()
	if k.fatal != "" {
		k.mu.Unlock()
		return refuse(r), nil
	}
	if ChangesState(name) {
		if k.seen++; k.seen == k.n {
			k.fatal = name
		}
	}
	fatal := k.fatal != ""
	k.sent.Add(1)
	k.mu.Unlock()
	defer k.sent.Done()
	answer, err := k.next.RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
	if fatal {
		k.kill(errKilled)
	}
	if !fatal && r.Context().Err() == nil {
		return answer, err
	}
	if err == nil {
		err = answer.Body.Close()
	}
	return nil, errors.Join(errKilled, err)
}

// refuse answers what a killed run would not even have asked, with an error
// that nobody tries again.
func refuse(r *http.Request) *http.Response {
	body := `<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>killed</Message></Error></Errors><RequestID>-</RequestID></Response>`
	if r.Header.Get("X-Amz-Target") != "" {
		body = `{"__type": "AccessDeniedException", "message": "killed"}`
	}
	return &http.Response{
		StatusCode: http.StatusForbidden,
		ProtoMajor: 1,
		ProtoMinor: 1,
		Header:     http.Header{},
		Body:       io.NopCloser(strings.NewReader(body)),
		Request:    r,
	}
}

func Operation(r *http.Request, body []byte) string {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return target[strings.LastIndex(target, ".")+1:]
	}
	if _, name, ok := strings.Cut(r.URL.Path, "/operation/"); ok {
		return name // Smithy RPC v2 CBOR
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return ""
	}
	return form.Get("Action")
}

func ChangesState(operation string) bool {
	return !strings.HasPrefix(operation, "Describe") && !strings.HasPrefix(operation, "Get")
}

// KillAtChange runs work with a client that is killed at the nth change, and tells
// at which call; "" when the work was done before.
func KillAtChange(
	t *testing.T,
	n int,
	work func(ctx context.Context, around func(http.RoundTripper) http.RoundTripper) error,
) string {
	t.Helper()
	ctx, kill := context.WithCancelCause(t.Context())
	defer kill(nil)
	k := &killer{kill: kill, n: n}
	err := work(ctx, func(next http.RoundTripper) http.RoundTripper { k.next = next; return k })
	k.sent.Wait() // for the cloud to be as the run has left it
	if k.fatal == "" && err != nil {
		t.Fatal(err)
	}
	return k.fatal
}

// KillAtEveryChange runs a case for each change of a run: the case prepares a cloud,
// is killed at the nth change, and tells at which call. Cases wait more than they
// compute, so there are more at once than processors.
func KillAtEveryChange(t *testing.T, atLeast int, attempt func(t *testing.T, n int) string) {
	const atOnce = 8
	var next atomic.Int64
	var done atomic.Bool
	var cases sync.WaitGroup
	for range atOnce {
		cases.Go(func() {
			for !done.Load() {
				n, fatal := int(next.Add(1)), ""
				t.Run(fmt.Sprint(n), func(t *testing.T) {
					fatal = attempt(t, n)
					if t.Failed() {
						t.Fatalf("killed at change %d, %s", n, fatal)
					}
					if fatal == "" && n <= atLeast {
						t.Errorf("the run had only %d changes", n-1)
					}
				})
				if fatal == "" {
					done.Store(true)
				}
			}
		})
	}
	cases.Wait()
}

// KillUp is a case of everyKill: an up is killed, perhaps after one of what was
// wanted before, and then something is done with the same deployment.
func KillUp(
	before, wanted func(t *testing.T) *spec.Spec,
	releases [2]string,
	then func(t *testing.T, c *Cloud, d *apply.Deployment),
) func(t *testing.T, n int) string {
	return func(t *testing.T, n int) string {
		c, keys := New(t), t.TempDir()
		if before != nil {
			Up(t, Deployment(t, c.Client(t, nil), before(t), &Builder{ReleaseName: releases[0]}, keys))
		}
		b := &Builder{ReleaseName: releases[1]}
		fatal := KillAtChange(t, n, func(ctx context.Context, around func(http.RoundTripper) http.RoundTripper) error {
			return RunUp(ctx, Deployment(t, c.Client(t, around), wanted(t), b, keys))
		})
		then(t, c, Deployment(t, c.Client(t, nil), wanted(t), b, keys))
		return fatal
	}
}

// KillDown is the case of a down that the next one finishes.
func KillDown(of func(t *testing.T) *spec.Spec) func(t *testing.T, n int) string {
	return func(t *testing.T, n int) string {
		c, b, keys := New(t), &Builder{ReleaseName: "r1"}, t.TempDir()
		Up(t, Deployment(t, c.Client(t, nil), of(t), b, keys))
		fatal := KillAtChange(t, n, func(ctx context.Context, around func(http.RoundTripper) http.RoundTripper) error {
			return Deployment(t, c.Client(t, around), of(t), b, keys).Down(ctx, apply.DownOptions{Images: true})
		})
		Removed(t, c, Deployment(t, c.Client(t, nil), of(t), b, keys))
		return fatal
	}
}

func Converges(t *testing.T, c *Cloud, d *apply.Deployment) {
	Up(t, d)
	PlanIsEmpty(t, d)
	EverythingOnce(t, c)
}

func Removed(t *testing.T, c *Cloud, d *apply.Deployment) {
	if err := d.Down(t.Context(), apply.DownOptions{Images: true}); err != nil {
		t.Error(err)
	}
	NothingLeft(t, c)
}
