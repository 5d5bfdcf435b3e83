//go:build linux

package autoscaling_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/smithy-go"

	"aloft.dev/aloft/internal/cloud/wire"
)

// must returns the result of a call that must not fail: must(call())(t).
func must[T any](out T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// check compares a member of a response with what it should be.
func check[T any](t *testing.T, member string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s is %v, want %v", member, got, want)
	}
}

// errorText returns the code and the message of an AWS error: of the handler's own
// error or of the one that the SDK's client received.
func errorText(err error) string {
	if refusal, ok := errors.AsType[*wire.Error](err); ok {
		return refusal.Code + ": " + refusal.Message
	}
	if refusal, ok := errors.AsType[smithy.APIError](err); ok {
		return refusal.ErrorCode() + ": " + refusal.ErrorMessage()
	}
	return fmt.Sprint(err)
}

// wantError checks an AWS error's code and a part of its message.
func wantError(t *testing.T, err error, code, text string) {
	t.Helper()
	got, message, _ := strings.Cut(errorText(err), ": ")
	if got != code || !strings.Contains(message, text) {
		t.Errorf("error %v, want %s with %q", err, code, text)
	}
}

// checkActivity checks an activity's status and words. cause is what follows the
// time in the activity's cause.
func checkActivity(t *testing.T, a types.Activity, status, description, cause string) {
	t.Helper()
	_, got, _ := strings.Cut(*a.Cause, "Z ")
	if string(a.StatusCode) != status || *a.Description != description || got != cause {
		t.Errorf("activity %s, %q, %q;\nwant     %s, %q, %q",
			a.StatusCode, *a.Description, got, status, description, cause)
	}
}
