package spec

// SurviveZone is the value of Scaling.Survive that sizes the group for the loss of
// a zone.
const SurviveZone = "zone"

// maxMachines is the largest number of servers that a spec may request.
const maxMachines = 30

// Least returns the group's minimum size in a number of zones: Min, or with
// Survive the size that leaves Min servers when the fullest zone is lost.
func (s *Scaling) Least(zones int) int { return s.surviving(s.Min, zones) }

// Least returns the minimum size that a schedule sets, or 0 if it sets none.
func (at Schedule) Least(s *Scaling, zones int) int {
	if at.Min == 0 {
		return 0
	}
	return s.surviving(at.Min, zones)
}

func (s *Scaling) surviving(load, zones int) int {
	if s.Survive != SurviveZone || zones < 2 {
		return load
	}
	// Of n servers, balanced over z zones, n - ceil(n/z) are left.
	return (load*zones + zones - 2) / (zones - 1)
}
