package authorization

import (
	"context"
	"log/slog"
	"time"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

// useInterval is how exactly the last use of a role is known. On AWS it may be hours late
// (IAM User Guide, "Refine permissions in AWS using last accessed information").
const useInterval = 5 * time.Minute

// recordUse records that a session of a role made a call. A failure is logged and has no
// other effect.
func (a *Authorizer) recordUse(ctx context.Context, role *store.Role, region identity.Region) {
	now := a.Now().UTC()
	if now.Sub(role.LastUsed) < useInterval {
		return
	}
	if err := a.Store.Update(func(tx *store.Tx) error {
		if current, ok := store.Roles.Get(tx, role.Key()); ok && current.ID == role.ID {
			store.Roles.Edit(tx, role.Key(), func(row *store.Role) {
				row.LastUsed, row.LastUsedRegion = now, region.Name()
			})
		}
		return nil
	}); err != nil {
		a.Log.LogAttrs(ctx, slog.LevelWarn, "record the use of a role", slog.Any("error", err))
	}
}
