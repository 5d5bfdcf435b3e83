package awsapi_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"

	"aloft.dev/aloft/internal/awsapi"
)

func TestWaitPollsLessOftenOverTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, calls := time.Now(), 0
		err := awsapi.Wait(t.Context(), time.Hour, "tea", func(context.Context) (bool, error) {
			calls++
			return time.Since(began) > 10*time.Minute, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if calls < 150 || calls > 300 {
			t.Errorf("polled %d times in ten minutes", calls)
		}
	})
}

func TestWaitEndsWithItsLimitOrItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := func(context.Context) (bool, error) { return false, nil }
		var late *awsapi.TimeoutError
		if err := awsapi.Wait(t.Context(), time.Minute, "tea", never); !errors.As(err, &late) {
			t.Errorf("got %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := awsapi.Wait(ctx, time.Minute, "tea", never); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestRetryReturnsTheLastError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := &smithy.GenericAPIError{Code: "DependencyViolation"}
		err := awsapi.Retry(
			t.Context(),
			time.Minute,
			"tea",
			awsapi.IsInUse,
			func(context.Context) error { return busy },
		)
		if !errors.Is(err, busy) {
			t.Errorf("got %v", err)
		}
	})
}
