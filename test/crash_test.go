package e2e

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
	"aloft.dev/aloft/internal/cloud/store"
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
	name := operation(r, body)
	k.mu.Lock()
	if k.fatal != "" {
		k.mu.Unlock()
		return refuse(r), nil
	}
	if changes(name) {
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

func operation(r *http.Request, body []byte) string {
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

func changes(operation string) bool {
	return !strings.HasPrefix(operation, "Describe") && !strings.HasPrefix(operation, "Get")
}

// killedAt runs work with a client that is killed at the nth change, and tells
// at which call; "" when the work was done before.
func killedAt(
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

// everyKill runs a case for each change of a run: the case prepares a cloud,
// is killed at the nth change, and tells at which call. Cases wait more than they
// compute, so there are more at once than processors.
func everyKill(t *testing.T, atLeast int, attempt func(t *testing.T, n int) string) {
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

// once checks that the cloud holds each thing of the tutorial once.
func once(t *testing.T, c *cloud) {
	t.Helper()
	view := c.store.View()
	count := map[string]int{}
	home := ""
	for _, vpc := range store.VPCs.List(view) {
		if !vpc.IsDefault {
			count["VPCs"]++
			home = vpc.ID
		}
	}
	for _, x := range store.Subnets.List(view) {
		if x.VPCID == home {
			count["subnets"]++
		}
	}
	for _, x := range store.InternetGateways.List(view) {
		if x.VPCID == home || x.VPCID == "" {
			count["gateways"]++
		}
	}
	for _, x := range store.RouteTables.List(view) {
		if x.VPCID == home {
			count["route tables, with the main one"]++
		}
	}
	for _, x := range store.SecurityGroups.List(view) {
		if x.VPCID == home {
			count["security groups, with the default one"]++
			for _, rule := range x.Rules {
				if rule.Description == "aloft:temporary" {
					count["temporary rules"]++
				}
			}
		}
	}
	for _, x := range store.Instances.List(view) {
		if x.State != store.Terminated {
			count["instances"]++
		}
	}
	count["key pairs"], count["load balancers"], count["target groups"] = len(
		store.KeyPairs.List(view),
	), len(
		store.LoadBalancers.List(view),
	), len(
		store.TargetGroups.List(view),
	)
	count["listeners"] = len(store.Listeners.List(view))
	for _, x := range store.Targets.List(view) {
		// Those of terminated instances can be asked for as long as these.
		if i, ok := store.Instances.Get(view, x.ID); ok && i.State != store.Terminated {
			count["targets"]++
		}
	}
	for what, want := range map[string]int{
		"VPCs": 1, "subnets": 3, "gateways": 1, "route tables, with the main one": 2, "security groups, with the default one": 3, "instances": 3,
		"key pairs": 1, "load balancers": 1, "target groups": 1, "listeners": 1, "targets": 3, "temporary rules": 0,
	} {
		if count[what] != want {
			t.Errorf("%d %s, want %d", count[what], what, want)
		}
	}
}

// killedUp is a case of everyKill: an up is killed, perhaps after one of what was
// wanted before, and then something is done with the same deployment.
func killedUp(
	before, wanted func(t *testing.T) *spec.Spec,
	releases [2]string,
	then func(t *testing.T, c *cloud, d *apply.Deployment),
) func(t *testing.T, n int) string {
	return func(t *testing.T, n int) string {
		c, keys := newCloud(t), t.TempDir()
		if before != nil {
			up(t, deployment(t, c.client(t, nil), before(t), &installer{release: releases[0]}, keys))
		}
		b := &installer{release: releases[1]}
		fatal := killedAt(t, n, func(ctx context.Context, around func(http.RoundTripper) http.RoundTripper) error {
			return ups(ctx, deployment(t, c.client(t, around), wanted(t), b, keys))
		})
		then(t, c, deployment(t, c.client(t, nil), wanted(t), b, keys))
		return fatal
	}
}

// killedDown is the case of a down that the next one finishes.
func killedDown(of func(t *testing.T) *spec.Spec) func(t *testing.T, n int) string {
	return func(t *testing.T, n int) string {
		c, b, keys := newCloud(t), &installer{release: "r1"}, t.TempDir()
		up(t, deployment(t, c.client(t, nil), of(t), b, keys))
		fatal := killedAt(t, n, func(ctx context.Context, around func(http.RoundTripper) http.RoundTripper) error {
			return deployment(t, c.client(t, around), of(t), b, keys).Down(ctx, apply.DownOptions{Images: true})
		})
		removed(t, c, deployment(t, c.client(t, nil), of(t), b, keys))
		return fatal
	}
}

func finished(t *testing.T, c *cloud, d *apply.Deployment) {
	up(t, d)
	nothingToDo(t, d)
	once(t, c)
}

func removed(t *testing.T, c *cloud, d *apply.Deployment) {
	if err := d.Down(t.Context(), apply.DownOptions{Images: true}); err != nil {
		t.Error(err)
	}
	nothingLeft(t, c)
}

func TestAnUpKilledAfterAnyCallIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	everyKill(t, 40, killedUp(nil, tutorial, [2]string{"", "r1"}, finished))
}

func TestADownKilledAfterAnyCallIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	everyKill(t, 15, killedDown(tutorial))
}

func TestDownAfterAnUpKilledAfterAnyCallLeavesNothing(t *testing.T) {
	t.Parallel()
	everyKill(t, 40, killedUp(nil, tutorial, [2]string{"", "r1"}, removed))
}
