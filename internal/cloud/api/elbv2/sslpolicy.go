package elbv2

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/securitypolicy"
	"aloft.dev/aloft/internal/cloud/wire"
)

// checkSSLPolicy refuses security policies that are unknown or unsupported.
func checkSSLPolicy(name string) error {
	if _, ok := securitypolicy.Find(name); ok {
		return nil
	}
	if securitypolicy.Unsupported(name) {
		return wire.NotImplemented("the security policy %s, which demands a validated cryptographic module", name)
	}
	return wire.Errorf("SSLPolicyNotFound", "SSL policy '%s' not found", name)
}

// DescribeSSLPolicies describes the security policies with the protocols and
// ciphers that listeners really offer: see package securitypolicy.
func (a *API) DescribeSSLPolicies(
	_ context.Context,
	in *elb.DescribeSSLPoliciesInput,
) (*elb.DescribeSSLPoliciesOutput, error) {
	if err := model.Between("pageSize", in.PageSize, 1, maxPage); err != nil {
		return nil, err
	}
	kind := in.LoadBalancerType
	if kind != "" && !slices.Contains(kind.Values(), kind) {
		return nil, model.OutOfSet("loadBalancerType", kind, "application", "gateway", "network")
	}
	rows := securitypolicy.All()
	if kind == types.LoadBalancerTypeEnumGateway {
		rows = nil
	}
	if len(in.Names) > 0 {
		for _, name := range in.Names {
			if err := checkSSLPolicy(name); err != nil {
				return nil, err
			}
		}
		rows = slices.DeleteFunc(rows, func(p securitypolicy.Policy) bool { return !slices.Contains(in.Names, p.Name) })
	}
	if aws.ToString(in.Marker) != "" { // rows are in AWS's order, not in that of their names
		last, ok := markers.Last(in.Marker)
		at := slices.IndexFunc(rows, func(p securitypolicy.Policy) bool { return p.Name == last })
		if !ok || at < 0 {
			return nil, invalid("The marker '%s' is invalid", *in.Marker)
		}
		rows = rows[at+1:]
	}
	out := &elb.DescribeSSLPoliciesOutput{SslPolicies: []types.SslPolicy{}}
	if limit := int(constraint.Default(in.PageSize, maxPage)); len(rows) > limit {
		rows = rows[:limit]
		out.NextMarker = markers.Token(rows[limit-1].Name)
	}
	for _, p := range rows {
		out.SslPolicies = append(out.SslPolicies, describeSSLPolicy(p))
	}
	return out, nil
}

func describeSSLPolicy(p securitypolicy.Policy) types.SslPolicy {
	out := types.SslPolicy{Name: &p.Name, SupportedLoadBalancerTypes: []string{"application", "network"}}
	for _, v := range p.Versions {
		out.SslProtocols = append(out.SslProtocols, v.Name)
	}
	for _, c := range p.Ciphers {
		out.Ciphers = append(out.Ciphers, types.Cipher{Name: &c.Name, Priority: &c.Priority})
	}
	return out
}
