package elbv2_test

import (
	"strings"
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func TestConditionsThatCannotBeAreRefused(t *testing.T) {
	w := newWorld(t)
	_, _, l := w.inUse()
	host := func(values ...string) types.RuleCondition {
		return types.RuleCondition{
			Field:            new("host-header"),
			HostHeaderConfig: &types.HostHeaderConditionConfig{Values: values},
		}
	}
	header := func(name string, values ...string) types.RuleCondition {
		return types.RuleCondition{
			Field:            new("http-header"),
			HttpHeaderConfig: &types.HttpHeaderConditionConfig{HttpHeaderName: &name, Values: values},
		}
	}
	method := func(values ...string) types.RuleCondition {
		return types.RuleCondition{
			Field:                   new("http-request-method"),
			HttpRequestMethodConfig: &types.HttpRequestMethodConditionConfig{Values: values},
		}
	}
	query := func(pairs ...types.QueryStringKeyValuePair) types.RuleCondition {
		return types.RuleCondition{
			Field:             new("query-string"),
			QueryStringConfig: &types.QueryStringConditionConfig{Values: pairs},
		}
	}
	source := func(values ...string) types.RuleCondition {
		return types.RuleCondition{
			Field:          new("source-ip"),
			SourceIpConfig: &types.SourceIpConditionConfig{Values: values},
		}
	}
	both := path("/a")
	both.Values = []string{"/a"}
	foreign := method("GET")
	foreign.SourceIpConfig = &types.SourceIpConditionConfig{}
	long := strings.Repeat("x", 129)
	for _, c := range []struct {
		text       string
		conditions []types.RuleCondition
	}{
		{"A condition field must be specified", []types.RuleCondition{{}}},
		{"Condition field 'port' must be one of '[path-pattern, host-header, http-header, http-request-method, query-string, source-ip]'", []types.RuleCondition{{Field: new("port")}}},
		{"A condition value must be specified", []types.RuleCondition{{Field: new("path-pattern")}}},
		{"A condition value must be specified", []types.RuleCondition{host()}},
		{"A condition value must be specified", []types.RuleCondition{path("")}},
		{"You cannot provide both Values and 'PathPatternConfig' for a condition of type 'path-pattern'", []types.RuleCondition{both}},
		{"The 'path-pattern' field contains too many values; the limit is '1'", []types.RuleCondition{{Field: new("path-pattern"), Values: []string{"/a", "/b"}}}},
		{"The 'path-pattern' value is too long; the limit is '128'", []types.RuleCondition{path("/" + long)}},
		{"The 'host-header' value is too long; the limit is '128'", []types.RuleCondition{host(long)}},
		{"Condition value '^/[a-z]{2}/' contains a character that is not valid", []types.RuleCondition{path("^/[a-z]{2}/")}},
		{"Condition value 'a.com:80' contains a character that is not valid", []types.RuleCondition{host("a.com:80")}},
		{"must contain at least one '.'", []types.RuleCondition{host("localhost")}},
		{"must contain at least one '.'", []types.RuleCondition{host("10.0.0.1")}},
		{"A rule can only have one 'host-header' condition", []types.RuleCondition{host("a.com"), host("b.com")}},
		{"A rule can only have '5' condition values", []types.RuleCondition{path("/1", "/2", "/3", "/4", "/5", "/6")}},
		{"A rule can only have '5' condition values", []types.RuleCondition{path("/1", "/2", "/3"), host("a.com", "b.com", "c.com")}},
		{"A rule can only have '5' condition wildcards", []types.RuleCondition{path("/*/?/*"), host("*.a.???")}},
		{"A 'HttpHeaderConfig' must be specified with 'http-header'", []types.RuleCondition{{Field: new("http-header")}}},
		{"The 'HttpHeaderName' value is too long; the limit is '40'", []types.RuleCondition{header(long, "a")}},
		{"contains a character that is not valid", []types.RuleCondition{header("a b", "a")}},
		{"host header", []types.RuleCondition{header("Host", "a")}},
		{"The 'http-header' value is too long; the limit is '128'", []types.RuleCondition{header("a", long)}},
		{"A condition value must be specified", []types.RuleCondition{header("a")}},
		{"A 'HttpRequestMethodConfig' must be specified with 'http-request-method'", []types.RuleCondition{{Field: new("http-request-method")}}},
		{"The 'http-request-method' value is invalid; the allowed characters are A-Z, hyphen and underscore", []types.RuleCondition{method("get")}},
		{"The 'http-request-method' value is too long; the limit is '40'", []types.RuleCondition{method(strings.Repeat("X", 41))}},
		{"You cannot specify 'SourceIpConfig'", []types.RuleCondition{foreign}},
		{"You cannot specify Values", []types.RuleCondition{{Field: new("source-ip"), Values: []string{"10.0.0.0/8"}}}},
		{"The 'Key' value is too long; the limit is '128'", []types.RuleCondition{query(types.QueryStringKeyValuePair{Key: &long, Value: new("a")})}},
		{"The 'Value' value is too long; the limit is '128'", []types.RuleCondition{query(types.QueryStringKeyValuePair{Value: &long})}},
		{"A 'Value' must be specified in 'QueryStringKeyValuePair'", []types.RuleCondition{query(types.QueryStringKeyValuePair{Key: new("a")})}},
		{"A condition value must be specified", []types.RuleCondition{query()}},
		{"A 'SourceIpConfig' must be specified with 'source-ip'", []types.RuleCondition{{Field: new("source-ip")}}},
		{"A 'source-ip' value must be specified", []types.RuleCondition{source()}},
		{"valid CIDR block", []types.RuleCondition{source("10.0.0.1")}},
		{"valid CIDR block", []types.RuleCondition{source("10.0.0.1/8")}},
		{"Regular expression '(?=a)' is not valid", []types.RuleCondition{{Field: new("path-pattern"), RegexValues: []string{"(?=a)"}}}},
		{"is not valid", []types.RuleCondition{{Field: new("path-pattern"), RegexValues: []string{`\p{L}`}}}},
		{"You cannot provide both Values and RegexValues", []types.RuleCondition{{Field: new("path-pattern"), Values: []string{"/a"}, RegexValues: []string{"a"}}}},
		{"Value null at 'conditions'", []types.RuleCondition{}},
	} {
		t.Run(c.text, func(t *testing.T) {
			in := newRule(l, 1)
			in.Conditions = c.conditions
			_, err := w.CreateRule(w.ctx, in)
			refused(t, err, "ValidationError", c.text)
		})
	}
	in := newRule(l, 1, path(`/*/*/*`, "/a?"), query(types.QueryStringKeyValuePair{Value: new(`\*\?*`)}))
	must(w.CreateRule(w.ctx, in))(t)
}

func TestRulesThatCannotBeAreRefused(t *testing.T) {
	w := newWorld(t)
	_, g, l := w.inUse()
	for _, c := range []struct {
		name       string
		change     func(in *elb.CreateRuleInput)
		code, text string
	}{
		{"no priority", func(in *elb.CreateRuleInput) { in.Priority = nil }, "ValidationError", "priority"},
		{"priority 0", func(in *elb.CreateRuleInput) { in.Priority = new(int32(0)) }, "ValidationError", "greater than or equal to 1"},
		{"priority 50001", func(in *elb.CreateRuleInput) { in.Priority = new(int32(50001)) }, "ValidationError", "less than or equal to 50000"},
		{"no action", func(in *elb.CreateRuleInput) { in.Actions = nil }, "ValidationError", "Value null at 'actions'"},
		{"an unknown listener", func(in *elb.CreateRuleInput) { in.ListenerArn = new(*in.ListenerArn + "0") }, "ListenerNotFound", "One or more listeners not found"},
		{"an unknown group", func(in *elb.CreateRuleInput) { in.Actions = forward(*g.TargetGroupArn + "0") }, "TargetGroupNotFound", "One or more"},
		{"a transform", func(in *elb.CreateRuleInput) {
			in.Transforms = []types.RuleTransform{{Type: types.TransformTypeEnumHostHeaderRewrite}}
		}, "NotImplemented", "host-header-rewrite"},
		{"a wrong answer", func(in *elb.CreateRuleInput) { in.Actions = fixed("302") }, "ValidationError", "statusCode"},
		{"a reserved tag", func(in *elb.CreateRuleInput) { in.Tags = []types.Tag{{Key: new("aws:x")}} }, "ValidationError", "aws:"},
	} {
		in := newRule(l, 1)
		c.change(in)
		_, err := w.CreateRule(w.ctx, in)
		t.Run(c.name, func(t *testing.T) { refused(t, err, c.code, c.text) })
	}
}
