package apply

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
)

// Parameters is what a lock needs of Systems Manager.
type Parameters interface {
	GetParameter(context.Context, *ssm.GetParameterInput, ...func(*ssm.Options)) (*ssm.GetParameterOutput, error)
	PutParameter(context.Context, *ssm.PutParameterInput, ...func(*ssm.Options)) (*ssm.PutParameterOutput, error)
	DeleteParameter(context.Context, *ssm.DeleteParameterInput, ...func(*ssm.Options)) (*ssm.DeleteParameterOutput, error)
}

const (
	lockLife  = 2 * time.Minute
	lockRenew = 20 * time.Second
)

// Holder is who works on a deployment. It is what the lock's parameter says.
type Holder struct {
	User    string    `json:"user"`
	Host    string    `json:"host"`
	PID     int       `json:"pid"`
	Nonce   string    `json:"nonce"` // tells two runs of the same process apart
	Expires time.Time `json:"expires"`
}

// Here is this process as a holder.
func Here() Holder {
	h := Holder{PID: os.Getpid(), Nonce: rand.Text()}
	h.Host, _ = os.Hostname()
	if who, err := user.Current(); err == nil {
		h.User = who.Username
	}
	return h
}

// Gone tells that a holder's process has ended for certain: it ran on this host,
// which has no such process any more.
func Gone(h Holder) bool {
	host, err := os.Hostname()
	return err == nil && host == h.Host && h.PID > 0 && errors.Is(syscall.Kill(h.PID, 0), syscall.ESRCH)
}

// String names the holder.
func (h Holder) String() string {
	return h.User + "@" + h.Host + " (process " + strconv.Itoa(h.PID) + ")"
}

// lock is a parameter in the cloud that one run at a time holds. It is made by
// a put that refuses to overwrite. Of those who take over a lock whose holder is
// gone, the one whose put got the very next version has it: versions are given
// out one by one.
type lock struct {
	parameters Parameters
	name       string
	holder     Holder
	version    int64
	// Took tells that another run left the lock behind, so that it ended
	// without finishing its last call.
	Took bool
}

func lockName(app string) string { return "/aloft/" + app + "/lock" }

// acquire takes the lock or says who has it.
func acquire(
	ctx context.Context,
	parameters Parameters,
	app string,
	holder Holder,
	gone func(Holder) bool,
) (*lock, error) {
	l := &lock{parameters: parameters, name: lockName(app), holder: holder}
	for range 5 {
		version, err := l.put(ctx, false)
		if err == nil {
			l.version = version
			return l, nil
		}
		if !awsapi.IsExists(err) {
			return nil, fmt.Errorf("take the lock %s: %w", l.name, err)
		}
		other, seen, err := l.read(ctx)
		if awsapi.IsNotFound(err) {
			continue // just released
		}
		if err != nil {
			return nil, fmt.Errorf("read the lock %s: %w", l.name, err)
		}
		if seen == 1 && same(other, holder) { // made by a put of ours whose answer was lost
			l.version = seen
			return l, nil
		}
		if time.Now().Before(other.Expires) && !gone(other) {
			return nil, l.held(other)
		}
		if err = l.takeOver(ctx, seen); err != nil {
			return nil, fmt.Errorf("take over the lock %s: %w", l.name, err)
		}
		if l.Took {
			return l, nil
		}
	}
	return nil, l.held(Holder{User: "others", Host: "somewhere"})
}

// takeOver puts this run's holder in the place of the one whose version was seen,
// and takes the lock when no other run came before. It is sent once: a second put
// would get another version, and neither would tell who was first.
func (l *lock) takeOver(ctx context.Context, seen int64) error {
	version, err := l.put(ctx, true, awsapi.OnceSSM)
	if awsapi.IsLost(err) {
		var now Holder
		if now, version, err = l.read(ctx); err == nil && !same(now, l.holder) {
			return nil
		}
	}
	if err == nil && (version == seen+1 || version == 1) {
		l.version, l.Took = version, true
	}
	return err
}

func (l *lock) held(by Holder) error {
	return &diag.Diagnostic{Where: l.name, Summary: fmt.Sprintf("%s is working on this deployment", by),
		Detail: fmt.Sprintf("its lock holds until %s unless it is renewed", by.Expires.Local().Format(time.TimeOnly)),
		Hint:   "wait until it has finished; when it was killed, the lock ends by itself"}
}

// same tells that two are the same run.
func same(a, b Holder) bool {
	a.Expires, b.Expires = time.Time{}, time.Time{}
	return a == b
}

func (l *lock) put(ctx context.Context, overwrite bool, options ...func(*ssm.Options)) (int64, error) {
	holder := l.holder
	holder.Expires = time.Now().Add(lockLife).UTC().Truncate(time.Second)
	value, err := json.Marshal(holder)
	if err != nil {
		return 0, fmt.Errorf("encode the holder: %w", err)
	}
	made, err := l.parameters.PutParameter(ctx, &ssm.PutParameterInput{
		Name: &l.name, Value: aws.String(string(value)), Type: types.ParameterTypeString, Overwrite: aws.Bool(overwrite), Description: aws.String("Aloft: who is at work"),
	}, options...)
	if err != nil {
		return 0, err
	}
	l.holder.Expires = holder.Expires // not before: what was not put does not hold
	return made.Version, nil
}

func (l *lock) read(ctx context.Context) (Holder, int64, error) {
	value, err := l.parameters.GetParameter(ctx, &ssm.GetParameterInput{Name: &l.name})
	if err != nil {
		return Holder{}, 0, err
	}
	var h Holder
	if err := json.Unmarshal([]byte(aws.ToString(value.Parameter.Value)), &h); err != nil {
		return Holder{}, 0, fmt.Errorf("it says %q: %w", aws.ToString(value.Parameter.Value), err)
	}
	return h, value.Parameter.Version, nil
}

var errLockLost = errors.New(
	"the lock of this deployment was taken over by another run, because it could not be renewed",
)

// hold renews the lock until the context ends, and cancels the work when the
// lock is lost.
func (l *lock) hold(ctx context.Context, cancel context.CancelCauseFunc) {
	timer := time.NewTicker(lockRenew)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		lapsed := time.Now().After(l.holder.Expires)
		version, err := l.put(ctx, true)
		switch {
		case err != nil && time.Now().Before(l.holder.Expires):
			continue // there is time to try again
		case err != nil, lapsed && version != l.version+1:
			cancel(errLockLost)
			return
		}
		l.version = version
	}
}

// release gives the lock back, also when the run was cancelled.
func (l *lock) release(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if _, err := l.parameters.DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: &l.name}); err != nil &&
		!awsapi.IsNotFound(err) {
		return fmt.Errorf("release the lock %s: %w", l.name, err)
	}
	return nil
}
