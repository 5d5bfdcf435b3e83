//go:build linux

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
	"aloft.dev/aloft/internal/cloud/wire/names"
	"aloft.dev/aloft/internal/spec"
)

var errKilled = errors.New("the run was killed")

// killer is a transport that simulates the death of the process at the nth change.
// The cloud carries out that call and all calls in flight, but the answers are
// lost. Later calls are not sent.
type killer struct {
	next http.RoundTripper
	kill context.CancelCauseFunc
	n    int

	mu    sync.Mutex
	seen  int
	fatal string         // operation of the nth change
	sent  sync.WaitGroup // calls in flight
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
	if ChangesState(name) && !IsDryRun(body) {
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

// refuse answers a call that a dead process would not send. The error is one that
// the SDK does not retry.
func refuse(r *http.Request) *http.Response {
	body := `<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>killed</Message></Error></Errors>` +
		`<RequestID>-</RequestID></Response>`
	switch {
	case restOperation(r) != "":
		body = `<ErrorResponse><Error><Code>AccessDenied</Code><Message>killed</Message></Error></ErrorResponse>`
	case r.Header.Get("X-Amz-Target") != "":
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

// Operation returns the name of a request's AWS operation in any of the protocols.
func Operation(r *http.Request, body []byte) string {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return target[strings.LastIndex(target, ".")+1:]
	}
	if _, name, ok := strings.Cut(r.URL.Path, "/operation/"); ok {
		return name // Smithy RPC v2 CBOR
	}
	if name := restOperation(r); name != "" {
		return name
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return ""
	}
	return form.Get("Action")
}

// restOperation returns the operation of a request to Amazon Route 53 or Amazon S3, or "".
func restOperation(r *http.Request) string {
	if strings.Contains(r.Header.Get("Authorization"), "/s3/aws4_request") {
		table, err := names.Load("s3")
		if err != nil {
			return ""
		}
		bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		return table.RouteS3(r.Method, bucket, key, r.URL.Query(), r.Header)
	}
	table, err := names.Load("route53")
	if err != nil {
		return ""
	}
	name, _ := table.Route(r.Method, r.URL.EscapedPath())
	return name
}

// ChangesState reports whether an operation changes something.
func ChangesState(operation string) bool {
	return !strings.HasPrefix(operation, "Describe") && !strings.HasPrefix(operation, "Get") &&
		!strings.HasPrefix(operation, "List")
}

// IsDryRun reports whether the body of a request to EC2 asks for a dry run, which
// changes nothing.
func IsDryRun(body []byte) bool { return bytes.Contains(body, []byte("DryRun=true")) }

// KillAtChange runs work with a client that dies at the nth change. It returns the
// operation of that change, or "" if work ended before.
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
	k.sent.Wait() // until then the cloud is still changing
	if k.fatal == "" && err != nil {
		t.Fatal(err)
	}
	return k.fatal
}

// KillAtEveryChange runs attempt for n = 1, 2, … until a run ends before its nth
// change. attempt prepares a cloud, kills a run at the nth change and returns the
// operation, or "". The run must have at least atLeast changes. Attempts wait more
// than they compute, so more of them run at once than there are processors.
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

// KillUp returns an attempt for KillAtEveryChange. It kills an up of the wanted
// spec, optionally after a complete up of the spec before, and then calls then with
// a deployment of the wanted spec.
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

// KillDown returns an attempt for KillAtEveryChange: it kills a down, which the
// next down completes.
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

// Converges checks that another up completes the deployment.
func Converges(t *testing.T, c *Cloud, d *apply.Deployment) {
	Up(t, d)
	PlanIsEmpty(t, d)
	EverythingOnce(t, c)
}

// Removed checks that another down removes the deployment.
func Removed(t *testing.T, c *Cloud, d *apply.Deployment) {
	if err := d.Down(t.Context(), apply.DownOptions{Images: true}); err != nil {
		t.Error(err)
	}
	NothingLeft(t, c)
}
