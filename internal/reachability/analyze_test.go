package reachability

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/inventory"
)

func TestAnalysesOfTheSamePathAreAdded(t *testing.T) {
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	a := &Answer{Stages: []Stage{
		{Paths: []Path{{To: End{Interface: "eni-1"}, Port: 80, Hops: []Hop{{Kind: Gateway, ID: "igw-1"}}}}},
		{Paths: []Path{{
			From: End{Interface: "eni-1"}, To: End{Interface: "eni-2", InstanceID: "i-2"}, Port: 3000,
		}}},
	}}
	analysis := func(id, from, to string, port int32) inventory.Analysis {
		found := inventory.Analysis{Path: types.NetworkInsightsPath{
			Source: &from, Destination: &to, Protocol: types.ProtocolTcp,
		}}
		found.NetworkInsightsAnalysisId, found.StartDate, found.NetworkPathFound = &id, &at, aws.Bool(true)
		if port != 0 {
			found.Path.DestinationPort = &port
		}
		return found
	}
	refused := analysis("refused", "eni-1", "i-2", 3000)
	refused.NetworkPathFound = aws.Bool(false)
	group := &types.AnalysisComponent{Id: aws.String("sg-1")}
	refused.Explanations = []types.Explanation{
		{ExplanationCode: aws.String("ENI_SG_RULES_MISMATCH"), SecurityGroup: group},
		{ExplanationCode: aws.String("NO_PATH")},
	}
	ranged := analysis("of other ports", "igw-1", "eni-1", 0)
	ranged.Path.FilterAtDestination = &types.PathFilter{
		DestinationPortRange: &types.FilterPortRange{FromPort: aws.Int32(81), ToPort: aws.Int32(90)},
	}
	udp := analysis("of UDP", "igw-1", "eni-1", 80)
	udp.Path.Protocol = types.ProtocolUdp
	var asked [][]string
	err := a.Analyze(func(from, to []string) ([]inventory.Analysis, error) {
		asked = [][]string{from, to}
		return []inventory.Analysis{
			analysis("any port", "igw-1", "eni-1", 0), refused, analysis("another port", "igw-1", "eni-1", 22),
			analysis("across stages", "igw-1", "i-2", 3000), ranged, udp,
		}, nil
	})
	want := []Analysis{
		{ID: "any port", From: "igw-1", To: "eni-1", At: at, Reachable: true},
		{
			ID: "refused", From: "eni-1", To: "i-2", At: at,
			Reasons: []string{"ENI_SG_RULES_MISMATCH at sg-1", "NO_PATH"},
		},
	}
	if diff := cmp.Diff(want, a.Analyses); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	if diff := cmp.Diff([][]string{{"eni-1", "igw-1"}, {"eni-1", "eni-2", "i-2"}}, asked); diff != "" {
		t.Errorf("asked for (-want +got)\n%s", diff)
	}
	failure := errors.New("forbidden")
	if err := a.Analyze(func(_, _ []string) ([]inventory.Analysis, error) { return nil, failure }); err != failure {
		t.Errorf("got %v", err)
	}
	nothing := func(_, _ []string) ([]inventory.Analysis, error) { t.Error("nothing to ask for"); return nil, nil }
	if err := (&Answer{}).Analyze(nothing); err != nil {
		t.Error(err)
	}
}
