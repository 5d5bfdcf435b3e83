package iam

import (
	"errors"
	"fmt"
	"net/http"

	"aloft.dev/aloft/internal/cloud/wire"
)

func noSuchEntity(format string, args ...any) error {
	return withStatus(http.StatusNotFound, "NoSuchEntity", format, args...)
}

// isNoSuchEntity reports whether an error is one of noSuchEntity.
func isNoSuchEntity(err error) bool {
	failure, ok := errors.AsType[*wire.Error](err)
	return ok && failure.Code == "NoSuchEntity"
}

func entityExists(format string, args ...any) error {
	return withStatus(http.StatusConflict, "EntityAlreadyExists", format, args...)
}

func deleteConflict(message string) error {
	return withStatus(http.StatusConflict, "DeleteConflict", "%s", message)
}

func limitExceeded(format string, args ...any) error {
	return withStatus(http.StatusConflict, "LimitExceeded", format, args...)
}

func quotaExceeded(quota string, most int) error {
	return limitExceeded("Cannot exceed quota for %s: %d", quota, most)
}

func invalidInput(format string, args ...any) error {
	return wire.Errorf("InvalidInput", format, args...)
}

func withStatus(status int, code, format string, args ...any) error {
	return &wire.Error{Code: code, Message: fmt.Sprintf(format, args...), Status: status}
}
