package elbv2_test

import (
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func pathCondition(values ...string) types.RuleCondition {
	return types.RuleCondition{
		Field:             new("path-pattern"),
		PathPatternConfig: &types.PathPatternConditionConfig{Values: values},
	}
}

// conditionValues returns the values of a condition without pointers, for
// comparison.
func conditionValues(c types.RuleCondition) []any {
	out := []any{*c.Field, c.Values}
	if v := c.HostHeaderConfig; v != nil {
		out = append(out, v.Values, v.RegexValues)
	}
	if v := c.PathPatternConfig; v != nil {
		out = append(out, v.Values, v.RegexValues)
	}
	if v := c.HttpHeaderConfig; v != nil {
		out = append(out, *v.HttpHeaderName, v.Values, v.RegexValues)
	}
	if v := c.HttpRequestMethodConfig; v != nil {
		out = append(out, v.Values)
	}
	if v := c.SourceIpConfig; v != nil {
		out = append(out, v.Values)
	}
	if v := c.QueryStringConfig; v != nil {
		for _, p := range v.Values {
			if p.Key != nil {
				out = append(out, *p.Key)
			}
			out = append(out, "=", *p.Value)
		}
	}
	return out
}

func hostCondition(values ...string) types.RuleCondition {
	return types.RuleCondition{
		Field:            new("host-header"),
		HostHeaderConfig: &types.HostHeaderConditionConfig{Values: values},
	}
}

func headerCondition(name string, values ...string) types.RuleCondition {
	return types.RuleCondition{
		Field:            new("http-header"),
		HttpHeaderConfig: &types.HttpHeaderConditionConfig{HttpHeaderName: &name, Values: values},
	}
}

func methodCondition(values ...string) types.RuleCondition {
	return types.RuleCondition{
		Field:                   new("http-request-method"),
		HttpRequestMethodConfig: &types.HttpRequestMethodConditionConfig{Values: values},
	}
}

func queryCondition(pairs ...types.QueryStringKeyValuePair) types.RuleCondition {
	return types.RuleCondition{
		Field:             new("query-string"),
		QueryStringConfig: &types.QueryStringConditionConfig{Values: pairs},
	}
}

func sourceCondition(values ...string) types.RuleCondition {
	return types.RuleCondition{
		Field:          new("source-ip"),
		SourceIpConfig: &types.SourceIpConditionConfig{Values: values},
	}
}
