package apply

import (
	"context"
	"errors"
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
)

// parameters keeps one parameter as Systems Manager does.
type parameters struct {
	mu      sync.Mutex
	value   *string
	version int64
}

func (p *parameters) GetParameter(context.Context, *ssm.GetParameterInput, ...func(*ssm.Options)) (*ssm.GetParameterOutput, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.value == nil {
		return nil, &types.ParameterNotFound{}
	}
	return &ssm.GetParameterOutput{Parameter: &types.Parameter{Value: p.value, Version: p.version}}, nil
}

func (p *parameters) PutParameter(
	_ context.Context,
	in *ssm.PutParameterInput,
	_ ...func(*ssm.Options),
) (*ssm.PutParameterOutput, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.value != nil && !aws.ToBool(in.Overwrite) {
		return nil, &types.ParameterAlreadyExists{}
	}
	p.value = in.Value
	p.version++
	return &ssm.PutParameterOutput{Version: p.version}, nil
}

func (p *parameters) DeleteParameter(context.Context, *ssm.DeleteParameterInput, ...func(*ssm.Options)) (*ssm.DeleteParameterOutput, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.value == nil {
		return nil, &types.ParameterNotFound{}
	}
	p.value, p.version = nil, 0
	return &ssm.DeleteParameterOutput{}, nil
}

var _ Parameters = (*parameters)(nil)

func never(Holder) bool { return false }

var errLost = &smithyhttp.RequestSendError{Err: syscall.ECONNRESET}

// lossy loses the first answer to a put. As the SDK does, it puts again, unless it
// is to send once.
type lossy struct {
	parameters
	lost bool
}

func (l *lossy) PutParameter(
	ctx context.Context,
	in *ssm.PutParameterInput,
	once ...func(*ssm.Options),
) (*ssm.PutParameterOutput, error) {
	out, err := l.parameters.PutParameter(ctx, in)
	if err != nil || l.lost {
		return out, err
	}
	if l.lost = true; len(once) > 0 {
		return nil, errLost
	}
	return l.parameters.PutParameter(ctx, in)
}

func TestALockIsHeldAlsoWhenTheAnswerWasLost(t *testing.T) {
	ada, bob := Holder{User: "ada", Nonce: "1"}, Holder{User: "bob", Nonce: "2"}
	p := &lossy{}
	if l, err := acquire(t.Context(), p, "shop", ada, never); err != nil || l.Took || l.version != 1 {
		t.Fatalf("got %+v, %v", l, err)
	}
	if _, err := acquire(t.Context(), p, "shop", bob, never); err == nil {
		t.Error("two hold one lock")
	}
	p.lost = false
	if l, err := acquire(t.Context(), p, "shop", bob, func(h Holder) bool { return h.User == "ada" }); err != nil ||
		!l.Took ||
		l.version != 2 {
		t.Errorf("got %+v, %v", l, err)
	}
}

// cut is a network without a way out.
type cut struct {
	parameters
	down atomic.Bool
}

func (c *cut) PutParameter(
	ctx context.Context,
	in *ssm.PutParameterInput,
	_ ...func(*ssm.Options),
) (*ssm.PutParameterOutput, error) {
	if c.down.Load() {
		return nil, errLost
	}
	return c.parameters.PutParameter(ctx, in)
}

func TestALockThatCannotBeRenewedIsLostWhenItsTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &cut{}
		l, err := acquire(t.Context(), p, "shop", Holder{User: "ada"}, never)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		go l.hold(ctx, cancel)
		time.Sleep(time.Second)
		p.down.Store(true)
		time.Sleep(lockLife - lockRenew)
		if ctx.Err() != nil {
			t.Error("it was given up while it held")
		}
		time.Sleep(2 * lockRenew)
		if !errors.Is(context.Cause(ctx), errLockLost) {
			t.Errorf("got %v", context.Cause(ctx))
		}
	})
}

func TestOneRunAtATimeHoldsTheLock(t *testing.T) {
	p := &parameters{}
	first, err := acquire(t.Context(), p, "shop", Holder{User: "ada", Host: "here"}, never)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = acquire(t.Context(), p, "shop", Holder{User: "bob"}, never); err == nil ||
		!strings.Contains(err.Error(), "ada@here") {
		t.Errorf("got %v", err)
	}
	if err := first.release(t.Context()); err != nil {
		t.Fatal(err)
	}
	second, err := acquire(t.Context(), p, "shop", Holder{User: "bob"}, never)
	if err != nil || second.Took {
		t.Errorf("got %+v, %v", second, err)
	}
}

func TestALockIsTakenOverWhenItHasExpiredOrItsHolderIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &parameters{}
		if _, err := acquire(t.Context(), p, "shop", Holder{User: "ada"}, never); err != nil {
			t.Fatal(err)
		}
		l, err := acquire(t.Context(), p, "shop", Holder{User: "bob"}, func(h Holder) bool { return h.User == "ada" })
		if err != nil || !l.Took {
			t.Fatalf("got %+v, %v", l, err)
		}
		time.Sleep(lockLife + time.Second)
		if l, err = acquire(t.Context(), p, "shop", Holder{User: "eve"}, never); err != nil || !l.Took {
			t.Fatalf("got %+v, %v", l, err)
		}
	})
}

func TestOfManyWhoTakeOverOneLockOneHasIt(t *testing.T) {
	p := &parameters{}
	if _, err := acquire(t.Context(), p, "shop", Holder{User: "ada"}, never); err != nil {
		t.Fatal(err)
	}
	var winners sync.Map
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if l, err := acquire(t.Context(), p, "shop", Holder{User: "thief"}, func(h Holder) bool { return h.User == "ada" }); err == nil {
				winners.Store(l, true)
			}
		})
	}
	all.Wait()
	n := 0
	winners.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d runs hold the lock", n)
	}
}

func TestALockIsRenewedAndItsLossStopsTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &parameters{}
		l, err := acquire(t.Context(), p, "shop", Holder{User: "ada"}, never)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan struct{})
		go func() { l.hold(ctx, cancel); close(done) }()
		time.Sleep(time.Hour)
		if _, err := acquire(t.Context(), p, "shop", Holder{User: "bob"}, never); err == nil {
			t.Error("a lock that is renewed was taken over")
		}
		cancel(nil)
		<-done

		time.Sleep(lockLife + time.Second) // the holder slept
		if _, err := acquire(t.Context(), p, "shop", Holder{User: "bob"}, never); err != nil {
			t.Fatal(err)
		}
		ctx, cancel = context.WithCancelCause(t.Context())
		go l.hold(ctx, cancel)
		time.Sleep(lockRenew + time.Second)
		if !errors.Is(context.Cause(ctx), errLockLost) {
			t.Errorf("got %v", context.Cause(ctx))
		}
	})
}
