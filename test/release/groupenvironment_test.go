//go:build linux

package release

import (
	"context"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/internal/stack"
	"aloft.dev/aloft/test/simulation"
)

// readers makes the instances of a group read the environment as real ones do: what is
// stored when they start. One that has read the value hunter3 of LEVEL is sick once as many
// instances were launched with the second environment as have to be. The group does not wait
// for those that are not healthy at first.
func readers(t *testing.T, s *simulation.Application, launched int) {
	t.Helper()
	client := s.Client(t, nil)
	if _, err := client.ASG.UpdateAutoScalingGroup(t.Context(), &autoscaling.UpdateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String(stack.ScalingName("tutorial")), HealthCheckGracePeriod: aws.Int32(0),
	}); err != nil {
		t.Fatal(err)
	}
	cloud := resource.NewCloud("tutorial", simulation.Region, client)
	var mu sync.Mutex
	read := map[string]string{} // LEVEL by instance
	hook := func(i *store.Instance) bool {
		mu.Lock()
		defer mu.Unlock()
		if _, ok := read[i.ID]; !ok {
			e, err := cloud.Environment(context.Background(), 0)
			if err != nil {
				t.Error(err)
				return true
			}
			read[i.ID] = e.Spec["LEVEL"]
		}
		n := 0
		for _, other := range store.Instances.List(s.Store.View()) {
			if other.Tags["aloft:environment"] == "env-2" {
				n++
			}
		}
		return read[i.ID] == "hunter3" && n >= launched
	}
	s.Sick.Store(&hook)
	s.Balancer.RefreshHealth() // those that exist have read the first environment
}

func TestAGroupWithAFailingEnvironmentIsRolledBack(t *testing.T) {
	for name, launched := range map[string]int{
		"at once": 1,
		"late":    2, // an old server is gone by then
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := environedApplication(t, func(s *spec.Spec) { s.Scaling = simulation.ScalingTutorial(t).Scaling })
			readers(t, s, launched)
			s.Spec.Env["LEVEL"] = "hunter3"
			b := &simulation.Builder{ReleaseName: "r1"}
			if err := fails(t.Context(), s.Deployment(t, b)); err != nil {
				t.Fatal(err)
			}
			expect(t, "LEVEL", variables(t, s, 0)["LEVEL"], "hunter1")
			expect(t, "servers", environments(s), "env-1 env-1 env-1")
			expect(t, "releases", releases(t, s), "r1 released env-1; r1 failed env-2 (environment: LEVEL)")
			s.Spec.Env["LEVEL"] = "hunter1"
			groupServes(t, s, "r1")
			status, err := s.Deployment(t, b).Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range status.Machines {
				if m.Health != "healthy" || m.Environment != "env-1" {
					t.Errorf("%s is %s with %s", m.Name, m.Health, m.Environment)
				}
			}
		})
	}
}
