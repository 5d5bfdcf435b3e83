package cloudwatch_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"aloft.dev/aloft/internal/cloud/metric"
)

// follows returns a request for a composite alarm, changed by change if it is not nil.
func follows(name, rule string, change func(in *client.PutCompositeAlarmInput)) *client.PutCompositeAlarmInput {
	in := &client.PutCompositeAlarmInput{AlarmName: &name, AlarmRule: &rule}
	if change != nil {
		change(in)
	}
	return in
}

func TestCompositeAlarmsAreDescribed(t *testing.T) {
	overEveryProtocol(t, func(t *testing.T, c *client.Client, _ *metric.Store) {
		ctx := t.Context()
		for _, name := range []string{"a", "b"} {
			if _, err := c.PutMetricAlarm(ctx, high(name, nil)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.PutCompositeAlarm(ctx, follows("c", "ALARM(a) OR ALARM(b)", func(
			in *client.PutCompositeAlarmInput,
		) {
			in.AlarmDescription, in.ActionsSuppressor = aws.String("d"), aws.String("b")
			in.ActionsSuppressorWaitPeriod, in.ActionsSuppressorExtensionPeriod = aws.Int32(1), aws.Int32(2)
			in.AlarmActions = []string{"arn:aws:sns:eu-west-1:000000000000:t"}
			in.Tags = []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}
		})); err != nil {
			t.Fatal(err)
		}
		if _, err := c.PutCompositeAlarm(ctx, follows("e", "OK(c)", nil)); err != nil {
			t.Fatal(err)
		}
		describe := func(in *client.DescribeAlarmsInput) (names string, out *client.DescribeAlarmsOutput) {
			t.Helper()
			out, err := c.DescribeAlarms(ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range out.MetricAlarms {
				names += *a.AlarmName
			}
			for _, a := range out.CompositeAlarms {
				names += strings.ToUpper(*a.AlarmName)
			}
			return names, out
		}
		all := []types.AlarmType{types.AlarmTypeCompositeAlarm, types.AlarmTypeMetricAlarm}
		for want, in := range map[string]*client.DescribeAlarmsInput{
			"ab":   {},
			"CE":   {AlarmTypes: all[:1]},
			"abCE": {AlarmTypes: all},
			"C":    {AlarmTypes: all, AlarmNames: []string{"c"}},
			"a":    {AlarmTypes: all, AlarmNamePrefix: aws.String("a")},
			"E":    {ParentsOfAlarmName: aws.String("c")},
		} {
			if got, _ := describe(in); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		names, out := describe(&client.DescribeAlarmsInput{ChildrenOfAlarmName: aws.String("c")})
		if first := out.MetricAlarms[0]; names != "ab" || first.StateValue != "INSUFFICIENT_DATA" ||
			first.Threshold != nil {
			t.Errorf("children %s: %+v", names, out.MetricAlarms)
		}
		_, out = describe(&client.DescribeAlarmsInput{AlarmTypes: all, AlarmNames: []string{"c"}})
		got := out.CompositeAlarms[0]
		if *got.AlarmRule != "ALARM(a) OR ALARM(b)" || *got.AlarmDescription != "d" || *got.ActionsSuppressor != "b" ||
			*got.ActionsSuppressorWaitPeriod != 1 || *got.ActionsSuppressorExtensionPeriod != 2 ||
			got.StateValue != "INSUFFICIENT_DATA" || !*got.ActionsEnabled || len(got.AlarmActions) != 1 {
			t.Errorf("%+v", got)
		}
		tags, err := c.ListTagsForResource(ctx, &client.ListTagsForResourceInput{ResourceARN: got.AlarmArn})
		if err != nil || len(tags.Tags) != 1 {
			t.Errorf("tags %+v, %v", tags, err)
		}
		history, err := c.DescribeAlarmHistory(ctx, &client.DescribeAlarmHistoryInput{AlarmTypes: all[:1]})
		if err != nil || len(history.AlarmHistoryItems) != 2 ||
			history.AlarmHistoryItems[0].AlarmType != types.AlarmTypeCompositeAlarm {
			t.Errorf("history %+v, %v", history, err)
		}
		_, err = c.DescribeAlarms(ctx, &client.DescribeAlarmsInput{
			ChildrenOfAlarmName: aws.String("c"), AlarmNames: []string{"a"},
		})
		wantCode(t, err, "InvalidParameterCombination", "ChildrenOfAlarmName")
	})
}

func TestAlarmsThatOthersDependOnStay(t *testing.T) {
	overEveryProtocol(t, func(t *testing.T, c *client.Client, _ *metric.Store) {
		ctx := t.Context()
		if _, err := c.PutMetricAlarm(ctx, high("a", nil)); err != nil {
			t.Fatal(err)
		}
		for _, in := range []*client.PutCompositeAlarmInput{
			follows("x", "ALARM(a)", nil), follows("y", "ALARM(x)", nil), follows("x", "ALARM(a) OR ALARM(y)", nil),
		} {
			if _, err := c.PutCompositeAlarm(ctx, in); err != nil {
				t.Fatal(err)
			}
		}
		remove := func(want string, names ...string) {
			t.Helper()
			_, err := c.DeleteAlarms(ctx, &client.DeleteAlarmsInput{AlarmNames: names})
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("delete %v: %v, want %q", names, err, want)
			}
		}
		remove("Cannot delete a as there are composite alarm(s) depending on it.", "a")
		remove("Cannot delete x as there are composite alarm(s) depending on it.", "x")
		remove("At most one composite alarm", "x", "y")
		if _, err := c.PutCompositeAlarm(ctx, follows("x", "FALSE", nil)); err != nil { // breaks the cycle
			t.Fatal(err)
		}
		remove("", "y", "a")
		remove("", "x")
	})
}

func TestCompositeAlarmsAreRefused(t *testing.T) {
	overEveryProtocol(t, func(t *testing.T, c *client.Client, _ *metric.Store) {
		ctx := t.Context()
		if _, err := c.PutMetricAlarm(ctx, high("a", nil)); err != nil {
			t.Fatal(err)
		}
		for want, in := range map[string]*client.PutCompositeAlarmInput{
			"AlarmRule must not contain leading or trailing whitespace or be null": follows("c", " TRUE", nil),
			"Invalid AlarmRule": follows("c", "ALARM(a", nil),
			"Could not save the composite alarm as alarms [b, d] in the alarm rule do not exist": follows(
				"c", "ALARM(a) OR ALARM(b) OR ALARM(d)", nil,
			),
			"AT_LEAST":        follows("c", "AT_LEAST(1, ALARM, (a))", nil),
			"of another type": follows("a", "TRUE", nil),
			"are required": follows("c", "TRUE", func(in *client.PutCompositeAlarmInput) {
				in.ActionsSuppressor = aws.String("a")
			}),
			"only with ActionsSuppressor": follows("c", "TRUE", func(in *client.PutCompositeAlarmInput) {
				in.ActionsSuppressorWaitPeriod = aws.Int32(1)
			}),
			"the suppressor alarm b does not exist": follows("c", "TRUE", func(in *client.PutCompositeAlarmInput) {
				in.ActionsSuppressor = aws.String("b")
				in.ActionsSuppressorWaitPeriod, in.ActionsSuppressorExtensionPeriod = aws.Int32(1), aws.Int32(2)
			}),
			policyARN: follows("c", "TRUE", func(in *client.PutCompositeAlarmInput) {
				in.AlarmActions = []string{policyARN}
			}),
		} {
			if _, err := c.PutCompositeAlarm(ctx, in); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
		}
	})
}
