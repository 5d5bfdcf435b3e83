package drill

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/stack"
)

// alertsSince returns the addresses of the application's alarms that have gone off since
// a time, and nil if that cannot be found out: what a drill measured is worth reporting
// all the same.
func (d *Drill) alertsSince(ctx context.Context, began time.Time) []string {
	fired := []string{}
	for _, address := range stack.AlarmAddresses() {
		name := stack.AlarmName(d.cfg.App, address)
		out, err := d.cfg.Client.CW.DescribeAlarmHistory(ctx, &cloudwatch.DescribeAlarmHistoryInput{
			AlarmName: &name, HistoryItemType: types.HistoryItemTypeStateUpdate, StartDate: aws.Time(began),
		})
		if err != nil {
			d.cfg.Events(event.Event{
				Time: time.Now(), Kind: event.Progress,
				Message: fmt.Sprintf("the report does not say which alerts went off: %v", err),
			})
			return nil
		}
		for _, item := range out.AlarmHistoryItems {
			if strings.HasSuffix(aws.ToString(item.HistorySummary), " to ALARM") {
				fired = append(fired, address)
				break
			}
		}
	}
	return fired
}
