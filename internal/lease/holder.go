package lease

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
	"time"
)

// Holder identifies the run that holds a lease. Its JSON form is stored in the
// lease's parameter.
type Holder struct {
	User    string    `json:"user"`
	Host    string    `json:"host"`
	PID     int       `json:"pid"`
	Nonce   string    `json:"nonce"` // distinguishes runs whose other fields are equal
	Expires time.Time `json:"expires"`
}

// Self returns a Holder for this process, with a fresh nonce.
func Self() Holder {
	h := Holder{PID: os.Getpid(), Nonce: rand.Text()}
	h.Host, _ = os.Hostname()
	if u, err := user.Current(); err == nil {
		h.User = u.Username
	}
	return h
}

// Dead reports whether the holder's process has certainly ended: it ran on this
// host, and the host has no such process now.
func Dead(h Holder) bool {
	host, err := os.Hostname()
	return err == nil && host == h.Host && h.PID > 0 && hasEnded(h.PID)
}

// hasEnded reports whether this host certainly has no process with a pid. On Windows
// FindProcess looks the process up; elsewhere the null signal does (kill(2)).
func hasEnded(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return !errors.Is(err, fs.ErrPermission)
	}
	defer func() { _ = p.Release() }()
	return errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone)
}

// String returns a description such as "ada@laptop (process 4711)".
func (h Holder) String() string {
	return h.User + "@" + h.Host + " (process " + strconv.Itoa(h.PID) + ")"
}

// is reports whether two holders are the same run.
func (h Holder) is(other Holder) bool {
	h.Expires, other.Expires = time.Time{}, time.Time{}
	return h == other
}
