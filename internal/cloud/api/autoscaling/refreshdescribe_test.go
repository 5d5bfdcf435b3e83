package autoscaling_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/store"
)

func TestRefreshesAreDescribedNewestFirstForSixWeeks(t *testing.T) {
	w := newRefreshWorld(t)
	id, err := w.startRefresh(nil)
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{id}
	for age := range 5 {
		if age == 0 {
			continue
		}
		w.update(func(tx *store.Tx) {
			row, _ := store.InstanceRefreshes.Get(tx, id)
			old := *row
			old.ID, old.Status, old.Created = fmt.Sprint(
				"old-",
				age,
			), store.RefreshSuccessful, row.Created.Add(-time.Duration(age)*11*24*time.Hour)
			store.InstanceRefreshes.Put(tx, &old)
		})
		if age < 4 {
			ids = append(ids, fmt.Sprint("old-", age))
		}
	}
	var got []string
	for p := autoscaling.NewDescribeInstanceRefreshesPaginator(w, &autoscaling.DescribeInstanceRefreshesInput{
		AutoScalingGroupName: aws.String("g"), MaxRecords: aws.Int32(3),
	}); p.HasMorePages(); {
		out, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range out.InstanceRefreshes {
			got = append(got, *r.InstanceRefreshId)
		}
	}
	if strings.Join(got, " ") != strings.Join(ids, " ") {
		t.Errorf("got %v, want %v", got, ids)
	}
	if one := w.refreshes("old-2"); len(one) != 1 || *one[0].InstanceRefreshId != "old-2" {
		t.Errorf("%+v", one)
	}
	if _, err := w.DescribeInstanceRefreshes(t.Context(), &autoscaling.DescribeInstanceRefreshesInput{
		AutoScalingGroupName: aws.String("g"), NextToken: aws.String("x"),
	}); errorText(err) != "InvalidNextToken: The token 'x' is invalid." {
		t.Errorf("got %v", err)
	}
}
