package connerror

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// Microsoft, "Windows Sockets Error Codes" and "System Error Codes".
var (
	refused = []syscall.Errno{windows.WSAECONNREFUSED, windows.ERROR_CONNECTION_REFUSED}
	broken  = []syscall.Errno{windows.WSAECONNRESET, windows.WSAECONNABORTED, windows.ERROR_NETNAME_DELETED}

	rejected = []syscall.Errno{
		windows.WSAEHOSTUNREACH, windows.WSAENETUNREACH, windows.WSAEACCES,
		windows.ERROR_HOST_UNREACHABLE, windows.ERROR_NETWORK_UNREACHABLE,
	}
)
