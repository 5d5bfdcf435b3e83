package authorization

import (
	metricalarm "aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

var alarmOperations = operations{
	"PutMetricAlarm":          actsOnInstances(onNew("AlarmName", alarm)),
	"PutCompositeAlarm":       onNew("AlarmName", alarm),
	"DeleteAlarms":            onNew("AlarmNames", alarm),
	"EnableAlarmActions":      onNew("AlarmNames", alarm),
	"DisableAlarmActions":     onNew("AlarmNames", alarm),
	"SetAlarmState":           onNew("AlarmName", alarm),
	"DescribeAlarms":          describesAlarms("AlarmNames"),
	"DescribeAlarmHistory":    describesAlarms("AlarmName"),
	"DescribeAlarmsForMetric": {},
	"GetMetricData":           {},
	"GetMetricStatistics":     {},
	"ListMetrics":             {},
	"PutMetricData":           {instead: metricNeeds},
	"TagResource":             onNew("ResourceARN", alarmAt),
	"UntagResource":           onNew("ResourceARN", alarmAt),
	"ListTagsForResource":     onNew("ResourceARN", alarmAt),

	"PutDashboard":     onNew("DashboardName", dashboard),
	"GetDashboard":     onNew("DashboardName", dashboard),
	"DeleteDashboards": onNew("DashboardNames", dashboard),
	"ListDashboards":   {},

	"DescribeAnomalyDetectors": {},
	"DescribeInsightRules":     {},
	"ListMetricStreams":        {},
}

// eventsService is the service that acts on instances when an alarm says so.
const eventsService = "events.amazonaws.com"

// actsOnInstances describes an operation on alarms, whose callers need the permission to create
// the role of eventsService if the alarm acts on an instance (CloudWatch API Reference,
// PutMetricAlarm). Without it, whoever may create alarms could terminate any instance.
func actsOnInstances(op operation) operation {
	op.also = func(s *subject) []need {
		for _, arn := range s.values("AlarmActions", "OKActions", "InsufficientDataActions") {
			if _, ok := metricalarm.InstanceActionOf(arn); ok {
				t := newServiceRole(s, eventsService)[0]
				return []need{{action: "iam:CreateServiceLinkedRole", resource: t.arn, keys: t.keys}}
			}
		}
		return nil
	}
	return op
}

func dashboard(s *subject, name string) []target {
	return []target{{arn: identity.ARN("cloudwatch", s.region.Global(), "dashboard/"+name)}}
}

func alarm(s *subject, name string) []target {
	return alarmAt(s, identity.ARN("cloudwatch", s.region, "alarm:"+name))
}

func alarmAt(s *subject, arn string) []target {
	t := target{arn: arn}
	if row, ok := store.Alarms.Get(s, arn); ok {
		t.tags = row.Tags
	}
	return []target{t}
}

// describesAlarms describes an operation on the named alarms, or on all.
func describesAlarms(field string) operation {
	return operation{instead: func(s *subject) []need {
		names := s.values(field)
		if len(names) == 0 {
			names = []string{"*"}
		}
		var needs []need
		for _, name := range names {
			for _, t := range alarm(s, name) {
				needs = append(needs, s.needOf(actionOf(s.call), t))
			}
		}
		return needs
	}}
}

// metricNeeds returns the permission to write data of a namespace, which policies limit
// by the condition key cloudwatch:namespace.
func metricNeeds(s *subject) []need {
	return []need{{
		action: actionOf(s.call), resource: "*",
		keys: map[string][]string{"cloudwatch:namespace": s.values("Namespace")},
	}}
}
