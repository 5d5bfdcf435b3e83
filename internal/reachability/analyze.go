package reachability

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"aloft.dev/aloft/internal/inventory"
)

// Analysis is an earlier finding of AWS's Reachability Analyzer about a path. It does not
// change the answer.
type Analysis struct {
	ID        string    `json:"id"`
	From      string    `json:"from"` // id of a resource
	To        string    `json:"to"`
	At        time.Time `json:"at"`
	Reachable bool      `json:"reachable"`
	// Reasons are codes with the resources that they are about (Reachability Analyzer User Guide,
	// Explanation codes).
	Reasons []string `json:"reasons,omitempty"`
}

// ends returns the ids of the resources by which Reachability Analyzer may name the ends of a
// path. The end of a path that leaves the cloud is its internet gateway.
func (p *Path) ends() (from, to []string) {
	ids := func(e End) (all []string) {
		if e.InstanceID != "" {
			all = append(all, e.InstanceID)
		}
		if e.Interface != "" {
			return append(all, e.Interface)
		}
		for _, h := range p.Hops {
			if h.Kind == Gateway && strings.HasPrefix(h.ID, "igw-") {
				all = append(all, h.ID)
			}
		}
		return all
	}
	return ids(p.From), ids(p.To)
}

// Analyze adds what Reachability Analyzer has found. read returns the latest analyses of paths
// between resources.
func (a *Answer) Analyze(read func(from, to []string) ([]inventory.Analysis, error)) error {
	var from, to []string
	for _, stage := range a.Stages {
		for i := range stage.Paths {
			sources, targets := stage.Paths[i].ends()
			from, to = append(from, sources...), append(to, targets...)
		}
	}
	if len(from) == 0 || len(to) == 0 {
		return nil
	}
	slices.Sort(from)
	slices.Sort(to)
	found, err := read(slices.Compact(from), slices.Compact(to))
	for _, analysis := range found {
		if a.has(analysis.Path) {
			a.Analyses = append(a.Analyses, newAnalysis(analysis))
		}
	}
	return err
}

// has reports whether a path of Reachability Analyzer is a path of the answer.
func (a *Answer) has(path types.NetworkInsightsPath) bool {
	return path.Protocol != types.ProtocolUdp && slices.ContainsFunc(a.Stages, func(s Stage) bool {
		return slices.ContainsFunc(s.Paths, func(p Path) bool {
			from, to := p.ends()
			return slices.Contains(from, aws.ToString(path.Source)) &&
				slices.Contains(to, aws.ToString(path.Destination)) && isForPort(path, int32(p.Port))
		})
	})
}

// isForPort reports whether a path leads to a port. One without a port leads to all.
func isForPort(path types.NetworkInsightsPath, port int32) bool {
	if path.DestinationPort != nil && *path.DestinationPort != port {
		return false
	}
	for _, filter := range []*types.PathFilter{path.FilterAtSource, path.FilterAtDestination} {
		if filter == nil || filter.DestinationPortRange == nil {
			continue
		}
		if r := filter.DestinationPortRange; port < aws.ToInt32(r.FromPort) || aws.ToInt32(r.ToPort) < port {
			return false
		}
	}
	return true
}

func newAnalysis(of inventory.Analysis) Analysis {
	a := Analysis{
		ID: aws.ToString(of.NetworkInsightsAnalysisId), From: aws.ToString(of.Path.Source),
		To: aws.ToString(of.Path.Destination), At: aws.ToTime(of.StartDate).UTC(),
		Reachable: aws.ToBool(of.NetworkPathFound),
	}
	for _, e := range of.Explanations {
		text := aws.ToString(e.ExplanationCode)
		for _, about := range []*types.AnalysisComponent{
			e.SecurityGroup, e.Acl, e.RouteTable, e.LoadBalancerTargetGroup, e.NetworkInterface, e.Subnet, e.Vpc,
			e.Component,
		} {
			if about != nil {
				text += " at " + aws.ToString(about.Id)
				break
			}
		}
		a.Reasons = append(a.Reasons, text)
	}
	return a
}
