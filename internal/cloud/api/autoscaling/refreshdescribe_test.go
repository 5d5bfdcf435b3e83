//go:build linux

package autoscaling_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestRefreshesAreDescribedNewestFirstForSixWeeks(t *testing.T) {
	w := newRefreshWorld(t)
	id := must(w.startRefresh(nil))(t)
	// The fourth of these is 44 days old.
	for n := 1; n <= 4; n++ {
		w.update(func(tx *store.Tx) {
			row, _ := store.InstanceRefreshes.Get(tx, id)
			old := *row
			old.ID, old.Status = fmt.Sprint("old-", n), store.RefreshSuccessful
			old.Created = row.Created.Add(-time.Duration(n) * 11 * 24 * time.Hour)
			store.InstanceRefreshes.Put(tx, &old)
		})
	}
	var ids []string
	for p := autoscaling.NewDescribeInstanceRefreshesPaginator(w, &autoscaling.DescribeInstanceRefreshesInput{
		AutoScalingGroupName: aws.String("g"), MaxRecords: aws.Int32(3),
	}); p.HasMorePages(); {
		for _, r := range must(p.NextPage(t.Context()))(t).InstanceRefreshes {
			ids = append(ids, *r.InstanceRefreshId)
		}
	}
	check(t, "refreshes", ids, []string{id, "old-1", "old-2", "old-3"})

	byID := w.refreshes("old-2")
	check(t, "number of refreshes by ID", len(byID), 1)
	check(t, "InstanceRefreshId", *byID[0].InstanceRefreshId, "old-2")
	_, err := w.DescribeInstanceRefreshes(t.Context(), &autoscaling.DescribeInstanceRefreshesInput{
		AutoScalingGroupName: aws.String("g"), NextToken: aws.String("x"),
	})
	check(t, "error", errorText(err), "InvalidNextToken: The token 'x' is invalid.")
}
