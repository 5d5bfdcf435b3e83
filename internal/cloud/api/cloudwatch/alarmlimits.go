package cloudwatch

// Limits of an alarm (Amazon CloudWatch API Reference, PutMetricAlarm).
const (
	maxAlarmName   = 255
	maxActions     = 5
	maxDescription = 1024
	secondsPerDay  = 24 * 60 * 60
	secondsPerWeek = 7 * secondsPerDay
	secondsPerHour = 60 * 60
)

// Limits of requests about alarms: the size of pages, also of the history, and
// the number of names.
const (
	maxAlarmPage     = 100
	defaultAlarmPage = 50
	maxAlarmNames    = 100
)
