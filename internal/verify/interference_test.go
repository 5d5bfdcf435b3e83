package verify

import (
	"strings"
	"syscall"
	"testing"
)

// Firewalls and proxies of companies answer in the place of servers.
func TestAnswersOfOthersAreNoProblemOfTheServers(t *testing.T) {
	every := func(port string, err error) func(*world) {
		return func(w *world) {
			for _, host := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.3", nowhere.String()} {
				w.ports[host+":"+port] = err
			}
		}
	}
	const notJudged = " (not judged: server-1 "
	for name, test := range map[string]struct {
		breaks func(*world)
		check  int
		detail string
	}{
		"a firewall that resets":      {every("9229", syscall.ECONNREFUSED), 4, notJudged + "9229, server-2 9229"},
		"a proxy that accepts":        {every("443", nil), 4, notJudged + "443, server-2 443"},
		"a firewall that rejects":     {every("22", syscall.EHOSTUNREACH), 4, notJudged + "22, server-2 22"},
		"a rule of this computer":     {every("8080", syscall.EPERM), 4, notJudged + "8080, server-2 8080"},
		"an open port that is reset":  {every("3000", syscall.ECONNREFUSED), 3, notJudged + "3000, server-2 3000"},
		"an open port that is denied": {every("3000", syscall.EACCES), 3, notJudged + "3000, server-2 3000"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			test.breaks(w)
			report, _ := w.verify(t)
			if !report.OK() || !strings.Contains(report.Checks[test.check].Detail, test.detail) {
				t.Errorf("%+v", report)
			}
		})
	}
}
