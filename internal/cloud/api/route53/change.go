package route53

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"aloft.dev/aloft/internal/cloud/manners"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// changesKept is how long GetChange knows a change. AWS does not publish how long it
// does.
const changesKept = 24 * time.Hour

// recordChange records a change of a zone, and forgets old ones.
func (a *API) recordChange(ctx context.Context, tx *store.Tx, comment string) *types.ChangeInfo {
	now := a.Now().UTC()
	for _, old := range store.RecordChanges.List(tx) {
		if now.Sub(old.Submitted) > changesKept {
			store.RecordChanges.Delete(tx, old.ID)
		}
	}
	row := &store.RecordChange{ID: a.ids.UniqueID("C"), Region: wire.GlobalFrom(ctx), Comment: comment, Submitted: now}
	row.InSyncAt = a.Manners.Until(now, manners.PublishRecords, row.ID)
	store.RecordChanges.Put(tx, row)
	return describeChange(row, now)
}

func describeChange(row *store.RecordChange, now time.Time) *types.ChangeInfo {
	out := &types.ChangeInfo{
		Id: aws.String("/change/" + row.ID), Status: types.ChangeStatusInsync, SubmittedAt: aws.Time(row.Submitted),
	}
	if now.Before(row.InSyncAt) {
		out.Status = types.ChangeStatusPending
	}
	if row.Comment != "" {
		out.Comment = aws.String(row.Comment)
	}
	return out
}

// GetChange returns whether a change has reached all name servers.
func (a *API) GetChange(ctx context.Context, in *route53.GetChangeInput) (*route53.GetChangeOutput, error) {
	id := strings.TrimPrefix(strings.TrimPrefix(aws.ToString(in.Id), "/"), "change/")
	row, ok := store.RecordChanges.Get(a.Store.Read(ctx), id)
	if !ok || row.Region != wire.GlobalFrom(ctx) {
		return nil, &wire.Error{
			Code: "NoSuchChange", Message: "Could not find resource with ID: " + id, Status: http.StatusNotFound,
		}
	}
	return &route53.GetChangeOutput{ChangeInfo: describeChange(row, a.Now())}, nil
}
