//go:build linux

package mainjob

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/golden"
	"aloft.dev/aloft/test/simulation"
)

// rowID matches ids, addresses and names, which are random. The golden file has
// their kinds instead.
var rowID = regexp.MustCompile(
	`\b(vpc|subnet|eni|sg|i)-[0-9a-f]{17}\b|\b(10\.0|172\.31)\.\d+\.\d+\b|198\.1[89]\.\d+\.\d+|tutorial-[0-9a-f]+-\d+`,
)

func TestTutorialConfiguresPlanes(t *testing.T) {
	c, b := simulation.New(t), &simulation.Builder{ReleaseName: "r1"}
	simulation.Up(t, simulation.Deployment(t, c.Client(t, nil), simulation.Tutorial(t), b, t.TempDir()))
	simulation.Eventually(t, func() bool { return strings.Count(c.Balancer.String(), "target 10.0.") == 3 })
	own := ""
	for _, vpc := range store.VPCs.List(c.Store.View()) {
		if !vpc.IsDefault {
			own = vpc.ID
		}
	}
	var network string
	for _, part := range strings.SplitAfter("\n"+c.Network.String(), "\nvpc ") {
		if strings.HasPrefix(part, own) {
			network = "vpc " + strings.TrimSuffix(part, "vpc ")
		}
	}
	kinds := rowID.ReplaceAllStringFunc(network+c.Balancer.String(), func(id string) string {
		kind, _, _ := strings.Cut(id, "-")
		if strings.Contains(kind, ".") {
			return "ADDRESS"
		}
		return strings.ToUpper(kind)
	})
	lines := strings.Split(kinds, "\n")
	slices.Sort(lines) // rows are sorted by their random names
	golden.Check(t, filepath.Join("testdata", "tutorial-planes.txt"), strings.Join(lines, "\n"))
}
