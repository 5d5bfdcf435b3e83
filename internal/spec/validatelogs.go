package spec

import (
	"slices"
	"strings"
)

// retentions are the possible times for which CloudWatch Logs keeps events (CloudWatch Logs
// API Reference, PutRetentionPolicy).
var retentions = []string{
	"1d", "3d", "5d", "7d", "14d", "30d", "60d", "90d", "120d", "150d", "180d", "365d", "400d", "545d", "731d", "1096d",
	"1827d", "2192d", "2557d", "2922d", "3288d", "3653d",
}

func (s *Spec) validateLogs(d *decoder) {
	if s.Logs == nil {
		return
	}
	d.require(slices.Contains(retentions, s.Logs.Retention), "logs.retention",
		"CloudWatch Logs keeps lines for "+strings.Join(retentions, ", "),
		"CloudWatch Logs cannot keep lines for %q", s.Logs.Retention)
	_, taken := s.Processes["logs"]
	d.require(!taken, "processes.logs", "choose another name",
		"Aloft's own service, which ships the log, has this name")
}
