package apply

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/stack"
)

const specs = "../stack/testdata/"

func tutorial(t *testing.T, release string, count int) *stack.Stack {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(specs, "tutorial.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := spec.Parse(data, "aloft.yaml", specs)
	if err != nil {
		t.Fatal(err)
	}
	s.Machines.Count = count
	want, err := stack.Build(
		s,
		stack.Facts{Zones: []string{"us-east-1a", "us-east-1b", "us-east-1c"}, Release: release},
	)
	if err != nil {
		t.Fatal(err)
	}
	return want
}

// standing is what the cloud holds when all of a stack stands.
func standing(s *stack.Stack) []plan.Found {
	ids := map[string]string{}
	var all []plan.Found
	for _, r := range s.Resources {
		f := plan.Found{Address: r.Address, Kind: r.Body.Kind(), ID: r.Address + "-old", Status: map[string]string{}}
		ids[r.Address] = f.ID
		for _, a := range r.Body.Attributes() {
			var values []string
			for _, term := range a.Terms {
				values = append(values, term.Text+ids[term.Ref.Address])
			}
			f.Set(a.Name, values...)
		}
		all = append(all, f)
	}
	return all
}

// order walks the graph of a plan without a cloud and gives the order in which
// the tasks ran: "server-1", "server-1 install", "server-1 retire".
func order(t *testing.T, want *stack.Stack, p *plan.Plan) []string {
	t.Helper()
	g := newGraph(&resource.Site{}, want, p)
	var mu sync.Mutex
	var ran []string
	for _, task := range g.tasks {
		name := task.address
		switch {
		case strings.HasPrefix(task.message, "install"):
			name += " install"
		case strings.HasPrefix(task.message, "delete"):
			name += " retire"
		}
		task.run = func(context.Context) error {
			mu.Lock()
			defer mu.Unlock()
			ran = append(ran, name)
			return nil
		}
	}
	if err := walk(t.Context(), g.tasks, func(event.Event) {}); err != nil {
		t.Fatal(err)
	}
	return ran
}

func inOrder(t *testing.T, ran []string, want ...string) {
	t.Helper()
	last := -1
	for _, name := range want {
		at := slices.Index(ran, name)
		if at <= last {
			t.Errorf("%s is not after the one before in %v; ran:\n%s", name, want, strings.Join(ran, "\n"))
			return
		}
		last = at
	}
}

func TestFromNothingTheReleaseIsMadeOnceAndThenLaunched(t *testing.T) {
	want := tutorial(t, "r1", 3)
	ran := order(t, want, plan.Diff(want, nil))
	inOrder(t, ran, "vpc", "subnet-1", "route-table", "server-1", "server-1 install", "image", "server-3", "target-3")
	inOrder(t, ran, "security-group-web", "load-balancer", "listener", "target-1")
	inOrder(t, ran, "security-group-web", "security-group-app", "server-1 install")
	inOrder(t, ran, "image", "target-1")
	if len(ran) != 20 {
		t.Errorf("%d tasks: %v", len(ran), ran)
	}
}

func TestANewReleaseReplacesOneServerAfterTheOtherSurgeFirst(t *testing.T) {
	found := standing(tutorial(t, "r1", 3))
	want := tutorial(t, "r2", 3)
	ran := order(t, want, plan.Diff(want, found))
	sequence := []string{"server-1", "server-1 install", "image"}
	for n := 1; n <= 3; n++ {
		server, target := fmt.Sprintf("server-%d", n), fmt.Sprintf("target-%d", n)
		if n > 1 {
			sequence = append(sequence, server)
		}
		sequence = append(sequence, target, target+" retire", server+" retire")
	}
	inOrder(t, ran, sequence...)
}

func TestABrokenServerIsReplacedAndTheOthersAreLeftAlone(t *testing.T) {
	want := tutorial(t, "r1", 3)
	found := standing(want)
	for i := range found {
		if found[i].Address == "server-2" {
			found[i].Broken = "unhealthy"
		}
	}
	ran := order(t, want, plan.Diff(want, found))
	if got := strings.Join(ran, ", "); got != "server-2, target-2, target-2 retire, server-2 retire" {
		t.Errorf("ran %s", got)
	}
}

func TestFewerServersAreDrainedBeforeTheyEnd(t *testing.T) {
	want := tutorial(t, "r1", 2)
	ran := order(t, want, plan.Diff(want, standing(tutorial(t, "r1", 3))))
	if got := strings.Join(ran, ", "); got != "target-3 retire, server-3 retire" {
		t.Errorf("ran %s", got)
	}
}

func TestFewerServersAndANewReleaseTogetherDoNotWaitForEachOther(t *testing.T) {
	want := tutorial(t, "r2", 2)
	ran := order(t, want, plan.Diff(want, standing(tutorial(t, "r1", 5))))
	inOrder(t, ran, "image", "target-1", "server-1 retire", "server-2", "target-2", "server-2 retire")
	inOrder(t, ran, "target-5 retire", "server-5 retire")
}

// scaling is the stack of a group, of an image that is there.
func scaling(t *testing.T, release string) *stack.Stack {
	t.Helper()
	s, err := spec.Parse(
		[]byte(
			"app: tutorial\nsource: .\nstart: node .\nscaling: {schedule: [{cron: 0 8 * * *, min: 4}]}\nload_balancer: {port: 3000}\n",
		),
		"aloft.yaml",
		specs,
	)
	if err != nil {
		t.Fatal(err)
	}
	want, err := stack.Build(
		s,
		stack.Facts{
			Zones:   []string{"us-east-1a", "us-east-1b", "us-east-1c"},
			Release: release,
			Phase:   stack.PhaseServe,
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	return want
}

func TestServersGoWhenTheGroupInTheirPlaceServes(t *testing.T) {
	want := scaling(t, "r1")
	ran := order(t, want, plan.Diff(want, standing(tutorial(t, "r1", 5))))
	for n := 1; n <= 5; n++ {
		inOrder(
			t,
			ran,
			"launch-template",
			"scaling-group",
			fmt.Sprintf("target-%d retire", n),
			fmt.Sprintf("server-%d retire", n),
		)
	}
	inOrder(t, ran, "scaling-group", "scaling-policy")
}

func TestAGroupGoesWhenAllServersInItsPlaceServe(t *testing.T) {
	want := tutorial(t, "r1", 3)
	ran := order(t, want, plan.Diff(want, standing(scaling(t, "r1"))))
	for n := 1; n <= 3; n++ {
		inOrder(
			t,
			ran,
			fmt.Sprintf("server-%d", n),
			fmt.Sprintf("target-%d", n),
			"scaling-group retire",
			"launch-template retire",
		)
	}
	inOrder(t, ran, "scaling-policy retire", "scaling-group retire")
	inOrder(t, ran, "schedule-1 retire", "scaling-group retire")
}

func TestAGroupsMachinesFollowItsLaunchTemplate(t *testing.T) {
	want := scaling(t, "r2")
	ran := order(t, want, plan.Diff(want, standing(scaling(t, "r1"))))
	inOrder(t, ran, "image", "launch-template", "scaling-group")
	if len(ran) != 3 {
		t.Errorf("ran %v", ran)
	}
}

func TestTearingDownAGroupFollowsTheReferencesBackwards(t *testing.T) {
	ran := order(t, nil, plan.Teardown("tutorial", "us-east-1", standing(scaling(t, "r1")), true))
	inOrder(t, ran, "scaling-group retire", "launch-template retire", "image retire")
	inOrder(t, ran, "scaling-group retire", "subnet-1 retire", "vpc retire")
	inOrder(t, ran, "scaling-group retire", "listener retire", "target-group retire")
}

func TestTearingDownFollowsTheReferencesBackwards(t *testing.T) {
	ran := order(t, nil, plan.Teardown("tutorial", "us-east-1", standing(tutorial(t, "r1", 3)), true))
	inOrder(t, ran, "listener retire", "load-balancer retire", "security-group-web retire", "vpc retire")
	inOrder(t, ran, "image retire", "server-2 retire", "route-table retire", "subnet-1 retire", "vpc retire")
	inOrder(t, ran, "server-3 retire", "key-pair retire")
	inOrder(t, ran, "route-table retire", "internet-gateway retire", "vpc retire")
}
