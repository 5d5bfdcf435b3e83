package alarm

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// maxListed is how many data points a reason names at most; from as many on they
// come in a sentence of their own.
const maxListed = 5

var comparisons = map[string]string{
	"GreaterThanOrEqualToThreshold": "greater than or equal to",
	"GreaterThanThreshold":          "greater than",
	"LessThanThreshold":             "less than",
	"LessThanOrEqualToThreshold":    "less than or equal to",
}

func (j *evaluation) verdict(state string) Verdict {
	v := Verdict{State: state, Data: j.data()}
	if state == InsufficientData {
		v.Reason = fmt.Sprintf("Insufficient Data: %s unknown.", count(j.missing, "datapoint was", "datapoints were"))
		return v
	}
	v.Reason = "Threshold Crossed: " + j.describeCrossing(state) + "."
	return v
}

// describeCrossing says which data points led to the state.
func (j *evaluation) describeCrossing(state string) string {
	deciding, not := j.breaching, ""
	if state == OK {
		deciding, not = j.within, "not "
	}
	if len(deciding) == 0 {
		return j.describeMissing()
	}
	counted, one := count(len(deciding), "datapoint", "datapoints"), len(deciding) == 1
	if j.row.DatapointsToAlarm > 0 {
		counted = fmt.Sprintf("%d out of the last %d datapoints", len(deciding), j.n)
	}
	verb := "were"
	if one {
		verb = "was"
	}
	points := listPoints(deciding)
	comparison := fmt.Sprintf(
		"%s %s%s the threshold (%s)", verb, not, comparisons[j.row.Comparison], decimal(j.row.Threshold),
	)
	if len(deciding) < maxListed {
		return counted + " " + points + " " + comparison + j.describeTreatment() + j.describeMinimum(state)
	}
	crossed := "The most recent datapoints which crossed the threshold: "
	if state == OK {
		crossed = "The most recent datapoints: "
	}
	return counted + " " + comparison + j.describeTreatment() + ". " + crossed + points + j.describeMinimum(state)
}

// describeMissing is the reason when it was the missing points alone that decided.
func (j *evaluation) describeMissing() string {
	received := "no datapoints were received"
	if k := len(j.existing); k > 0 {
		received = count(k, "datapoint was", "datapoints were") + " received"
	}
	return fmt.Sprintf("%s for %s%s", received, count(j.n, "period", "periods"), j.describeTreatment())
}

// describeTreatment says what was made of missing points, if anything was.
func (j *evaluation) describeTreatment() string {
	as := map[string]string{"breaching": "Breaching", "notBreaching": "NonBreaching"}[j.row.TreatMissing]
	if j.missing == 0 || as == "" {
		return ""
	}
	return fmt.Sprintf(
		" and %s treated as [%s]", count(j.missing, "missing datapoint was", "missing datapoints were"), as,
	)
}

// describeMinimum says how many points of a kind change the state, of alarms that have an
// own number for it.
func (j *evaluation) describeMinimum(state string) string {
	switch {
	case j.row.DatapointsToAlarm == 0:
		return ""
	case state == OK:
		return fmt.Sprintf(" (minimum %s for ALARM -> OK transition)", count(j.n-j.m+1, "datapoint", "datapoints"))
	}
	return fmt.Sprintf(" (minimum %s for OK -> ALARM transition)", count(j.m, "datapoint", "datapoints"))
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

// decimal writes a number as AWS's reasons do: 2 is 2.0, and ten million 1.0E7.
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
