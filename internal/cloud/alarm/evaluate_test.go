package alarm_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"aloft.dev/aloft/internal/cloud/alarm"
	"aloft.dev/aloft/internal/cloud/metric"
	"aloft.dev/aloft/internal/cloud/store"
)

var noon = time.Date(2026, 10, 26, 12, 0, 10, 0, time.UTC)

// points parses data points from old to new: 0 is within the threshold, X
// breaches it and - is missing.
func points(text string) (out []alarm.Datapoint) {
	fields := strings.Fields(text)
	for i, f := range fields {
		p := alarm.Datapoint{
			At:      noon.Truncate(time.Minute).Add(time.Duration(i-len(fields)) * time.Minute),
			Known:   f != "-",
			Samples: 1,
		}
		if f == "X" {
			p.Value = 21.5
		}
		out = append([]alarm.Datapoint{p}, out...)
	}
	return out
}

func row(m int32, treat string) *store.Alarm {
	return &store.Alarm{
		Namespace:         "N",
		Metric:            "m",
		Statistic:         "Average",
		Period:            60,
		EvaluationPeriods: 3,
		DatapointsToAlarm: m,
		Threshold:         2,
		Comparison:        "GreaterThanThreshold",
		TreatMissing:      treat,
	}
}

// The cases are the guide's tables (Amazon CloudWatch User Guide, How alarm state is
// evaluated when data is missing).
func TestMissingDataIsTreatedAsInTheGuide(t *testing.T) {
	for _, tc := range []struct {
		m                                        int32
		points                                   string
		missing, ignore, breaching, notBreaching string
	}{
		{3, "0 - X - X", "OK", "OK", "OK", "OK"},
		{3, "0 - - - -", "OK", "OK", "OK", "OK"},
		{3, "- - - - -", "INSUFFICIENT_DATA", "", "ALARM", "OK"},
		{3, "0 X X - X", "ALARM", "ALARM", "ALARM", "ALARM"},
		{3, "- - X - -", "ALARM", "", "ALARM", "OK"},
		{3, "- - - - X", "INSUFFICIENT_DATA", "", "ALARM", "OK"},
		{3, "X - - - -", "ALARM", "", "ALARM", "OK"},
		{2, "0 - X - X", "ALARM", "ALARM", "ALARM", "ALARM"},
		{2, "0 0 X 0 X", "ALARM", "ALARM", "ALARM", "ALARM"},
		{2, "0 - X - -", "OK", "OK", "ALARM", "OK"},
		{2, "- - - - 0", "OK", "OK", "ALARM", "OK"},
		{2, "- - - X -", "ALARM", "", "ALARM", "OK"},
	} {
		for treat, want := range map[string]string{
			"": tc.missing, "missing": tc.missing, "ignore": tc.ignore, "breaching": tc.breaching,
			"notBreaching": tc.notBreaching,
		} {
			v, keep := alarm.Evaluate(row(tc.m, treat), points(tc.points), noon)
			if v.State != want || keep != (want == "") {
				t.Errorf("%d of 3 points, %s, missing data %q: state %q (keep %v), want %q",
					tc.m, tc.points, treat, v.State, keep, want)
			}
		}
	}
}

func TestReasonHasAWSsWording(t *testing.T) {
	for _, tc := range []struct {
		n, m          int32
		points, treat string
		want          string
	}{
		{
			1, 0, "- - X", "",
			"Threshold Crossed: 1 datapoint [21.5 (26/10/26 11:59:00)] was greater than the threshold (2.0).",
		},
		{
			2, 0, "0 0 X X", "",
			"Threshold Crossed: 2 datapoints [21.5 (26/10/26 11:59:00), 21.5 (26/10/26 11:58:00)] were greater " +
				"than the threshold (2.0).",
		},
		{
			2, 0, "0 0 X 0", "",
			"Threshold Crossed: 1 datapoint [0.0 (26/10/26 11:59:00)] was not greater than the threshold (2.0).",
		},
		{
			3, 1, "0 0 0 0 X", "",
			"Threshold Crossed: 1 out of the last 3 datapoints [21.5 (26/10/26 11:59:00)] was greater than the " +
				"threshold (2.0) (minimum 1 datapoint for OK -> ALARM transition).",
		},
		{
			3, 1, "- - - - X", "notBreaching",
			"Threshold Crossed: 1 out of the last 3 datapoints [21.5 (26/10/26 11:59:00)] was greater than the " +
				"threshold (2.0) and 2 missing datapoints were treated as [NonBreaching] (minimum 1 datapoint " +
				"for OK -> ALARM transition).",
		},
		{
			1, 1, "- - 0", "",
			"Threshold Crossed: 1 out of the last 1 datapoints [0.0 (26/10/26 11:59:00)] was not greater than " +
				"the threshold (2.0) (minimum 1 datapoint for ALARM -> OK transition).",
		},
		{
			6, 0, "X X X X X X", "",
			"Threshold Crossed: 6 datapoints were greater than the threshold (2.0). The most recent datapoints " +
				"which crossed the threshold: [21.5 (26/10/26 11:59:00), 21.5 (26/10/26 11:58:00), 21.5 " +
				"(26/10/26 11:57:00), 21.5 (26/10/26 11:56:00), 21.5 (26/10/26 11:55:00)].",
		},
		{
			2, 0, "- - - -", "breaching",
			"Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated " +
				"as [Breaching].",
		},
		{
			1, 0, "- - -", "notBreaching",
			"Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as " +
				"[NonBreaching].",
		},
		{2, 0, "- - - -", "", "Insufficient Data: 2 datapoints were unknown."},
	} {
		a := row(tc.m, tc.treat)
		a.EvaluationPeriods = tc.n
		if v, _ := alarm.Evaluate(a, points(tc.points), noon); v.Reason != tc.want {
			t.Errorf("reason %s\nwant   %s", v.Reason, tc.want)
		}
	}
}

func TestReasonData(t *testing.T) {
	a := row(0, "breaching")
	a.Unit = "Seconds"
	v, _ := alarm.Evaluate(a, points("- - - - X"), noon)
	want := `{"version":"1.0","queryDate":"2026-10-26T12:00:10.000+0000",` +
		`"startDate":"2026-10-26T11:59:00.000+0000","unit":"Seconds",` +
		`"statistic":"Average","period":60,"recentDatapoints":[21.5],"threshold":2,` +
		`"evaluatedDatapoints":[` +
		`{"timestamp":"2026-10-26T11:59:00.000+0000","sampleCount":1,"value":21.5},` +
		`{"timestamp":"2026-10-26T11:58:00.000+0000"},` +
		`{"timestamp":"2026-10-26T11:57:00.000+0000"}]}`
	if v.Data != want {
		t.Errorf("data %s\nwant %s", v.Data, want)
	}
}

func TestPeriodsEndAtWholeMinutes(t *testing.T) {
	a := row(0, "")
	a.Region, a.Period, a.EvaluationPeriods = "r", 300, 1
	var m metric.Store
	for minute := range 20 {
		m.Add(
			"r",
			metric.NewID("N", "m"),
			noon.Add(-time.Duration(minute)*time.Minute),
			"Count",
			metric.SummaryOf(float64(minute), 1),
		)
	}
	got := alarm.Datapoints(a, &m, noon)
	if len(got) != 3 || got[0].Value != 3 || got[1].Value != 8 || got[2].Value != 13 ||
		!got[0].At.Equal(noon.Truncate(time.Minute).Add(-5*time.Minute)) {
		t.Errorf("data points = %+v", got)
	}
}

func TestPercentileOfFewSamplesIsIgnored(t *testing.T) {
	a := row(0, "")
	a.Statistic, a.ExtendedStatistic, a.EvaluateLowSample, a.EvaluationPeriods = "", "p90", "ignore", 1
	few := points("- - X")
	if _, keep := alarm.Evaluate(a, few, noon); !keep {
		t.Error("one sample of a p90 changed the state")
	}
	few[0].Samples = 100
	if v, keep := alarm.Evaluate(a, few, noon); keep || v.State != "ALARM" {
		t.Errorf("with 100 samples: verdict %+v, keep %v; want ALARM", v, keep)
	}
}

func TestExpressionIsWatched(t *testing.T) {
	a := row(0, "")
	a.Region, a.Statistic, a.Period, a.Metric, a.Namespace = "r", "", 0, "", ""
	sum := func(id string) string {
		return fmt.Sprintf(`{"Id":%q,"ReturnData":false,"MetricStat":{"Metric":{"Namespace":"N","MetricName":%q},`+
			`"Period":60,"Stat":"Sum"}}`, id, id)
	}
	a.Queries = `[{"Id":"e","Expression":"100 * m / n"},` + sum("m") + "," + sum("n") + "]"
	var m metric.Store
	add := func(name string, minutesAgo int, value float64) {
		m.Add("r", metric.NewID("N", name), noon.Add(-time.Duration(minutesAgo)*time.Minute), "Count",
			metric.SummaryOf(value, 1))
	}
	add("m", 1, 30)
	add("n", 1, 100)
	add("n", 2, 50)
	add("m", 3, 7) // a quotient by zero is missing
	got := alarm.Datapoints(a, &m, noon)
	if len(got) != 5 || got[0].Value != 30 || !got[1].Known || got[1].Value != 0 || got[2].Known || got[3].Known ||
		!got[0].At.Equal(noon.Truncate(time.Minute).Add(-time.Minute)) {
		t.Errorf("data points = %+v", got)
	}
	v, _ := alarm.Evaluate(a, got, noon)
	if v.State != "OK" || strings.Contains(v.Data, "sampleCount") || !strings.Contains(v.Data, `"period":60`) {
		t.Errorf("verdict %+v", v)
	}
}
