package supervisor

// wrr is smooth weighted round robin: of any run of sum(weights) picks, item i
// gets exactly weights[i], spread as evenly as can be (the algorithm of nginx).
type wrr struct {
	weights []int
	current []int
}

func newWRR(weights []int) wrr {
	return wrr{weights: weights, current: make([]int, len(weights))}
}

// next returns the index whose turn it is among those not skipped, or -1.
func (r *wrr) next(skip func(i int) bool) int {
	best, total := -1, 0
	for i, weight := range r.weights {
		if weight <= 0 || skip(i) {
			continue
		}
		r.current[i] += weight
		total += weight
		if best < 0 || r.current[i] > r.current[best] {
			best = i
		}
	}
	if best >= 0 {
		r.current[best] -= total
	}
	return best
}
