package verify

import "math"

// falseAlarm is the probability with which the spread of a deployment that spreads
// requests evenly is called uneven.
const falseAlarm = 1e-6

// evenlySpread reports whether the numbers of requests that servers answered can come
// from an even spread. Each node of a load balancer rotates the servers by itself, and
// other clients' requests come in between, so a client at worst sees each request go to
// a random server: its shares are then multinomial, and rotation only makes them more
// even. The bound holds for each server's binomial share with falseAlarm divided by the
// number of servers, so for all of them together (Bonferroni's inequality).
func evenlySpread(answered []int) bool {
	total := 0
	for _, n := range answered {
		total += n
	}
	if len(answered) < 2 || total == 0 {
		return total > 0
	}
	share := 1 / float64(len(answered))
	limit := falseAlarm / float64(2*len(answered)) // for too few and for too many
	for _, n := range answered {
		few := binomialTail(total, n, share)
		many := binomialTail(total, total-n, 1-share)
		if few < limit || many < limit {
			return false
		}
	}
	return true
}

// binomialTail returns the probability of at most k successes in n trials.
func binomialTail(n, k int, p float64) float64 {
	sum := 0.0
	for i := range k + 1 {
		sum += math.Exp(logChoose(n, i) + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return min(sum, 1)
}

// logChoose returns the logarithm of the number of ways to choose k of n.
func logChoose(n, k int) float64 {
	all, _ := math.Lgamma(float64(n + 1))
	chosen, _ := math.Lgamma(float64(k + 1))
	others, _ := math.Lgamma(float64(n - k + 1))
	return all - chosen - others
}
