package cost_test

import (
	"math"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cost"
	"aloft.dev/aloft/internal/price"
	"aloft.dev/aloft/internal/spec"
)

// parse returns the spec of an application with more lines.
func parse(t *testing.T, more string) *spec.Spec {
	t.Helper()
	s, err := spec.Parse([]byte("app: shop\nstart: node server.js\n"+more), "aloft.yaml", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func estimate(t *testing.T, more string) *cost.Estimate {
	t.Helper()
	s := parse(t, more)
	return cost.Of(s, price.Table(s.Region), cost.Assumptions{LCU: 1})
}

func near(got, want float64) bool { return math.Abs(got-want) < 0.005 }

func TestFixedServers(t *testing.T) {
	e := estimate(t, "")
	want := map[string]float64{
		"servers":                3 * 0.0104 * 730, // 22.776
		"load balancer":          16.425,
		"load balancer capacity": 5.84,
		"public addresses":       6 * 3.65,
		"disks":                  3 * 8 * 0.08,
		"snapshots":              5 * 8 * 0.05,
	}
	sum := 0.0
	for _, line := range e.Lines {
		if !near(line.Monthly, want[line.Item]) || !line.Known {
			t.Errorf("%s: got %+v, want %v", line.Item, line, want[line.Item])
		}
		sum += want[line.Item]
	}
	if len(e.Lines) != len(want) || !near(e.Monthly, sum) || e.AtLeast || e.Spare != nil || e.Maximum != nil {
		t.Errorf("got %+v, want a sum of %v", e, sum)
	}
}

func TestScalingCostsMoreAtItsMaximum(t *testing.T) {
	e := estimate(t, "scaling: {min: 4, max: 10, survive: zone}\n")
	perServer := (0.0104+0.005)*730 + 8*0.08 + 7*0.3 // detailed monitoring
	// 6 servers leave 4 when one of three zones is lost.
	if e.Lines[0].Quantity != 6 || e.Spare == nil || e.Spare.Servers != 2 || !near(e.Spare.Monthly, 2*perServer) {
		t.Errorf("servers %v, spare %+v", e.Lines[0].Quantity, e.Spare)
	}
	if e.Maximum == nil || e.Maximum.Servers != 10 || !near(e.Maximum.Monthly, e.Monthly+4*perServer) {
		t.Errorf("at most %+v, at least %v", e.Maximum, e.Monthly)
	}
}

func TestUnknownPricesMakeTheSumALowerBound(t *testing.T) {
	e := estimate(t, "machines: {type: x9.huge}\n")
	if e.Lines[0].Known || e.Lines[0].Monthly != 0 || !e.AtLeast || e.Monthly < 40 {
		t.Errorf("got %+v", e)
	}
	e = estimate(t, "region: sa-east-1\n")
	if !e.AtLeast || !near(e.Monthly, 6*3.65) {
		t.Errorf("only addresses have a price: got %+v", e)
	}
	if text := e.String(); !strings.Contains(text, "at least $21.90") || !strings.Contains(text, "no price known") {
		t.Errorf("got\n%s", text)
	}
}

func TestTextNamesEveryPartAndTheSource(t *testing.T) {
	text := estimate(t, "scaling: {min: 4, max: 10, survive: zone}\n").String()
	for _, words := range []string{
		"servers", "6 × $0.0104 an hour", "load balancer capacity", "public addresses", "snapshots", "a month",
		"2 of the 6 servers", "with 10 servers", "copies of AWS's on-demand prices", "2026-", "data transfer",
	} {
		if !strings.Contains(text, words) {
			t.Errorf("the text lacks %q:\n%s", words, text)
		}
	}
}

func TestAccessLogsCost(t *testing.T) {
	without, with := estimate(t, "access_logs: false\n"), estimate(t, "access_logs: 90d\n")
	if got := with.Monthly - without.Monthly; !near(got, 0.023) {
		t.Errorf("access logs cost %v, want 0.023", got)
	}
}

func TestAlarmsCost(t *testing.T) {
	without, with := estimate(t, ""), estimate(t, "alerts: [me@example.com]\n")
	if got := with.Monthly - without.Monthly; !near(got, 0.7) {
		t.Errorf("alerts cost %v, want 0.70", got)
	}
}
