package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// Health reads the health of a target group's targets.
type Health interface {
	DescribeTargetHealth(
		ctx context.Context, in *elb.DescribeTargetHealthInput, options ...func(*elb.Options),
	) (*elb.DescribeTargetHealthOutput, error)
}

var _ Health = (*elb.Client)(nil)

// checkTargets checks that every server is a healthy target and that there are no other
// targets.
func (v Verifier) checkTargets(ctx context.Context, f Facts) finding {
	out, err := v.Health.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &f.TargetGroupARN})
	if err != nil {
		return finding{false, fmt.Sprintf("describe target health: %v", err)}
	}
	var problems []string
	healthy := map[string]bool{}
	for _, d := range out.TargetHealthDescriptions {
		id, state := targetState(d)
		switch i := slices.IndexFunc(f.Servers, func(s Server) bool { return s.InstanceID == id }); {
		// joining or leaving
		case i < 0 && (state.State == types.TargetHealthStateEnumDraining || slices.Contains(f.Transient, id)):
		case i < 0:
			problems = append(problems, id+" is a target, and no server of "+f.Spec.App)
		case state.State == types.TargetHealthStateEnumHealthy:
			healthy[id] = true
		default:
			problems = append(problems, strings.TrimRight(
				fmt.Sprintf(
					"%s is %s: %s %s", f.Servers[i].Name, state.State, state.Reason, valueOf(state.Description),
				),
				" :",
			))
			healthy[id] = false
		}
	}
	served := map[string]int{}
	for _, s := range f.Servers {
		if good, known := healthy[s.InstanceID]; !known {
			problems = append(problems, s.Name+" is not a target")
		} else if good {
			served[s.Zone]++
		}
	}
	var seen []string
	for _, zone := range f.zones() {
		seen = append(seen, fmt.Sprintf("%s %d", zone, served[zone]))
		if served[zone] == 0 {
			problems = append(problems, "nothing serves in "+zone)
		}
	}
	if len(f.Servers) == 0 {
		problems = append(problems, "there is no server")
	}
	if len(problems) > 0 {
		return finding{false, strings.Join(problems, "; ")}
	}
	return finding{true, "healthy targets: " + strings.Join(seen, ", ")}
}

func targetState(d types.TargetHealthDescription) (id string, health types.TargetHealth) {
	if d.Target != nil {
		id = valueOf(d.Target.Id)
	}
	if d.TargetHealth != nil {
		health = *d.TargetHealth
	}
	return id, health
}

func valueOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
