package awsapi_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"

	"aloft.dev/aloft/internal/awsapi"
)

func TestErrorsAreToldApartByTheirCodes(t *testing.T) {
	for code, class := range map[string]func(error) bool{
		"InvalidVpcID.NotFound":                       awsapi.IsNotFound,
		"InvalidLaunchTemplateName.NotFoundException": awsapi.IsNotFound,
		"ParameterNotFound":                           awsapi.IsNotFound,
		"InvalidPermission.Duplicate":                 awsapi.IsExists,
		"DependencyViolation":                         awsapi.IsInUse,
		"RequestLimitExceeded":                        awsapi.IsThrottle,
		"UnauthorizedOperation":                       awsapi.IsForbidden,
		"ExpiredToken":                                awsapi.IsIdentity,
		"InsufficientInstanceCapacity":                awsapi.IsCapacity,
		"VcpuLimitExceeded":                           awsapi.IsQuota,
		"InvalidTarget":                               awsapi.IsEventual,
		"InvalidLaunchTemplateId.VersionNotFound":     awsapi.IsNotFound,
		"ActiveInstanceRefreshNotFound":               awsapi.IsNotFound,
		"AlreadyExists":                               awsapi.IsExists,
		"ScalingActivityInProgress":                   awsapi.IsInUse,
		"ResourceContention":                          awsapi.IsThrottle,
	} {
		err := fmt.Errorf("create: %w", &smithy.GenericAPIError{Code: code, Message: "text"})
		if !class(err) {
			t.Errorf("%s is not of its class", code)
		}
		if class(errors.New(code)) {
			t.Errorf("plain text %s is taken for a code", code)
		}
	}
}

func TestAutoScalingTellsByWordsWhatItHasNoCodeFor(t *testing.T) {
	said := func(text string) error { return &smithy.GenericAPIError{Code: "ValidationError", Message: text} }
	if !awsapi.IsNotFound(said("AutoScalingGroup name not found - AutoScalingGroup aloft-shop not found")) {
		t.Error("a group that is not there")
	}
	fresh := said("You must use a valid fully-formed launch template. The image id '[ami-1]' does not exist")
	if awsapi.IsNotFound(fresh) || !awsapi.IsEventual(fresh) {
		t.Error("a template whose image is not known everywhere yet")
	}
	if wrong := said("Min size cannot be larger than max size."); awsapi.IsNotFound(wrong) || awsapi.IsEventual(wrong) {
		t.Error("a mistake")
	}
}

func TestWaitingBeginsQuicklyAndBecomesGentle(t *testing.T) {
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
			t.Errorf("asked %d times in ten minutes", calls)
		}
	})
}

func TestWaitingEndsWithItsTimeOrItsContext(t *testing.T) {
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

func TestRetryGivesTheLastErrorWhenItsTimeIsOver(t *testing.T) {
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
