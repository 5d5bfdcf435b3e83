package alarm

import "slices"

// data returns the reason as JSON, in CloudWatch's form.
func (e *evaluation) data() string {
	type evaluated struct {
		Timestamp   string   `json:"timestamp"`
		SampleCount *float64 `json:"sampleCount,omitempty"`
		Value       *float64 `json:"value,omitempty"`
	}
	out := struct {
		Version   string      `json:"version"`
		QueryDate string      `json:"queryDate"`
		StartDate string      `json:"startDate,omitempty"`
		Unit      string      `json:"unit,omitempty"`
		Statistic string      `json:"statistic,omitempty"`
		Period    int         `json:"period"`
		Recent    []float64   `json:"recentDatapoints"`
		Threshold float64     `json:"threshold"`
		Evaluated []evaluated `json:"evaluatedDatapoints"`
	}{Version: "1.0", QueryDate: e.now.UTC().Format(dataTime), Unit: e.watched.Unit, Statistic: e.watched.Statistic,
		Period: int(e.watched.Period.Seconds()), Recent: []float64{}, Threshold: e.row.Threshold}
	for _, p := range slices.Backward(e.existing) {
		out.Recent = append(out.Recent, p.Value)
	}
	if k := len(e.existing); k > 0 {
		out.StartDate = e.existing[k-1].At.UTC().Format(dataTime)
	}
	for _, p := range e.evaluated {
		point := evaluated{Timestamp: p.At.UTC().Format(dataTime)}
		if p.Known {
			point.Value = &p.Value
			if e.watched.Expression == "" { // an expression has no samples
				point.SampleCount = &p.Samples
			}
		}
		out.Evaluated = append(out.Evaluated, point)
	}
	return encodeJSON(out)
}

const (
	dataTime   = "2006-01-02T15:04:05.000-0700"
	reasonTime = "02/01/06 15:04:05"
)
