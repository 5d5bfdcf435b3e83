package authorization

import (
	"context"
	"log/slog"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// useInterval is how exactly the last use of a role or an access key is known. On AWS it may
// be hours late (IAM User Guide, "Refine permissions in AWS using last accessed information").
const useInterval = 5 * time.Minute

// recordUse records that a principal called a service. A failure is logged and has no other
// effect.
func (a *Authorizer) recordUse(ctx context.Context, p *principal, service string) {
	now, region := a.Now().UTC(), p.caller.Region.Name()
	var record func(tx *store.Tx)
	if p.holder.role != nil && now.Sub(p.holder.role.LastUsed) >= useInterval {
		record = func(tx *store.Tx) { recordRole(tx, p.holder.role, now, region) }
	}
	key, ok := store.AccessKeys.Get(a.Store.View(), p.caller.AccessKeyID)
	if ok && now.Sub(key.LastUsed) >= useInterval {
		record = func(tx *store.Tx) {
			store.AccessKeys.Edit(tx, key.ID, func(row *store.AccessKey) {
				row.LastUsed, row.LastUsedService, row.LastUsedRegion = now, service, region
			})
		}
	}
	if record == nil {
		return
	}
	if err := a.Store.Update(func(tx *store.Tx) error { record(tx); return nil }); err != nil {
		a.Log.LogAttrs(ctx, slog.LevelWarn, "record the use of a role or a key", slog.Any("error", err))
	}
}

func recordRole(tx *store.Tx, role *store.Role, now time.Time, region string) {
	if current, ok := store.Roles.Get(tx, role.Key()); ok && current.ID == role.ID {
		store.Roles.Edit(tx, role.Key(), func(row *store.Role) { row.LastUsed, row.LastUsedRegion = now, region })
	}
}
