package drill

import (
	"context"
	"errors"
	"fmt"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/lease"
)

// Change records what a drill changes in a deployment, with everything that is
// needed to undo it. It is stored in the parameter /aloft/<app>/drill from before
// the change until after the undo.
type Change struct {
	Holder     lease.Holder `json:"holder"`
	Experiment Experiment   `json:"experiment"`
	At         string       `json:"at"` // the server or zone

	InstanceID string `json:"instance_id,omitempty"` // of the server

	VPCID   string            `json:"vpc_id,omitempty"`  // of the zone's subnets
	Subnets map[string]string `json:"subnets,omitempty"` // subnet → its network ACL before the drill
	Token   string            `json:"token,omitempty"`   // client token of the ACL that denies everything
	ACL     string            `json:"acl,omitempty"`     // that ACL, once it is known
}

// RunningError returns an error that says that a drill is running.
func (c *Change) RunningError() error {
	return diag.List{{
		Where:   c.At,
		Summary: fmt.Sprintf("a drill is running (%s), started by %s", c.Experiment, c.Holder),
		Hint: "wait until it has ended; if it was killed on another machine, " +
			"aloft drill --restore --force undoes its change",
	}}
}

// lease is the lease that holds the record of a drill's change.
func (d *Drill) lease() lease.Parameter[Change] {
	return lease.Parameter[Change]{
		API:         d.cfg.Client.SSM,
		Name:        "/aloft/" + d.cfg.App + "/drill",
		Description: "Aloft: what a drill changed",
		HolderOf:    func(c *Change) *lease.Holder { return &c.Holder },
		Dead:        d.cfg.Dead,
	}
}

// Pending returns the change that a drill has made and not undone, or nil if
// there is none. live reports whether that drill still runs.
func (d *Drill) Pending(ctx context.Context) (c *Change, live bool, err error) {
	c, live, err = d.lease().Read(ctx)
	return c, live, awsapi.Wrap("check for a drill of "+d.cfg.App, err)
}

// begin records a change that is about to be made. It first undoes a change that
// an earlier drill left.
func (d *Drill) begin(ctx context.Context, c Change) (*lease.Lease[Change], error) {
	c.Holder = d.cfg.Holder
	for range 3 {
		l, err := d.lease().Create(ctx, c)
		var held *lease.HeldError
		if !errors.As(err, &held) {
			return l, awsapi.Wrap("record the change", err)
		}
		if _, err := d.Restore(ctx, false); err != nil {
			return nil, err
		}
	}
	return nil, diag.List{{
		Where: d.cfg.App, Summary: "other drills keep running", Hint: "wait until they have ended",
	}}
}
