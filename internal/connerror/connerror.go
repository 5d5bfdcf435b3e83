// Package connerror classifies the errors of connections alike on every system. Windows
// has other numbers for them than syscall's constants.
package connerror

import (
	"errors"
	"slices"
	"syscall"
)

// Refused reports whether the other side refused a connection.
func Refused(err error) bool { return isOneOf(err, refused) }

// Broken reports whether the other side closed a connection in use.
func Broken(err error) bool { return isOneOf(err, broken) }

// Rejected reports whether a firewall or router on the way, or this computer, said that a
// connection is not possible.
func Rejected(err error) bool { return isOneOf(err, rejected) }

func isOneOf(err error, numbers []syscall.Errno) bool {
	var number syscall.Errno
	return errors.As(err, &number) && slices.Contains(numbers, number)
}
