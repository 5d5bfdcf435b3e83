package lease_test

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"aloft.dev/aloft/internal/lease"
)

// store holds one parameter as Parameter Store does.
type store struct {
	mu       sync.Mutex
	versions []*string // from version 1 on; none: there is no parameter
	stale    int       // reads show as many versions less
}

// version returns the number of the last version.
func (s *store) version() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(len(s.versions))
}

func (s *store) GetParameter(
	_ context.Context, in *ssm.GetParameterInput, _ ...func(*ssm.Options),
) (*ssm.GetParameterOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	shown := max(len(s.versions)-s.stale, 0)
	if shown == 0 {
		return nil, &types.ParameterNotFound{}
	}
	version := shown
	if _, selector, ok := strings.Cut(*in.Name, ":"); ok {
		if version, _ = strconv.Atoi(selector); version > shown {
			s.stale-- // the next read shows more
			return nil, &types.ParameterVersionNotFound{}
		}
	}
	return &ssm.GetParameterOutput{
		Parameter: &types.Parameter{Value: s.versions[version-1], Version: int64(version)},
	}, nil
}

func (s *store) PutParameter(
	_ context.Context,
	in *ssm.PutParameterInput,
	_ ...func(*ssm.Options),
) (*ssm.PutParameterOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.versions) > 0 && !aws.ToBool(in.Overwrite) {
		return nil, &types.ParameterAlreadyExists{}
	}
	s.versions = append(s.versions, in.Value)
	return &ssm.PutParameterOutput{Version: int64(len(s.versions))}, nil
}

func (s *store) DeleteParameter(
	context.Context, *ssm.DeleteParameterInput, ...func(*ssm.Options),
) (*ssm.DeleteParameterOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.versions) == 0 {
		return nil, &types.ParameterNotFound{}
	}
	s.versions = nil
	return &ssm.DeleteParameterOutput{}, nil
}

// user returns the user in the stored record, or "" if there is none.
func (s *store) user(t *testing.T) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.versions) == 0 {
		return ""
	}
	var h lease.Holder
	if err := json.Unmarshal([]byte(*s.versions[len(s.versions)-1]), &h); err != nil {
		t.Fatal(err)
	}
	return h.User
}

func never(lease.Holder) bool { return false }

func adaDied(h lease.Holder) bool { return h.User == "ada" }

func at(api lease.API, dead func(lease.Holder) bool) lease.Parameter[lease.Holder] {
	return lease.Parameter[lease.Holder]{
		API: api, Name: "/aloft/shop/lock", HolderOf: func(h *lease.Holder) *lease.Holder { return h }, Dead: dead,
	}
}

func acquire(t *testing.T, api lease.API, user string) *lease.Lease[lease.Holder] {
	t.Helper()
	l, err := at(api, never).Acquire(t.Context(), lease.Holder{User: user})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var errLost = &smithyhttp.RequestSendError{Err: syscall.ECONNRESET}

// lossy loses the response to the first put. Like the SDK it then puts again,
// unless the call is to be sent once.
type lossy struct {
	store
	lost bool
}

func (l *lossy) PutParameter(
	ctx context.Context,
	in *ssm.PutParameterInput,
	once ...func(*ssm.Options),
) (*ssm.PutParameterOutput, error) {
	out, err := l.store.PutParameter(ctx, in)
	if err != nil || l.lost {
		return out, err
	}
	if l.lost = true; len(once) > 0 {
		return nil, errLost
	}
	return l.store.PutParameter(ctx, in)
}

func TestLeaseIsAcquiredIfTheResponseIsLost(t *testing.T) {
	ada, bob := lease.Holder{User: "ada", Nonce: "1"}, lease.Holder{User: "bob", Nonce: "2"}
	s := &lossy{}
	if l, err := at(s, never).Acquire(t.Context(), ada); err != nil || l.TookOver || s.version() != 1 {
		t.Fatalf("got %+v, %v, version %d", l, err, s.version())
	}
	if _, err := at(s, never).Acquire(t.Context(), bob); err == nil {
		t.Error("two runs hold the lease")
	}
	s.lost = false
	if l, err := at(s, adaDied).Acquire(t.Context(), bob); err != nil || !l.TookOver || s.version() != 2 {
		t.Errorf("got %+v, %v, version %d", l, err, s.version())
	}
}

// cuttable is a store that can be disconnected.
type cuttable struct {
	store
	down atomic.Bool
}

func (c *cuttable) PutParameter(
	ctx context.Context,
	in *ssm.PutParameterInput,
	_ ...func(*ssm.Options),
) (*ssm.PutParameterOutput, error) {
	if c.down.Load() {
		return nil, errLost
	}
	return c.store.PutParameter(ctx, in)
}

func TestLeaseThatCannotBeRenewedIsLostWhenItExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &cuttable{}
		l := acquire(t, s, "ada")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var lost atomic.Bool
		go l.Renew(ctx, func() { lost.Store(true) })
		time.Sleep(time.Second)
		s.down.Store(true)
		time.Sleep(lease.Life - lease.RenewEvery)
		if lost.Load() {
			t.Error("lost while it was valid")
		}
		time.Sleep(2 * lease.RenewEvery)
		if !lost.Load() {
			t.Error("not lost after it expired")
		}
	})
}

func TestOneRunAtATimeHoldsTheLease(t *testing.T) {
	s := &store{}
	first := acquire(t, s, "ada")
	_, err := at(s, never).Acquire(t.Context(), lease.Holder{User: "bob"})
	var held *lease.HeldError
	if !errors.As(err, &held) || held.Holder.User != "ada" || !held.Live || !strings.Contains(err.Error(), "ada@") {
		t.Errorf("got %v", err)
	}
	if err := first.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if second := acquire(t, s, "bob"); second.TookOver {
		t.Error("a lease that was released was taken over")
	}
}

func TestExpiredOrDeadHoldersLeaseIsTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		acquire(t, s, "ada")
		l, err := at(s, adaDied).Acquire(t.Context(), lease.Holder{User: "bob"})
		if err != nil || !l.TookOver {
			t.Fatalf("got %+v, %v", l, err)
		}
		time.Sleep(lease.Life + time.Second)
		if l := acquire(t, s, "eve"); !l.TookOver {
			t.Error("not taken over")
		}
	})
}

func TestCreateLeavesADeadHoldersRecord(t *testing.T) {
	s := &store{}
	acquire(t, s, "ada")
	_, err := at(s, adaDied).Create(t.Context(), lease.Holder{User: "bob"})
	var held *lease.HeldError
	if !errors.As(err, &held) || held.Live || s.user(t) != "ada" {
		t.Errorf("got %v; the record is %s's", err, s.user(t))
	}
}

func TestOneOfManyRunsTakesALeaseOver(t *testing.T) {
	s := &store{}
	acquire(t, s, "ada")
	var winners atomic.Int32
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			thief := lease.Holder{User: "thief", PID: i}
			if _, err := at(s, adaDied).Acquire(t.Context(), thief); err == nil {
				winners.Add(1)
			}
		})
	}
	all.Wait()
	if n := winners.Load(); n != 1 {
		t.Errorf("%d runs hold the lease", n)
	}
}

// A run that takes over may have read an older version, and may not see those that are newer yet.
func TestLeaseIsTakenOverDespiteOldReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		l := acquire(t, s, "ada")
		for range 3 {
			if err := l.Update(t.Context(), func(*lease.Holder) {}); err != nil {
				t.Fatal(err)
			}
		}
		s.stale = 2
		l, err := at(s, adaDied).Acquire(t.Context(), lease.Holder{User: "bob"})
		if err != nil || !l.TookOver {
			t.Errorf("got %+v, %v", l, err)
		}
	})
}

// Runs that came too late to take over have ended. Their records do not hide that of the run that did.
func TestLosersDoNotHideWhoTookOver(t *testing.T) {
	s := &store{}
	acquire(t, s, "ada")
	if _, err := at(s, adaDied).Acquire(t.Context(), lease.Holder{User: "bob"}); err != nil {
		t.Fatal(err)
	}
	late, err := json.Marshal(lease.Holder{User: "late", Expires: time.Now().Add(lease.Life)})
	if err != nil {
		t.Fatal(err)
	}
	s.versions = append(s.versions, aws.String(string(late)))
	_, err = at(s, func(h lease.Holder) bool { return h.User != "bob" }).Acquire(t.Context(), lease.Holder{User: "eve"})
	if held, ok := errors.AsType[*lease.HeldError](err); !ok || held.Holder.User != "bob" {
		t.Errorf("got %v", err)
	}
}

func TestLeaseIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		l := acquire(t, s, "ada")
		ctx, cancel := context.WithCancel(t.Context())
		var lost atomic.Bool
		go l.Renew(ctx, func() { lost.Store(true) })
		time.Sleep(time.Hour)
		if _, err := at(s, never).Acquire(t.Context(), lease.Holder{User: "bob"}); err == nil {
			t.Error("a lease that is renewed was taken over")
		}
		cancel()
		synctest.Wait()
		if lost.Load() {
			t.Error("lost")
		}
	})
}

func TestRunThatLostItsLeaseLeavesItsSuccessors(t *testing.T) {
	for name, successor := range map[string]string{"taken over": "bob", "taken over and released": ""} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &store{}
				first := acquire(t, s, "ada")
				time.Sleep(lease.Life + time.Second) // the holder's computer slept
				second := acquire(t, s, "bob")
				if successor == "" {
					if err := second.Release(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				lost := make(chan struct{})
				go first.Renew(t.Context(), func() { close(lost) })
				<-lost
				if got := s.user(t); got != successor {
					t.Errorf("after the renewal that failed the record is %q's", got)
				}
				if err := first.Update(t.Context(), func(*lease.Holder) {}); !errors.Is(err, lease.ErrLost) {
					t.Errorf("update: %v", err)
				}
				if err := first.Release(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := s.user(t); got != successor {
					t.Errorf("after the release the record is %q's", got)
				}
			})
		})
	}
}

// While a computer sleeps, the time of day goes on and the clock of timers does not.
func TestRunOfAComputerThatSleptEndsAtOnce(t *testing.T) {
	for name, offline := range map[string]bool{"online": false, "offline": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &cuttable{}
				var slept atomic.Int64
				laptop := at(s, never)
				laptop.Now = func() time.Time { return time.Now().Round(0).Add(time.Duration(slept.Load())) }
				first, err := laptop.Acquire(t.Context(), lease.Holder{User: "ada"})
				if err != nil {
					t.Fatal(err)
				}
				lost := make(chan struct{})
				go first.Renew(t.Context(), func() { close(lost) })
				time.Sleep(lease.RenewEvery/2 - time.Second)
				slept.Store(int64(lease.Life))
				second := at(s, never)
				second.Now = laptop.Now
				if _, err := second.Acquire(t.Context(), lease.Holder{User: "bob"}); err != nil {
					t.Fatal(err)
				}
				s.down.Store(offline)
				woke := time.Now()
				select {
				case <-lost:
				case <-time.After(lease.RenewEvery / 4):
					t.Errorf("not noticed after %s", time.Since(woke))
				}
				s.down.Store(false)
				if err := first.Release(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := s.user(t); got != "bob" {
					t.Errorf("the record is %q's", got)
				}
			})
		})
	}
}

func TestReleaseDeletesNoLeaseThatWasLostUnnoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		first := acquire(t, s, "ada")
		time.Sleep(lease.Life + time.Second)
		acquire(t, s, "bob")
		if err := first.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := s.user(t); got != "bob" {
			t.Errorf("the record is %q's", got)
		}
	})
}

func TestExpiredLeaseThatNobodyTookOverIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		l := acquire(t, s, "ada")
		time.Sleep(lease.Life + time.Second)
		if err := l.Release(t.Context()); err != nil || s.version() != 0 {
			t.Errorf("%v, version %d", err, s.version())
		}
	})
}

// change is a record with more than the holder.
type change struct {
	Holder lease.Holder `json:"holder"`
	ACL    string       `json:"acl,omitempty"`
}

func TestRecordIsUpdatedWhileTheLeaseIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &cuttable{}
		p := lease.Parameter[change]{API: s, HolderOf: func(c *change) *lease.Holder { return &c.Holder }, Dead: never}
		l, err := p.Create(t.Context(), change{Holder: lease.Holder{User: "ada"}})
		if err != nil {
			t.Fatal(err)
		}
		s.down.Store(true) // renewals that fail check when the record was last written
		go l.Renew(t.Context(), func() {})
		for range 50 {
			time.Sleep(lease.RenewEvery / 4)
			s.down.Store(!s.down.Load())
			_ = l.Update(t.Context(), func(c *change) { c.ACL = "acl-1" })
			if got := l.Record().ACL; got != "acl-1" {
				t.Fatalf("the record says %q", got)
			}
		}
		c, live, err := p.Read(t.Context())
		if err != nil || !live || c.ACL != "acl-1" || c.Holder.User != "ada" {
			t.Errorf("read %+v, %t, %v", c, live, err)
		}
		if err := p.Remove(t.Context(), lease.Holder{User: "bob"}); err != nil || s.version() == 0 {
			t.Errorf("another run's record was removed: %v", err)
		}
	})
}

func TestRecordsKeepTheirJSONForm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the clock starts at 2000-01-01T00:00:00Z
		s := &store{}
		holder := lease.Holder{User: "ada", Host: "laptop", PID: 7, Nonce: "n"}
		if _, err := at(s, never).Acquire(t.Context(), holder); err != nil {
			t.Fatal(err)
		}
		const want = `{"user":"ada","host":"laptop","pid":7,"nonce":"n","expires":"2000-01-01T00:02:00Z"}`
		if *s.versions[len(s.versions)-1] != want {
			t.Errorf("got  %s\nwant %s", *s.versions[len(s.versions)-1], want)
		}
	})
}
