//go:build linux

package torture

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

// Flags of a run. The defaults are what fits into make test.
var (
	seedFlag       = flag.Uint64("seed", 0, "`seed` of all random decisions; 0: another one each time")
	killsFlag      = flag.Int("kills", 15, "`number` of kills of a local cloud on simulated planes")
	outagesFlag    = flag.Int("outages", 10, "`number` of power cuts of a local cloud on simulated planes")
	planeKillsFlag = flag.Int("plane-kills", 2, "`number` of kills of a local cloud on real planes")
	runKillsFlag   = flag.Int("run-kills", 2, "`number` of runs of the deployer that are killed")
	cyclesFlag     = flag.Int("cycles", 2, "`number` of cycles of creating and deleting on real planes")
	soakFlag       = flag.Duration("soak", 0, "least `time` of kills on real planes")
	cutsFlag       = flag.Int("cuts", 30, "`number` of power cuts below the store")
)

// recorded lists what the tests of this run did and found.
var recorded Recorder

// roles are the tasks that this program performs instead of testing when roleVariable names one.
var roles = map[string]func() error{"writer": writeRounds}

const roleVariable = "ALOFT_TORTURE_ROLE"

func TestMain(m *testing.M) {
	if role, ok := roles[os.Getenv(roleVariable)]; ok {
		if err := role(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	if *seedFlag == 0 {
		*seedFlag = rand.Uint64()
	}
	recorded.Add(func(r *Report) { r.Seed = *seedFlag })
	began := time.Now()
	code := m.Run()
	if err := recorded.Print(os.Stdout, time.Since(began)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// random returns the random numbers of a test. The seed in its log repeats them.
func random(t *testing.T, stream uint64) *rand.Rand {
	t.Helper()
	t.Logf("-args -seed %d repeats this run", *seedFlag)
	return rand.New(rand.NewPCG(*seedFlag, stream))
}
