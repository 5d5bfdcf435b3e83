//go:build linux

package host

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"aloft.dev/aloft/internal/cloud/plane/loopback"
	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/diag"
)

// scopeRegion is the region in the scope of signatures. The daemon has none, and signatures
// need one.
const scopeRegion = "local"

// call sends a request that is not one of AWS's to a daemon, signed with the account's key,
// and decodes the response into out. in may be nil.
func (d Daemon) call(ctx context.Context, layout Layout, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	request, err := d.request(ctx, layout, method, path, body)
	if err != nil {
		return err
	}
	dial, err := d.Dialer()
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return errors.New(strings.TrimSpace(string(answer)))
	}
	return json.Unmarshal(answer, out)
}

// request returns a request that is not one of AWS's, signed with the account's key.
func (d Daemon) request(ctx context.Context, layout Layout, method, path string, body []byte) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+d.Address+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	key, err := ReadCredentials(layout)
	if err != nil {
		return nil, err
	}
	signer, sum := v4.NewSigner(), sha256.Sum256(body)
	err = signer.SignHTTP(ctx, aws.Credentials{AccessKeyID: key.AccessKeyID, SecretAccessKey: key.SecretAccessKey},
		request, hex.EncodeToString(sum[:]), wire.OwnService, scopeRegion, time.Now())
	return request, err
}

// Dialer returns a function that connects to the daemon, or to its successor after a
// restart, and not to another user's program that listens at the address meanwhile.
func (d Daemon) Dialer() (func(ctx context.Context, network, address string) (net.Conn, error), error) {
	owner, err := userOfProcess(d.PID)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if err = loopback.CheckServer(conn, owner); err == nil {
			return conn, nil
		}
		_ = conn.Close()
		return nil, notTheDaemon(address, err)
	}, nil
}

// notTheDaemon explains an error of loopback.CheckServer.
func notTheDaemon(address string, err error) error {
	if errors.Is(err, loopback.ErrNoSocket) { // the daemon ended just now; clients try again
		return &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	problem := &diag.Diagnostic{
		Where: "port " + address, Summary: "another user listens there in the local cloud's place", Cause: err,
		Hint: "nothing was sent; end that program (ss -ltnp names it), then: sudo aloft local restart",
	}
	if at, err := netip.ParseAddrPort(address); err == nil {
		if listener, err := loopback.FindListener(at); err == nil {
			problem.Summary = listener.String() + " listens there in the local cloud's place"
		}
	}
	return strangerError{diag.List{problem}}
}

// strangerError is an error that clients do not try again.
type strangerError struct{ error }

// Unwrap returns the problem.
func (e strangerError) Unwrap() error { return e.error }

// RetryableError is for the SDK's retryers.
func (e strangerError) RetryableError() bool { return false }

// userOfProcess returns the user whom a process runs as (proc(5), /proc/pid).
func userOfProcess(pid int) (int, error) {
	info, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	if err != nil {
		return 0, fmt.Errorf("find the user of process %d: %w", pid, err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, fmt.Errorf("find the user of process %d: the file system names none", pid)
	}
	return int(stat.Uid), nil
}
