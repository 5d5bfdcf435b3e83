package console

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

func TestRefreshShowsItsCheckpoints(t *testing.T) {
	began := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	running := types.InstanceRefresh{
		InstanceRefreshId: aws.String("r-1"), Status: types.InstanceRefreshStatusInProgress, StartTime: &began,
		PercentageComplete: aws.Int32(50), InstancesToUpdate: aws.Int32(4), StatusReason: aws.String("Waiting <here>"),
		Preferences: &types.RefreshPreferences{CheckpointPercentages: []int32{20, 50, 100}},
	}
	back := types.InstanceRefresh{
		Status: types.InstanceRefreshStatusRollbackFailed, EndTime: &began,
		Preferences: &types.RefreshPreferences{
			CheckpointPercentages: []int32{100}, CheckpointDelay: aws.Int32(0),
		},
		RollbackDetails: &types.RollbackDetails{RollbackReason: aws.String("an alarm went off")},
	}
	group := newScalingGroup(types.AutoScalingGroup{
		AutoScalingGroupName: aws.String("web"), MinSize: aws.Int32(1), MaxSize: aws.Int32(9),
		DesiredCapacity: aws.Int32(2), Instances: []types.Instance{
			{LifecycleState: types.LifecycleStateInService, HealthStatus: aws.String("Healthy")},
			{LifecycleState: types.LifecycleStateInService, HealthStatus: aws.String("Unhealthy")},
			{LifecycleState: types.LifecycleStatePending, HealthStatus: aws.String("Healthy")},
		},
	})
	group.Refreshes = []Refresh{newRefresh(running), newRefresh(back)}
	page, err := newDesk(t).render(Section{
		Template: "events.html", Data: events{Groups: []ScalingGroup{group}, MoreGroups: 3},
	}, httptest.NewRequest(http.MethodGet, Path, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{
		"1 of 2 machines in service", "1 to 9", `<progress max="100" value="50"`, "50 %, 4 machines left",
		"checkpoints: ✓ 20 %, ✓ 50 %, 100 %; it waits 3600 s at each", "Waiting &lt;here&gt;",
		`<span class="state bad">RollbackFailed</span>`, "it waits 0 s at each", "rolled back: an alarm went off",
		"3 more groups",
	} {
		if !strings.Contains(page, word) {
			t.Errorf("the page lacks %q:\n%s", word, page)
		}
	}
	if n := strings.Count(page, "<progress"); n != 1 {
		t.Errorf("%d refreshes are in progress", n)
	}
}
