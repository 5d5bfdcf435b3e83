package verify

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"aloft.dev/aloft/internal/spec"
)

func TestNewNameIsWaitedFor(t *testing.T) {
	unknown := &net.DNSError{Err: "no such host", Name: "shop.elb.amazonaws.com", IsNotFound: true}
	busy := &net.DNSError{Err: "server misbehaving", IsTemporary: true}
	for name, test := range map[string]struct {
		err    error
		after  time.Duration // the name resolves then
		took   time.Duration // at least
		waits  int
		failed bool
	}{
		"known":         {},
		"unknown":       {err: unknown, after: 100 * time.Second, took: 100 * time.Second, waits: 1},
		"a busy server": {err: busy, after: 10 * time.Second, took: 10 * time.Second, waits: 1},
		"never known":   {err: unknown, after: time.Hour, took: resolveLimit, waits: 1, failed: true},
		"another error": {err: errors.New("no resolver"), after: time.Hour, failed: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, waits := time.Now(), 0
				v := Verifier{
					Resolve: func(context.Context, string) ([]string, error) {
						if time.Since(began) < test.after {
							return nil, test.err
						}
						return []string{"192.0.2.9"}, nil
					},
					Waiting: func(string) { waits++ },
				}
				err := v.waitForName(t.Context(), Facts{Spec: &spec.Spec{}, DNSName: "shop.elb.amazonaws.com"})
				took := time.Since(began)
				late := took - test.took
				if (err != nil) != test.failed || waits != test.waits || late < 0 || late > 5*time.Second {
					t.Errorf("%v after %s and %d messages", err, took, waits)
				}
			})
		})
	}
}
