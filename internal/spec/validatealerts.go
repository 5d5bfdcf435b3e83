package spec

import (
	"net/mail"
	"slices"
	"strings"
)

// maxAlerts is how many addresses can receive alerts. Who else wants them can subscribe
// the address of a list.
const maxAlerts = 10

func (s *Spec) validateAlerts(d *decoder) {
	d.require(len(s.Alerts) <= maxAlerts, "alerts", "use the address of a mailing list",
		"%d addresses are given, and at most %d are possible", len(s.Alerts), maxAlerts)
	for i, address := range s.Alerts {
		at := indexed("alerts", i)
		parsed, err := mail.ParseAddress(address)
		d.require(err == nil && parsed.Address == address && !strings.ContainsAny(address, "\"\\ "), at,
			"for example: alerts: [you@example.com]", "%q is not an email address", address)
		d.require(!slices.Contains(s.Alerts[:i], address), at, "remove one of them", "%s is given twice", address)
	}
}
