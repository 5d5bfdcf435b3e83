package notification

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestAlarmMessageHasTheFormOfRecordedOnes(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	m := AlarmMessage(alarm.Firing{Alarm: &store.Alarm{
		ARN: "arn:aws:cloudwatch:us-east-1:000000000000:alarm:web", Region: "us-east-1", Name: "web",
		Description: "Look at <it>", Namespace: "AWS/ApplicationELB", Metric: "RequestCount", Statistic: "Sum",
		Dimensions: []store.MetricDimension{{Name: "LoadBalancer", Value: "app/web/1"}},
		Period:     60, EvaluationPeriods: 2, Threshold: 5, Comparison: "GreaterThanThreshold",
		TreatMissing: "notBreaching",
		AlarmActions: []string{"arn:aws:sns:us-east-1:000000000000:web"},
		State:        "ALARM", PreviousState: "OK", StateReason: "why", StateChanged: at, Configured: at,
	}}, "id", "US East (N. Virginia)")
	if m.Subject != `ALARM: "web" in US East (N. Virginia)` {
		t.Errorf("subject %s", m.Subject)
	}
	const want = `{"AlarmName":"web","AlarmDescription":"Look at <it>","AWSAccountId":"000000000000",
		"AlarmConfigurationUpdatedTimestamp":"2026-01-02T03:04:05.678+0000","NewStateValue":"ALARM",
		"NewStateReason":"why","StateChangeTime":"2026-01-02T03:04:05.678+0000","Region":"US East (N. Virginia)",
		"AlarmArn":"arn:aws:cloudwatch:us-east-1:000000000000:alarm:web","OldStateValue":"OK","OKActions":[],
		"AlarmActions":["arn:aws:sns:us-east-1:000000000000:web"],"InsufficientDataActions":[],
		"Trigger":{"MetricName":"RequestCount","Namespace":"AWS/ApplicationELB","StatisticType":"Statistic",
		"Statistic":"SUM","Unit":null,"Dimensions":[{"value":"app/web/1","name":"LoadBalancer"}],"Period":60,
		"EvaluationPeriods":2,"ComparisonOperator":"GreaterThanThreshold","Threshold":5,
		"TreatMissingData":"notBreaching","EvaluateLowSampleCountPercentile":""}}`
	var a, b any
	if err := json.Unmarshal([]byte(m.Text), &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("got %s", m.Text)
	}
}
