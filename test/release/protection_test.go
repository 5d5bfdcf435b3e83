//go:build linux

package release

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"aloft.dev/aloft/internal/apply"
	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/test/simulation"
)

// deploymentOf returns a deployment with options.
func deploymentOf(t *testing.T, s *simulation.Application, options ...func(*apply.Config)) *apply.Deployment {
	t.Helper()
	return simulation.Deployment(
		t, s.Client(t, nil), s.Spec, &simulation.Builder{ReleaseName: "r1"}, s.Keys, options...)
}

func unprotect(c *apply.Config) { c.Unprotect = true }

// deleteLoadBalancer deletes the load balancer as somebody would in the console.
func deleteLoadBalancer(t *testing.T, s *simulation.Application) error {
	t.Helper()
	balancers := store.LoadBalancers.List(s.Store.View())
	if len(balancers) != 1 {
		t.Fatalf("%d load balancers", len(balancers))
	}
	_, err := s.Client(t, nil).ELB.DeleteLoadBalancer(t.Context(), &elb.DeleteLoadBalancerInput{
		LoadBalancerArn: aws.String(balancers[0].ARN),
	})
	return err
}

func TestAProtectedApplicationStays(t *testing.T) {
	s := &simulation.Application{Cloud: simulation.New(t), Keys: t.TempDir(), Spec: simulation.Tutorial(t)}
	s.Spec.Protect = true
	s.Release(t, "r1")
	if err := deleteLoadBalancer(t, s); awsapi.Code(err) != "OperationNotPermitted" {
		t.Errorf("somebody deletes the load balancer: %v", err)
	}
	before := s.Store.View()
	err := deploymentOf(t, s).Down(t.Context(), apply.DownOptions{})
	simulation.Contains(t, problemText(err), "is protected (protect: true", "--unprotect")

	// The spec that plans the deletion need not be the one that protects.
	s.Spec.Protect = false
	web := s.Spec.Security.Web.From
	s.Spec.Network.Subnets = s.Spec.Network.Subnets[:2]
	s.Spec.Security.Web.From = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
	d := deploymentOf(t, s)
	p := simulation.Must(d.Plan(t.Context()))(t)
	simulation.Contains(t, p.String(), "subnet-3 is protected", "aloft up refuses it without --unprotect")
	_, err = d.Up(t.Context())
	simulation.Contains(t, problemText(err), "subnet-3", "is protected, and the plan would delete it", "--unprotect")
	after := s.Store.View()
	if len(store.Subnets.List(after)) != len(store.Subnets.List(before)) ||
		len(store.Instances.List(after)) != len(store.Instances.List(before)) {
		t.Error("a refused run changed something")
	}

	// A release replaces servers all the same.
	s.Spec = simulation.Tutorial(t)
	s.Spec.Protect, s.Spec.Security.Web.From = true, web
	s.Release(t, "r2")
	s.Serves(t, "r2")

	if err := deploymentOf(t, s, unprotect).Down(t.Context(), apply.DownOptions{Images: true}); err != nil {
		t.Fatal(problemText(err))
	}
	simulation.NothingLeft(t, s.Cloud)
}

func TestProtectionIsLiftedByTheSpec(t *testing.T) {
	s := &simulation.Application{Cloud: simulation.New(t), Keys: t.TempDir(), Spec: simulation.Tutorial(t)}
	s.Release(t, "r1")
	s.Spec.Protect = true
	s.Release(t, "r1")
	simulation.PlanIsEmpty(t, deploymentOf(t, s))
	if err := deleteLoadBalancer(t, s); awsapi.Code(err) != "OperationNotPermitted" {
		t.Errorf("somebody deletes the load balancer: %v", err)
	}
	s.Spec.Protect = false
	p := simulation.Must(deploymentOf(t, s).Plan(t.Context()))(t)
	simulation.Contains(t, p.String(), "deletion protection: on → none")
	s.Release(t, "r1")
	simulation.PlanIsEmpty(t, deploymentOf(t, s))
	if err := deploymentOf(t, s).Down(t.Context(), apply.DownOptions{Images: true}); err != nil {
		t.Fatal(problemText(err))
	}
	simulation.NothingLeft(t, s.Cloud)
}

// problemText returns the problems of an error with their remedies.
func problemText(err error) string {
	var out strings.Builder
	for _, p := range diag.From(err) {
		_, _ = fmt.Fprintf(&out, "%s %s\n%s\n%s\n", p.Where, p.Summary, p.Detail, p.Hint)
	}
	return out.String()
}
