package spec

import "regexp"

// retentionForm matches a number of days. Rules of S3 have no limit; ten years are that of
// the longest retention of CloudWatch Logs.
var retentionForm = regexp.MustCompile(`^[1-9]\d{0,3}d$`)

const maxRetentionDays = 3653

func (s *Spec) validateAccessLogs(d *decoder) {
	if s.AccessLogs == nil {
		return
	}
	text := s.AccessLogs.Retention
	d.require(retentionForm.MatchString(text) && s.AccessLogs.Days() <= maxRetentionDays, "access_logs.retention",
		"S3 keeps files for a number of days from 1d to 3653d", "files cannot be kept for %q", text)
}
