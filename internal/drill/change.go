package drill

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
)

// Change is what a drill does to a deployment, and all that is needed to put it
// back. It is the value of the parameter /aloft/<app>/drill, which stands from
// before the change until after it was put back.
type Change struct {
	Holder     apply.Holder `json:"holder"`
	Experiment Experiment   `json:"experiment"`
	At         string       `json:"at"` // the server or zone

	InstanceID string `json:"instance_id,omitempty"` // of the server

	VPCID   string            `json:"vpc_id,omitempty"`  // of the zone's subnets
	Subnets map[string]string `json:"subnets,omitempty"` // subnet → the network ACL that it was under
	Token   string            `json:"token,omitempty"`   // with which the ACL that refuses all is asked for
	ACL     string            `json:"acl,omitempty"`     // that ACL, once it is known
}

const (
	changeLife  = 2 * time.Minute
	changeRenew = 20 * time.Second
)

func parameter(app string) *string { return aws.String("/aloft/" + app + "/drill") }

// Pending gives the change that a drill made and has not put back, nil when
// there is none; live tells that the drill still runs.
func (d *Drill) Pending(ctx context.Context) (c *Change, live bool, err error) {
	value, err := d.cfg.Client.SSM.GetParameter(ctx, &ssm.GetParameterInput{Name: parameter(d.cfg.App)})
	if awsapi.IsNotFound(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("look for a drill of %s: %w", d.cfg.App, err)
	}
	c = &Change{}
	if err := json.Unmarshal([]byte(aws.ToString(value.Parameter.Value)), c); err != nil {
		return nil, false, fmt.Errorf(
			"read %s: it says %q: %w",
			*parameter(d.cfg.App),
			aws.ToString(value.Parameter.Value),
			err,
		)
	}
	return c, time.Now().Before(c.Holder.Expires) && !d.cfg.Gone(c.Holder), nil
}

// UnderWay tells that a drill runs.
func (c *Change) UnderWay() error {
	return diag.List{{Where: c.At, Summary: fmt.Sprintf("a drill is under way (%s), by %s", c.Experiment, c.Holder),
		Hint: "wait until it has ended; when it was killed on another machine, aloft drill --restore --force puts back what it changed"}}
}

func (d *Drill) write(ctx context.Context, c Change, overwrite bool) error {
	c.Holder.Expires = time.Now().Add(changeLife).UTC().Truncate(time.Second)
	value, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode the change: %w", err)
	}
	_, err = d.cfg.Client.SSM.PutParameter(ctx, &ssm.PutParameterInput{
		Name: parameter(d.cfg.App), Value: aws.String(string(value)), Type: types.ParameterTypeString,
		Overwrite: aws.Bool(overwrite), Description: aws.String("Aloft: what a drill changed"),
	})
	return err
}

// begin writes a change down that is about to be made. What an earlier drill
// left is put back before.
func (d *Drill) begin(ctx context.Context, c Change) error {
	c.Holder = d.cfg.Holder
	for range 3 {
		err := d.write(ctx, c, false)
		if err == nil || !awsapi.IsExists(err) {
			return wrap("write down what is about to change", err)
		}
		if other, _, err := d.Pending(ctx); err == nil && other != nil && same(*other, c) {
			return nil // by a call whose answer was lost
		}
		if _, err := d.Restore(ctx, false); err != nil {
			return err
		}
	}
	return diag.List{{Where: d.cfg.App, Summary: "other drills are under way", Hint: "wait until they have ended"}}
}

// same tells that two records are of one change.
func same(a, b Change) bool {
	a.Holder.Expires, b.Holder.Expires = time.Time{}, time.Time{}
	return reflect.DeepEqual(a, b)
}

// end removes the record of a change that was put back.
func (d *Drill) end(ctx context.Context) error {
	_, err := d.cfg.Client.SSM.DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: parameter(d.cfg.App)})
	if awsapi.IsNotFound(err) {
		return nil
	}
	return wrap("remove the record of the change", err)
}

func wrap(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

var errUnwatched = errors.New("the record of the drill's change could not be renewed")

// ledger keeps the record of a change alive while its drill runs.
type ledger struct {
	drill *Drill

	mu     sync.Mutex
	change Change
	good   time.Time // when it was last written
}

// note adds to the record.
func (l *ledger) note(ctx context.Context, add func(*Change)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	add(&l.change)
	if err := l.drill.write(ctx, l.change, true); err != nil {
		return fmt.Errorf("write down what is about to change: %w", err)
	}
	l.good = time.Now()
	return nil
}

// keep renews the record until ctx ends, and cancels the drill when others may
// take it for dead.
func (l *ledger) keep(ctx context.Context, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(changeRenew)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := l.note(ctx, func(*Change) {}); err != nil && ctx.Err() == nil &&
			time.Since(l.good) > changeLife-changeRenew {
			cancel(errUnwatched)
			return
		}
	}
}
