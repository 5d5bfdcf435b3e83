package manners

// Pick returns a number below n that is fixed for a subject, such as the index of the
// zone that lacks a type, and true. It returns false if the cloud lacks the manner. The
// number depends on the seed alone.
func (s *Set) Pick(m Manner, n int, subject string) (int, bool) {
	if s == nil {
		return 0, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.has(m) {
		return 0, false
	}
	return int(s.fraction(subject, 0) * float64(n)), true
}
