package delivery

// seats gives people to groups that each need some, everybody to one group at most, so
// that as many places as possible are taken; those of earlier groups first. It returns
// how many each group has.
func seats(needs []int, people int, fits func(group, person int) bool) []int {
	s := seating{fits: fits, of: make([]int, people), have: make([]int, len(needs))}
	for p := range s.of {
		s.of[p] = -1
	}
	for g, n := range needs {
		for range n {
			s.tried = make([]bool, people)
			if !s.seat(g) {
				break
			}
			s.have[g]++
		}
	}
	return s.have
}

type seating struct {
	fits  func(group, person int) bool
	of    []int // by person, the group that has him; -1 is none
	have  []int
	tried []bool
}

// seat finds somebody for one more place of a group, moving others if need be: an
// augmenting path of the bipartite matching.
func (s *seating) seat(group int) bool {
	for p, other := range s.of {
		if s.tried[p] || other == group || !s.fits(group, p) {
			continue
		}
		s.tried[p] = true
		if other < 0 || s.seat(other) {
			s.of[p] = group
			return true
		}
	}
	return false
}
