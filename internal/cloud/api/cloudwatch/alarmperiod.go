package cloudwatch

import "aloft.dev/aloft/internal/cloud/wire"

// checkAlarmPeriod knows how long an alarm may look back. The metrics here are
// summaries of minutes: an alarm on parts of them would see nothing.
func checkAlarmPeriod(period, evaluations int32) error {
	span := int64(period) * int64(evaluations)
	switch {
	case period == 10 || period == 20 || period == 30:
		return wire.NotImplemented("alarms with a period shorter than a minute: the metrics here are of a minute each")
	case period < 60 || period%60 != 0:
		return validationError("Period must be 10, 20, 30 or a multiple of 60.")
	case span > secondsPerWeek:
		return validationError(
			"Metrics cannot be checked across more than 7 days (EvaluationPeriods * Period must be <= %d).",
			secondsPerWeek,
		)
	case period < secondsPerHour && span > secondsPerDay:
		return validationError(
			"Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= %d).",
			secondsPerDay,
		)
	}
	return nil
}
