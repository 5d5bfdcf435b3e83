//go:build linux

package failure

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/drill"
	"aloft.dev/aloft/internal/resource"
	"aloft.dev/aloft/internal/spec"
	"aloft.dev/aloft/test/simulation"
)

// A drill whose server cannot be reached has changed nothing. It leaves no record that the next
// command would have to undo, which cannot reach the server either.
func TestADrillThatReachesNoServerLeavesNothingToRestore(t *testing.T) {
	s := simulation.NewApplication(t)
	s.Spec.Security.Access = spec.AccessEndpoint
	s.Release(t, "r2")
	d := s.Deployment(t, &simulation.Builder{ReleaseName: "r2"})
	status := simulation.Must(d.Status(t.Context()))(t)
	client := s.Client(t, nil)
	endpoints := simulation.Must(client.EC2.DescribeInstanceConnectEndpoints(t.Context(),
		&ec2.DescribeInstanceConnectEndpointsInput{}))(t).InstanceConnectEndpoints
	simulation.Must(client.EC2.DeleteInstanceConnectEndpoint(t.Context(), &ec2.DeleteInstanceConnectEndpointInput{
		InstanceConnectEndpointId: endpoints[0].InstanceConnectEndpointId,
	}))(t)
	_, err := drill.New(drill.Config{
		App: "tutorial", Client: client, Poll: 5 * time.Millisecond, Refill: d.Refill,
		Connect: func(ctx context.Context, _ string) (func(context.Context, string) error, func() error, error) {
			_, err := d.WaysTo(ctx, status.Machines[:1])
			return nil, nil, err
		},
	}).Run(t.Context(), status, drillOptions(drill.App))
	if !resource.LacksEndpoint(err) || strings.Contains(err.Error(), "not restored") {
		t.Errorf("got %v", err)
	}
	for _, p := range store.Parameters.List(s.Store.View()) {
		if strings.HasPrefix(p.Name, "/aloft/tutorial/drill") {
			t.Errorf("parameter %s is left: %s", p.Name, p.Value)
		}
	}
}
