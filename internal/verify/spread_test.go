package verify

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// rotate returns how many of a client's requests each server answers: every node rotates
// the servers by itself, from a position of its own, and answers up to others requests of
// other clients before each of the client's.
func rotate(random *rand.Rand, servers, nodes, requests, others int) []int {
	next, answered := make([]int, nodes), make([]int, servers)
	for i := range next {
		next[i] = random.IntN(servers)
	}
	for range requests {
		node := random.IntN(nodes)
		next[node] += random.IntN(others + 1)
		answered[next[node]%servers]++
		next[node]++
	}
	return answered
}

func TestNodesThatRotateByThemselvesRaiseNoAlarm(t *testing.T) {
	const runs = 200
	for _, servers := range []int{1, 2, 3, 10, 30} {
		for _, others := range []int{0, 1, 100} {
			t.Run(fmt.Sprintf("%d servers, %d other requests", servers, others), func(t *testing.T) {
				random := rand.New(rand.NewPCG(7, uint64(servers*1000+others)))
				for range runs {
					if answered := rotate(random, servers, 3, maxRequests, others); !evenlySpread(answered) {
						t.Fatalf("%v is called uneven", answered)
					}
				}
			})
		}
	}
}

func TestUnevenSpreadIsDetected(t *testing.T) {
	for name, answered := range map[string][]int{
		"one of three gets nothing":        {0, 300, 300},
		"one of three gets half its share": {100, 250, 250},
		"one of three gets half of all":    {150, 150, 300},
		"one of ten gets a sixth":          {10, 65, 65, 65, 66, 66, 66, 66, 65, 66},
		"one of two gets two thirds":       {400, 200},
		"nothing is answered":              {0, 0, 0},
	} {
		if evenlySpread(answered) {
			t.Errorf("%s: %v is called even", name, answered)
		}
	}
}

func TestBinomialTailsAddUp(t *testing.T) {
	for _, n := range []int{1, 60, 600} {
		for k := range n {
			if sum := binomialTail(n, k, 0.3) + binomialTail(n, n-k-1, 0.7); math.Abs(sum-1) > 1e-9 {
				t.Fatalf("of %d at most %d: both sides are %v", n, k, sum)
			}
		}
	}
}
