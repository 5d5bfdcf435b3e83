package authorization

import (
	"strings"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
)

var logOperations = operations{
	"CreateLogGroup":              onLogGroup("LogGroupName"),
	"DeleteLogGroup":              onLogGroup("LogGroupName"),
	"DescribeLogGroups":           {resources: []resource{{find: allGroups}}},
	"ListLogGroups":               {resources: []resource{{find: allGroups}}},
	"PutRetentionPolicy":          onLogGroup("LogGroupName"),
	"DeleteRetentionPolicy":       onLogGroup("LogGroupName"),
	"DescribeLogStreams":          onLogGroup("LogGroupName", "LogGroupIdentifier"),
	"FilterLogEvents":             onLogGroup("LogGroupName", "LogGroupIdentifier"),
	"CreateLogStream":             onLogGroup("LogGroupName"),
	"DeleteLogStream":             onLogStream("LogGroupName"),
	"PutLogEvents":                onLogStream("LogGroupName"),
	"GetLogEvents":                onLogStream("LogGroupName", "LogGroupIdentifier"),
	"PutMetricFilter":             onLogGroup("LogGroupName"),
	"DeleteMetricFilter":          onLogGroup("LogGroupName"),
	"DescribeMetricFilters":       {resources: []resource{{find: allGroups}}},
	"DescribeSubscriptionFilters": onLogGroup("LogGroupName"),
	"TestMetricFilter":            {},
	"PutResourcePolicy":           {},
	"DeleteResourcePolicy":        {},
	"DescribeResourcePolicies":    {},
	"DescribeDestinations":        {},
	"StartQuery":                  onLogGroup("LogGroupName", "LogGroupNames", "LogGroupIdentifiers"),
	"StopQuery":                   {},
	"GetQueryResults":             {},
	"GetLogRecord":                {unknown: true},
	"DescribeQueries":             {},
	"PutQueryDefinition":          {},
	"DeleteQueryDefinition":       {},
	"DescribeQueryDefinitions":    {},
	"DescribeExportTasks":         {},
	"TagResource":                 {resources: []resource{{fields: []string{"ResourceArn"}, find: taggedGroup}}},
	"UntagResource":               {resources: []resource{{fields: []string{"ResourceArn"}, find: taggedGroup}}},
	"ListTagsForResource":         {resources: []resource{{fields: []string{"ResourceArn"}, find: taggedGroup}}},
	"TagLogGroup":                 onLogGroup("LogGroupName"),
	"UntagLogGroup":               onLogGroup("LogGroupName"),
	"ListTagsLogGroup":            onLogGroup("LogGroupName"),
}

func onLogGroup(fields ...string) operation {
	return operation{resources: []resource{{fields: fields, find: logGroups}}}
}

func onLogStream(fields ...string) operation {
	return operation{resources: []resource{{fields: fields, find: logStreams}}}
}

// groupName returns the name of the group that a text names by name or ARN.
func groupName(s *subject, text string) string {
	name := strings.TrimPrefix(text, identity.ARN("logs", s.region, "log-group:"))
	return strings.TrimSuffix(name, ":*")
}

// groupTarget returns something in a log group. Errors of AWS and its examples of policies
// show that operations on a group are about the streams in it, so that the resource of a
// policy ends with ":*" (Amazon CloudWatch Logs User Guide, "CloudWatch Logs resources and
// operations").
func groupTarget(s *subject, name, rest string) []target {
	t := target{arn: identity.ARN("logs", s.region, "log-group:"+name+rest)}
	if row, ok := store.LogGroups.Get(s, store.LogGroupKey(s.region, name)); ok {
		t.tags = row.Tags
	}
	return []target{t}
}

func logGroups(s *subject, text string) []target {
	return groupTarget(s, groupName(s, text), ":log-stream:")
}

// allGroups are the groups that DescribeLogGroups and ListLogGroups list.
func allGroups(s *subject, _ string) []target { return groupTarget(s, "", ":log-stream:") }

func logStreams(s *subject, text string) []target {
	return groupTarget(s, groupName(s, text), ":log-stream:"+s.value("LogStreamName"))
}

// taggedGroup returns the group with an ARN, which for tags has no suffix.
func taggedGroup(s *subject, arn string) []target {
	if name, ok := strings.CutPrefix(arn, identity.ARN("logs", s.region, "log-group:")); ok {
		return groupTarget(s, name, "")
	}
	return []target{{arn: arn}}
}
