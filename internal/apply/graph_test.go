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
	return tutorialWith(t, release, func(s *spec.Spec) { s.Machines.Count = count })
}

// tutorialWith returns the stack of the tutorial after a change of its spec.
func tutorialWith(t *testing.T, release string, change func(*spec.Spec)) *stack.Stack {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(specs, "tutorial.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := spec.Parse(data, "aloft.yaml", specs)
	if err != nil {
		t.Fatal(err)
	}
	change(s)
	want, err := stack.Build(
		s,
		stack.Facts{Zones: zonesOffering("t3.micro"), Release: release},
	)
	if err != nil {
		t.Fatal(err)
	}
	return want
}

// zonesOffering returns three zones that offer a type.
func zonesOffering(instanceType string) []stack.Zone {
	var all []stack.Zone
	for _, name := range []string{"us-east-1a", "us-east-1b", "us-east-1c"} {
		all = append(all, stack.Zone{Name: name, Offers: []string{instanceType}})
	}
	return all
}

// existing returns the resources that exist when all of a stack has been created.
func existing(s *stack.Stack) []plan.Found {
	ids := map[string]string{}
	var all []plan.Found
	for _, r := range s.Resources {
		f := plan.Found{Address: r.Address, Kind: r.Body.Kind(), ID: r.Address + "-old"}
		ids[r.Address] = f.ID
		for _, a := range r.Body.Attributes() {
			var values []string
			for _, term := range a.Terms {
				values = append(values, term.Text+ids[term.Ref.Address])
			}
			f.Set(a.Key, values...)
		}
		all = append(all, f)
	}
	return all
}

// order runs the tasks of a plan without a cloud and returns the order in which they
// ran: "server-1", "server-1 install", "server-1 delete".
func order(t *testing.T, want *stack.Stack, p *plan.Plan) []string {
	t.Helper()
	g := newGraph(&resource.Provisioner{}, want, p)
	var mu sync.Mutex
	var ran []string
	for _, task := range g.tasks {
		name := task.address
		switch {
		case strings.HasPrefix(task.message, "install"):
			name += " install"
		case strings.HasPrefix(task.message, "delete"):
			name += " delete"
		}
		task.run = func(context.Context) error {
			mu.Lock()
			defer mu.Unlock()
			ran = append(ran, name)
			return nil
		}
	}
	if err := runTasks(t.Context(), g.tasks, func(event.Event) {}, nil); err != nil {
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
			t.Errorf("%s is not after its predecessor in %v; ran:\n%s", name, want, strings.Join(ran, "\n"))
			return
		}
		last = at
	}
}

func TestFirstDeploymentBuildsOnceAndLaunchesFromTheImage(t *testing.T) {
	want := tutorial(t, "r1", 3)
	ran := order(t, want, plan.Diff(want, nil))
	inOrder(t, ran, "vpc", "subnet-1", "route-table", "server-1", "server-1 install", "image", "server-3", "target-3")
	inOrder(t, ran, "security-group-web", "load-balancer", "listener", "target-1")
	inOrder(t, ran, "security-group-web", "security-group-app", "server-1 install")
	inOrder(t, ran, "image", "target-1")
	if len(ran) != 21 {
		t.Errorf("%d tasks: %v", len(ran), ran)
	}
}

// The builder is created beside the endpoint, which takes minutes on AWS, and installed on
// after both.
func TestInstallationWaitsForTheWayToTheBuilder(t *testing.T) {
	want := tutorialWith(t, "r1", func(s *spec.Spec) { s.Security.Access = spec.AccessEndpoint })
	g := newGraph(&resource.Provisioner{}, want, plan.Diff(want, nil))
	endpoint := g.changes[stack.AddressConnectEndpoint]
	for _, task := range g.tasks {
		if strings.HasPrefix(task.message, "install") && !slices.Contains(task.after, endpoint) {
			t.Errorf("%s %s does not follow the endpoint", task.address, task.message)
		}
	}
	if builder := g.changes["server-1"]; slices.Contains(builder.after, endpoint) {
		t.Error("the builder follows the endpoint")
	}
}

func TestReleaseReplacesServersOneByOne(t *testing.T) {
	found := existing(tutorial(t, "r1", 3))
	want := tutorial(t, "r2", 3)
	ran := order(t, want, plan.Diff(want, found))
	sequence := []string{"server-1", "server-1 install", "image"}
	for n := 1; n <= 3; n++ {
		server, target := fmt.Sprintf("server-%d", n), fmt.Sprintf("target-%d", n)
		if n > 1 {
			sequence = append(sequence, server)
		}
		sequence = append(sequence, target, target+" delete", server+" delete")
	}
	inOrder(t, ran, sequence...)
}

func TestOnlyTheBrokenServerIsReplaced(t *testing.T) {
	want := tutorial(t, "r1", 3)
	found := existing(want)
	for i := range found {
		if found[i].Address == "server-2" {
			found[i].Broken = "unhealthy"
		}
	}
	ran := order(t, want, plan.Diff(want, found))
	if got := strings.Join(ran, ", "); got != "server-2, target-2, target-2 delete, server-2 delete" {
		t.Errorf("ran %s", got)
	}
}

func TestSurplusServersAreDeregisteredBeforeTheyAreDeleted(t *testing.T) {
	want := tutorial(t, "r1", 2)
	ran := order(t, want, plan.Diff(want, existing(tutorial(t, "r1", 3))))
	if got := strings.Join(ran, ", "); got != "target-3 delete, server-3 delete" {
		t.Errorf("ran %s", got)
	}
}

func TestReleaseWithFewerServersHasNoCycle(t *testing.T) {
	want := tutorial(t, "r2", 2)
	ran := order(t, want, plan.Diff(want, existing(tutorial(t, "r1", 5))))
	inOrder(t, ran, "image", "target-1", "server-1 delete", "server-2", "target-2", "server-2 delete")
	inOrder(t, ran, "target-5 delete", "server-5 delete")
}

// scaling returns the stack of an Auto Scaling group whose image exists.
func scaling(t *testing.T, release string) *stack.Stack {
	t.Helper()
	s, err := spec.Parse(
		[]byte(
			"app: tutorial\nsource: .\nstart: node .\nload_balancer: {port: 3000}\n"+
				"scaling: {schedule: [{cron: 0 8 * * *, min: 4}]}\n",
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
			Zones:   zonesOffering("t3.micro"),
			Release: release,
			Phase:   stack.PhaseServe,
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	return want
}

func TestServersAreDeletedAfterTheirGroupServes(t *testing.T) {
	want := scaling(t, "r1")
	ran := order(t, want, plan.Diff(want, existing(tutorial(t, "r1", 5))))
	for n := 1; n <= 5; n++ {
		inOrder(
			t,
			ran,
			"launch-template",
			"scaling-group",
			fmt.Sprintf("target-%d delete", n),
			fmt.Sprintf("server-%d delete", n),
		)
	}
	inOrder(t, ran, "scaling-group", "scaling-policy")
}

func TestGroupIsDeletedAfterItsServersServe(t *testing.T) {
	want := tutorial(t, "r1", 3)
	ran := order(t, want, plan.Diff(want, existing(scaling(t, "r1"))))
	for n := 1; n <= 3; n++ {
		inOrder(
			t,
			ran,
			fmt.Sprintf("server-%d", n),
			fmt.Sprintf("target-%d", n),
			"scaling-group delete",
			"launch-template delete",
		)
	}
	inOrder(t, ran, "scaling-policy delete", "scaling-group delete")
	inOrder(t, ran, "schedule-1 delete", "scaling-group delete")
}

func TestGroupIsUpdatedAfterItsLaunchTemplate(t *testing.T) {
	want := scaling(t, "r2")
	ran := order(t, want, plan.Diff(want, existing(scaling(t, "r1"))))
	inOrder(t, ran, "image", "launch-template", "scaling-group")
	if len(ran) != 3 {
		t.Errorf("ran %v", ran)
	}
}

func TestTeardownOfAGroupReversesReferences(t *testing.T) {
	ran := order(t, nil, plan.Teardown("tutorial", "us-east-1", existing(scaling(t, "r1")), true))
	inOrder(t, ran, "scaling-group delete", "launch-template delete", "image delete")
	inOrder(t, ran, "scaling-group delete", "subnet-1 delete", "vpc delete")
	inOrder(t, ran, "scaling-group delete", "listener delete", "target-group delete")
}

func TestTeardownReversesReferences(t *testing.T) {
	ran := order(t, nil, plan.Teardown("tutorial", "us-east-1", existing(tutorial(t, "r1", 3)), true))
	inOrder(t, ran, "listener delete", "load-balancer delete", "security-group-web delete", "vpc delete")
	inOrder(t, ran, "image delete", "server-2 delete", "route-table delete", "subnet-1 delete", "vpc delete")
	inOrder(t, ran, "server-3 delete", "key-pair delete")
	inOrder(t, ran, "route-table delete", "internet-gateway delete", "vpc delete")
}
