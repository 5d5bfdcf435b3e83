// Package lease provides an expiring lock that is stored in a parameter of AWS
// Systems Manager. Its record names the holder and may carry further data.
package lease

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/awsapi"
)

// API is the part of Systems Manager that leases use.
type API interface {
	GetParameter(context.Context, *ssm.GetParameterInput, ...func(*ssm.Options)) (*ssm.GetParameterOutput, error)
	PutParameter(context.Context, *ssm.PutParameterInput, ...func(*ssm.Options)) (*ssm.PutParameterOutput, error)
	DeleteParameter(
		context.Context, *ssm.DeleteParameterInput, ...func(*ssm.Options),
	) (*ssm.DeleteParameterOutput, error)
}

// ErrContended is returned when other runs kept acquiring and releasing the lease.
var ErrContended = errors.New("other runs keep acquiring it")

// HeldError is returned when another run holds the lease.
type HeldError struct {
	Holder Holder
	Live   bool // false if the holder has ended or its lease has expired
}

// Error names the holder.
func (e *HeldError) Error() string { return "held by " + e.Holder.String() }

// Parameter is the parameter that stores a lease. R is its record, which is
// stored as JSON.
type Parameter[R any] struct {
	API         API
	Name        string
	Description string            // of the parameter, for people who list parameters
	HolderOf    func(*R) *Holder  // returns the holder within a record
	Dead        func(Holder) bool // reports whether a holder's process has certainly ended
	Now         func() time.Time  // the time of day; time.Now if nil
}

func (p Parameter[R]) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}

// stored is a record as read from the parameter.
type stored[R any] struct {
	record  R
	version int64
}

// Read returns the stored record, or nil if there is none. live reports whether
// its holder still runs.
func (p Parameter[R]) Read(ctx context.Context) (record *R, live bool, err error) {
	s, err := p.read(ctx)
	if s == nil {
		return nil, false, err
	}
	return &s.record, p.live(s.record), nil
}

// Acquire acquires the lease with record as its contents. It takes over a lease
// that has expired or whose holder is dead. The error is a *HeldError if another
// run holds the lease.
func (p Parameter[R]) Acquire(ctx context.Context, record R) (*Lease[R], error) {
	for range attempts {
		l, other, err := p.create(ctx, record)
		switch {
		case l != nil || err != nil:
			return l, err
		case other == nil:
			continue
		case p.sameHolder(other.record, record): // our own put, whose response was lost
			return p.succeed(ctx, record, other.version, p.HolderOf(&other.record).Expires)
		case p.live(other.record):
			return nil, &HeldError{Holder: *p.HolderOf(&other.record), Live: true}
		}
		if l, err = p.takeOver(ctx, record); l != nil || err != nil {
			return l, err
		}
	}
	return nil, fmt.Errorf("acquire %s: %w", p.Name, ErrContended)
}

// Create acquires the lease like Acquire but never takes one over: the error is a
// *HeldError also if the holder is dead, because the caller has to process the
// holder's record first.
func (p Parameter[R]) Create(ctx context.Context, record R) (*Lease[R], error) {
	for range attempts {
		l, other, err := p.create(ctx, record)
		if l != nil || err != nil {
			return l, err
		}
		if other != nil {
			return nil, &HeldError{Holder: *p.HolderOf(&other.record), Live: p.live(other.record)}
		}
	}
	return nil, fmt.Errorf("acquire %s: %w", p.Name, ErrContended)
}

// Remove deletes the stored record if it is holder's. It does nothing if there is
// no record or another run has replaced it.
func (p Parameter[R]) Remove(ctx context.Context, holder Holder) error {
	s, err := p.read(ctx)
	if s == nil || !p.HolderOf(&s.record).is(holder) {
		return err
	}
	return p.Delete(ctx)
}

// Delete deletes the record, whoever holds the lease.
func (p Parameter[R]) Delete(ctx context.Context) error {
	_, err := p.API.DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: &p.Name})
	if err != nil && !awsapi.IsNotFound(err) {
		return fmt.Errorf("delete %s: %w", p.Name, err)
	}
	return nil
}

// create stores the record unless there is one. It returns the other record if
// there is, and neither a lease nor a record if that has just been deleted.
func (p Parameter[R]) create(ctx context.Context, record R) (*Lease[R], *stored[R], error) {
	version, expires, err := p.put(ctx, record, false)
	if err == nil {
		return p.acquired(record, version, expires), nil, nil
	}
	if !awsapi.IsExists(err) {
		return nil, nil, fmt.Errorf("acquire %s: %w", p.Name, err)
	}
	other, err := p.read(ctx)
	if other == nil {
		return nil, nil, err
	}
	if other.version == 1 && p.equal(other.record, record) { // our own put, whose response was lost
		return p.acquired(record, 1, p.HolderOf(&other.record).Expires), nil, nil
	}
	return nil, other, nil
}

// takeOver replaces a record whose holder is not live. It returns neither a lease nor an
// error if it cannot know whether the record was replaced. The put is sent once: a repeated
// one would only write another version.
func (p Parameter[R]) takeOver(ctx context.Context, record R) (*Lease[R], error) {
	version, expires, err := p.put(ctx, record, true, awsapi.SendOnceSSM)
	switch {
	case awsapi.IsResponseLost(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("take over %s: %w", p.Name, err)
	}
	return p.succeed(ctx, record, version, expires)
}

// succeed returns the lease of a run that has put its record as a version, unless a live run
// put one before it: of several runs that take over, the one with the lowest version holds the
// lease. What a run has read before its put may be old; the text of a version is always the same.
func (p Parameter[R]) succeed(
	ctx context.Context, record R, version int64, expires time.Time,
) (*Lease[R], error) {
	for before := version - 1; before > 0; before-- {
		s, err := p.readVersion(ctx, before)
		if err != nil {
			return nil, err
		}
		holder := *p.HolderOf(&s.record)
		if !p.now().Before(holder.Expires) {
			break // those before it have expired too
		}
		if !p.sameHolder(s.record, record) && !p.Dead(holder) {
			return nil, &HeldError{Holder: holder, Live: true}
		}
	}
	l := p.acquired(record, version, expires)
	l.TookOver = version > 1
	return l, nil
}

// readVersion returns a version of the record, which reads may not show yet.
func (p Parameter[R]) readVersion(ctx context.Context, version int64) (*stored[R], error) {
	name := p.Name + ":" + strconv.FormatInt(version, 10)
	for end := p.now().Add(settleLimit); ; {
		s, err := p.readAs(ctx, name)
		if s != nil || err != nil {
			return s, err
		}
		if !p.now().Before(end) {
			return nil, fmt.Errorf("read %s: Parameter Store does not show this version", name)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(settlePause):
		}
	}
}

func (p Parameter[R]) live(record R) bool {
	holder := *p.HolderOf(&record)
	return p.now().Before(holder.Expires) && !p.Dead(holder)
}

// equal reports whether two records are equal apart from their expiry.
func (p Parameter[R]) equal(a, b R) bool {
	p.HolderOf(&a).Expires, p.HolderOf(&b).Expires = time.Time{}, time.Time{}
	return reflect.DeepEqual(a, b)
}

// sameHolder reports whether two records are of the same run.
func (p Parameter[R]) sameHolder(a, b R) bool { return p.HolderOf(&a).is(*p.HolderOf(&b)) }

func (p Parameter[R]) read(ctx context.Context) (*stored[R], error) { return p.readAs(ctx, p.Name) }

// readAs reads the record with the parameter's name, which a version may follow. It returns nil
// if there is none.
func (p Parameter[R]) readAs(ctx context.Context, name string) (*stored[R], error) {
	value, err := p.API.GetParameter(ctx, &ssm.GetParameterInput{Name: &name})
	if awsapi.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	s := &stored[R]{version: value.Parameter.Version}
	text := aws.ToString(value.Parameter.Value)
	if err := json.Unmarshal([]byte(text), &s.record); err != nil {
		return nil, fmt.Errorf("read %s: decode %q: %w", name, text, err)
	}
	return s, nil
}

// put stores the record with a new expiry, and returns the version that the
// parameter then has.
func (p Parameter[R]) put(
	ctx context.Context,
	record R,
	overwrite bool,
	options ...func(*ssm.Options),
) (version int64, expires time.Time, err error) {
	expires = p.now().Add(Life).UTC().Truncate(time.Second)
	p.HolderOf(&record).Expires = expires
	value, err := json.Marshal(record)
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("encode the record: %w", err)
	}
	out, err := p.API.PutParameter(ctx, &ssm.PutParameterInput{
		Name:        &p.Name,
		Value:       aws.String(string(value)),
		Type:        types.ParameterTypeString,
		Overwrite:   &overwrite,
		Description: &p.Description,
	}, options...)
	if err != nil {
		return 0, time.Time{}, err
	}
	return out.Version, expires, nil
}
