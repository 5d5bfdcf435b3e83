//go:build linux

package reachability

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/reachability"
	"aloft.dev/aloft/test/simulation"
)

func TestPrivateServersReachTheInternetThroughTheirGateway(t *testing.T) {
	t.Parallel()
	s := &setup{Application: &simulation.Application{
		Cloud: simulation.New(t), Keys: t.TempDir(), Spec: simulation.PrivateTutorial(t),
	}}
	s.client = s.Client(t, nil)
	s.Release(t, "r1")
	s.read(t)
	a := s.find(t, s.server(0), internet, 443)
	if !a.Reachable() {
		t.Fatalf("%s → %s is %s, decided by %+v", a.From, a.Target(), a.State, a.Decided)
	}
	gateway := ""
	for _, h := range a.Stages[0].Paths[0].Hops {
		if h.Kind == reachability.NAT {
			gateway = h.ID
		}
	}
	if gateway == "" {
		t.Fatalf("no NAT gateway among %+v", a.Stages[0].Paths[0].Hops)
	}
	if in := s.find(t, internet, s.server(0), 22); in.Reachable() || in.Decided.Kind != reachability.Address {
		t.Errorf("from the internet: %s, decided by %+v", in.State, in.Decided)
	}
	must(s.client.EC2.DeleteNatGateway(t.Context(), &ec2.DeleteNatGatewayInput{NatGatewayId: aws.String(gateway)}))(t)
	s.Until(t, gateway+" is deleted", func(r store.Reader) bool {
		row, ok := store.NatGateways.Get(r, gateway)
		return !ok || !row.Forwards()
	})
	s.read(t)
	a = s.find(t, s.server(0), internet, 443)
	if a.Reachable() || a.Decided == nil || a.Decided.Fix == "" ||
		a.Decided.Kind != reachability.Route && a.Decided.Kind != reachability.NAT ||
		!strings.Contains(a.Decided.Reason+a.Decided.ID, gateway) {
		t.Errorf("without the gateway: %s, decided by %+v", a.State, a.Decided)
	}
}
