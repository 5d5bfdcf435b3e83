package apply

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/lease"
)

func lockName(app string) string { return "/aloft/" + app + "/lock" }

// lock is the lease that a run holds while it changes the deployment.
func (d *Deployment) lock() lease.Parameter[lease.Holder] {
	return lease.Parameter[lease.Holder]{
		API:         d.cfg.Client.SSM,
		Name:        lockName(d.cfg.App),
		Description: "Aloft: who is at work",
		HolderOf:    func(h *lease.Holder) *lease.Holder { return h },
		Dead:        d.cfg.Dead,
	}
}

var errLockLost = errors.New(
	"another run took over the lock of this deployment, because it could not be renewed",
)

// locked runs work while it holds the deployment's lock. tookOver reports whether
// an earlier run ended without releasing the lock. If the lock is lost, the
// context of work is canceled.
func (d *Deployment) locked(ctx context.Context, work func(ctx context.Context, tookOver bool) error) error {
	l, err := d.lock().Acquire(ctx, d.cfg.Holder)
	if err != nil {
		return d.lockProblem(err)
	}
	under, cancel := context.WithCancelCause(ctx)
	var renewal sync.WaitGroup
	renewal.Go(func() { l.Renew(under, func() { cancel(errLockLost) }) })
	err = explained(work(under, l.TookOver))
	if errors.Is(context.Cause(under), errLockLost) {
		err = diag.List{{
			Where:   lockName(d.cfg.App),
			Summary: errLockLost.Error(),
			Hint:    "wait until that run has finished, then run the same command again",
			Cause:   err,
		}}
	}
	cancel(nil)
	renewal.Wait()
	if released := l.Release(ctx); err == nil && released != nil {
		return explain("lock", released)
	}
	return err
}

// lockProblem explains why the lock could not be acquired.
func (d *Deployment) lockProblem(err error) error {
	problem := &diag.Diagnostic{Where: lockName(d.cfg.App), Cause: err}
	var held *lease.HeldError
	switch {
	case errors.As(err, &held):
		problem.Summary = fmt.Sprintf("%s is working on this deployment", held.Holder)
		problem.Detail = fmt.Sprintf(
			"its lock is valid until %s and is renewed while it works",
			held.Holder.Expires.Local().Format(time.TimeOnly),
		)
		problem.Hint = "wait until it has finished; if it was killed, its lock expires by itself"
	case errors.Is(err, lease.ErrContended):
		problem.Summary = "other runs are working on this deployment"
		problem.Hint = "wait until they have finished, then run the same command again"
	default:
		return explain("lock", err)
	}
	return diag.List{problem}
}
