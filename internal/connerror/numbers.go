//go:build !windows

package connerror

import "syscall"

var (
	refused = []syscall.Errno{syscall.ECONNREFUSED}
	broken  = []syscall.Errno{syscall.ECONNRESET, syscall.EPIPE}

	rejected = []syscall.Errno{syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EACCES, syscall.EPERM}
)
