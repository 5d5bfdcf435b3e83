package metric

// Percentile returns the smallest value that at least p percent of the values do
// not exceed. ok is false if the values are not known.
func (s *Summary) Percentile(p float64) (value float64, ok bool) {
	values, counts, known := s.Distribution()
	if !known {
		return 0, false
	}
	rank, seen := p/100*s.Count, 0.0
	for i, n := range counts {
		if seen += n; seen >= rank-1e-9 {
			return values[i], true
		}
	}
	return s.Max, true
}

// Distribution returns the distinct values in ascending order and how often each
// occurred. known is false if the values are not known.
func (s *Summary) Distribution() (values, counts []float64, known bool) {
	if s.valuesUnknown || s.Count == 0 {
		return nil, nil, false
	}
	for _, v := range s.values {
		values, counts = append(values, min(max(v.value, s.Min), s.Max)), append(counts, v.times)
	}
	return values, counts, true
}
