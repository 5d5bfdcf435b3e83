package alarm

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// maxListed is how many data points a reason lists at most. If that many or more
// decide, they are listed in a sentence of their own.
const maxListed = 5

var comparisons = map[string]string{
	"GreaterThanOrEqualToThreshold": "greater than or equal to",
	"GreaterThanThreshold":          "greater than",
	"LessThanThreshold":             "less than",
	"LessThanOrEqualToThreshold":    "less than or equal to",
}

// verdict returns the state with its reason.
func (e *evaluation) verdict(state string) Verdict {
	v := Verdict{State: state, Data: e.data()}
	if state == InsufficientData {
		v.Reason = fmt.Sprintf("Insufficient Data: %s unknown.", count(e.missing, "datapoint was", "datapoints were"))
		return v
	}
	v.Reason = "Threshold Crossed: " + e.describeCrossing(state) + "."
	return v
}

// describeCrossing names the data points that led to the state.
func (e *evaluation) describeCrossing(state string) string {
	deciding, not := e.breaching, ""
	if state == OK {
		deciding, not = e.within, "not "
	}
	if len(deciding) == 0 {
		return e.describeMissing()
	}
	counted, one := count(len(deciding), "datapoint", "datapoints"), len(deciding) == 1
	if e.row.DatapointsToAlarm > 0 {
		counted = fmt.Sprintf("%d out of the last %d datapoints", len(deciding), e.n)
	}
	verb := "were"
	if one {
		verb = "was"
	}
	points := listPoints(deciding)
	comparison := fmt.Sprintf(
		"%s %s%s the threshold (%s)", verb, not, comparisons[e.row.Comparison], decimal(e.row.Threshold),
	)
	if len(deciding) < maxListed {
		return counted + " " + points + " " + comparison + e.describeTreatment() + e.describeMinimum(state)
	}
	crossed := "The most recent datapoints which crossed the threshold: "
	if state == OK {
		crossed = "The most recent datapoints: "
	}
	return counted + " " + comparison + e.describeTreatment() + ". " + crossed + points + e.describeMinimum(state)
}

// describeMissing is the reason if missing data points alone led to the state.
func (e *evaluation) describeMissing() string {
	received := "no datapoints were received"
	if k := len(e.existing); k > 0 {
		received = count(k, "datapoint was", "datapoints were") + " received"
	}
	return fmt.Sprintf("%s for %s%s", received, count(e.n, "period", "periods"), e.describeTreatment())
}

// describeTreatment adds how missing data points were treated, if any were.
func (e *evaluation) describeTreatment() string {
	as := map[string]string{"breaching": "Breaching", "notBreaching": "NonBreaching"}[e.row.TreatMissing]
	if e.missing == 0 || as == "" {
		return ""
	}
	return fmt.Sprintf(
		" and %s treated as [%s]", count(e.missing, "missing datapoint was", "missing datapoints were"), as,
	)
}

// describeMinimum adds how many data points change the state, for alarms that set
// "datapoints to alarm".
func (e *evaluation) describeMinimum(state string) string {
	switch {
	case e.row.DatapointsToAlarm == 0:
		return ""
	case state == OK:
		return fmt.Sprintf(" (minimum %s for ALARM -> OK transition)", count(e.n-e.m+1, "datapoint", "datapoints"))
	}
	return fmt.Sprintf(" (minimum %s for OK -> ALARM transition)", count(e.m, "datapoint", "datapoints"))
}

func listPoints(points []Datapoint) string {
	var out []string
	for _, p := range points[:min(len(points), maxListed)] {
		out = append(out, fmt.Sprintf("%s (%s)", decimal(p.Value), p.At.UTC().Format(reasonTime)))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// decimal formats v as AWS's reasons do: 2 as 2.0, ten million as 1.0E7.
func decimal(v float64) string {
	if size := math.Abs(v); v == 0 || size >= 1e-3 && size < 1e7 {
		text := strconv.FormatFloat(v, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', -1, 64), "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	power, _ := strconv.Atoi(exponent)
	return fmt.Sprintf("%sE%d", mantissa, power)
}
