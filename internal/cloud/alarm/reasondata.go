package alarm

import (
	"slices"
)

// data is the reason for programs.
func (j *evaluation) data() string {
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
	}{Version: "1.0", QueryDate: j.now.UTC().Format(dataTime), Unit: j.watched.Unit, Statistic: j.watched.Statistic,
		Period: int(j.watched.Period.Seconds()), Recent: []float64{}, Threshold: j.row.Threshold}
	for _, p := range slices.Backward(j.existing) {
		out.Recent = append(out.Recent, p.Value)
	}
	if k := len(j.existing); k > 0 {
		out.StartDate = j.existing[k-1].At.UTC().Format(dataTime)
	}
	for _, p := range j.evaluated {
		e := evaluated{Timestamp: p.At.UTC().Format(dataTime)}
		if p.Known {
			e.SampleCount, e.Value = &p.Samples, &p.Value
		}
		out.Evaluated = append(out.Evaluated, e)
	}
	return encodeJSON(out)
}

const (
	dataTime   = "2006-01-02T15:04:05.000-0700"
	reasonTime = "02/01/06 15:04:05"
)
