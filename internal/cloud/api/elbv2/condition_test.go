package elbv2_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func TestInvalidConditionsAreRefused(t *testing.T) {
	w := newWorld(t)
	_, _, l := w.forwarding()
	both := pathCondition("/a")
	both.Values = []string{"/a"}
	foreign := methodCondition("GET")
	foreign.SourceIpConfig = &types.SourceIpConditionConfig{}
	long := strings.Repeat("x", 129)
	for _, c := range []struct {
		text       string
		conditions []types.RuleCondition
	}{
		{"A condition field must be specified", []types.RuleCondition{{}}},
		{
			"Condition field 'port' must be one of '[path-pattern, host-header, http-header, " +
				"http-request-method, query-string, source-ip]'",
			[]types.RuleCondition{{Field: new("port")}},
		},
		{"A condition value must be specified", []types.RuleCondition{{Field: new("path-pattern")}}},
		{"A condition value must be specified", []types.RuleCondition{hostCondition()}},
		{"A condition value must be specified", []types.RuleCondition{pathCondition("")}},
		{
			"You cannot provide both Values and 'PathPatternConfig' for a condition of type 'path-pattern'",
			[]types.RuleCondition{both},
		},
		{"A rule can only have '5' condition values", []types.RuleCondition{
			{Field: new("path-pattern"), Values: []string{"/a", "/b", "/c", "/d", "/e", "/f"}},
		}},
		{"The 'path-pattern' value is too long; the limit is '128'", []types.RuleCondition{pathCondition("/" + long)}},
		{"The 'host-header' value is too long; the limit is '128'", []types.RuleCondition{hostCondition(long)}},
		{
			"Condition value '^/[a-z]{2}/' contains a character that is not valid",
			[]types.RuleCondition{pathCondition("^/[a-z]{2}/")},
		},
		{
			"Condition value 'a.com:80' contains a character that is not valid",
			[]types.RuleCondition{hostCondition("a.com:80")},
		},
		{"must contain at least one '.'", []types.RuleCondition{hostCondition("localhost")}},
		{"must contain at least one '.'", []types.RuleCondition{hostCondition("10.0.0.1")}},
		{
			"A rule can only have one 'host-header' condition",
			[]types.RuleCondition{hostCondition("a.com"), hostCondition("b.com")},
		},
		{
			"A rule can only have '5' condition values",
			[]types.RuleCondition{pathCondition("/1", "/2", "/3", "/4", "/5", "/6")},
		},
		{
			"A rule can only have '5' condition values",
			[]types.RuleCondition{pathCondition("/1", "/2", "/3"), hostCondition("a.com", "b.com", "c.com")},
		},
		{
			"A rule can only have '5' condition wildcards",
			[]types.RuleCondition{pathCondition("/*/?/*"), hostCondition("*.a.???")},
		},
		{
			"A 'HttpHeaderConfig' must be specified with 'http-header'",
			[]types.RuleCondition{{Field: new("http-header")}},
		},
		{
			"The 'HttpHeaderName' value is too long; the limit is '40'",
			[]types.RuleCondition{headerCondition(long, "a")},
		},
		{"contains a character that is not valid", []types.RuleCondition{headerCondition("a b", "a")}},
		{"host header", []types.RuleCondition{headerCondition("Host", "a")}},
		{"The 'http-header' value is too long; the limit is '128'", []types.RuleCondition{headerCondition("a", long)}},
		{"A condition value must be specified", []types.RuleCondition{headerCondition("a")}},
		{
			"A 'HttpRequestMethodConfig' must be specified with 'http-request-method'",
			[]types.RuleCondition{{Field: new("http-request-method")}},
		},
		{
			"The 'http-request-method' value is invalid; the allowed characters are A-Z, hyphen and underscore",
			[]types.RuleCondition{methodCondition("get")},
		},
		{"The 'http-request-method' value is too long; the limit is '40'", []types.RuleCondition{
			methodCondition(strings.Repeat("X", 41)),
		}},
		{"You cannot specify 'SourceIpConfig'", []types.RuleCondition{foreign}},
		{"You cannot specify Values", []types.RuleCondition{{Field: new("source-ip"), Values: []string{"10.0.0.0/8"}}}},
		{"The 'Key' value is too long; the limit is '128'", []types.RuleCondition{
			queryCondition(types.QueryStringKeyValuePair{Key: &long, Value: new("a")}),
		}},
		{"The 'Value' value is too long; the limit is '128'", []types.RuleCondition{
			queryCondition(types.QueryStringKeyValuePair{Value: &long}),
		}},
		{
			"A 'Value' must be specified in 'QueryStringKeyValuePair'",
			[]types.RuleCondition{queryCondition(types.QueryStringKeyValuePair{Key: new("a")})},
		},
		{"A condition value must be specified", []types.RuleCondition{queryCondition()}},
		{"A 'SourceIpConfig' must be specified with 'source-ip'", []types.RuleCondition{{Field: new("source-ip")}}},
		{"A 'source-ip' value must be specified", []types.RuleCondition{sourceCondition()}},
		{"valid CIDR block", []types.RuleCondition{sourceCondition("10.0.0.1")}},
		{"valid CIDR block", []types.RuleCondition{sourceCondition("10.0.0.1/8")}},
		{
			"Regular expression '(?=a)' is not valid",
			[]types.RuleCondition{{Field: new("path-pattern"), RegexValues: []string{"(?=a)"}}},
		},
		{"is not valid", []types.RuleCondition{{Field: new("path-pattern"), RegexValues: []string{`\p{L}`}}}},
		{
			"You cannot provide both Values and RegexValues",
			[]types.RuleCondition{{Field: new("path-pattern"), Values: []string{"/a"}, RegexValues: []string{"a"}}},
		},
		{"Value null at 'conditions'", []types.RuleCondition{}},
	} {
		t.Run(c.text, func(t *testing.T) {
			in := newRule(l, 1)
			in.Conditions = c.conditions
			_, err := w.CreateRule(w.ctx, in)
			wantError(t, err, "ValidationError", c.text)
		})
	}
	in := newRule(
		l, 1, pathCondition(`/*/*/*`, "/a?"), queryCondition(types.QueryStringKeyValuePair{Value: new(`\*\?*`)}),
	)
	must(w.CreateRule(w.ctx, in))(t)
}

func TestConditionsAreDescribedAsGiven(t *testing.T) {
	w := newWorld(t)
	_, _, l := w.forwarding()
	regex := func(v ...string) *types.PathPatternConditionConfig {
		return &types.PathPatternConditionConfig{RegexValues: v}
	}
	for i, c := range []types.RuleCondition{
		hostCondition("*.example.com", "test-1.example.*"),
		{
			Field:            new("host-header"),
			HostHeaderConfig: &types.HostHeaderConditionConfig{RegexValues: []string{`^example\.com:8443$`}},
		},
		pathCondition("/img/*", `/~a_b-c.d$e"f'g@h:i+j&k?`),
		{Field: new("path-pattern"), PathPatternConfig: regex(`^/[a-z]{2}(-[A-Z]{2})?/`)},
		headerCondition("User-Agent", "*Chrome*", "Safari (x; y)"),
		methodCondition("GET", "CUSTOM-METHOD"),
		queryCondition(
			types.QueryStringKeyValuePair{Key: new("version"), Value: new("v1")},
			types.QueryStringKeyValuePair{Value: new("*example*")},
		),
		sourceCondition("192.0.2.0/24", "2001:db8::/32"),
	} {
		got := w.rule(l, int32(i+1), c).Conditions
		if len(got) != 1 {
			t.Fatalf("conditions = %+v, want 1", got)
		}
		values := got[0].Values
		got[0].Values = nil
		if fmt.Sprintf("%+v", conditionValues(got[0])) != fmt.Sprintf("%+v", conditionValues(c)) {
			t.Errorf("condition = %+v, want %+v", conditionValues(got[0]), conditionValues(c))
		}
		if twice := *c.Field == "host-header" || *c.Field == "path-pattern"; !twice && values != nil ||
			*c.Field == "path-pattern" && !slices.Equal(values, c.PathPatternConfig.Values) {
			t.Errorf("condition on %s has Values %v", *c.Field, values)
		}
	}
}

func TestAConditionHasSeveralValuesWithoutAConfig(t *testing.T) {
	w := newWorld(t)
	_, _, l := w.forwarding()
	in := newRule(l, 1)
	in.Conditions = []types.RuleCondition{{Field: new("host-header"), Values: []string{"a.example", "b.example"}}}
	got := must(w.CreateRule(w.ctx, in))(t).Rules[0].Conditions[0]
	if want := []string{"a.example", "b.example"}; !slices.Equal(got.Values, want) ||
		!slices.Equal(got.HostHeaderConfig.Values, want) {
		t.Errorf("condition %+v", got)
	}
}
