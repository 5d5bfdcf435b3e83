package elbv2

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

// conditionFields lists the request fields that conditions can match.
var conditionFields = []struct {
	name       string
	repeatable bool // a rule may have several conditions on the field
	config     string
	hasConfig  func(types.RuleCondition) bool
	read       func(types.RuleCondition) (store.Condition, error)
}{
	{
		name: "path-pattern", config: "PathPatternConfig", read: readPath,
		hasConfig: func(c types.RuleCondition) bool { return c.PathPatternConfig != nil },
	},
	{
		name: "host-header", config: "HostHeaderConfig", read: readHost,
		hasConfig: func(c types.RuleCondition) bool { return c.HostHeaderConfig != nil },
	},
	{
		name: "http-header", repeatable: true, config: "HttpHeaderConfig", read: readHeader,
		hasConfig: func(c types.RuleCondition) bool { return c.HttpHeaderConfig != nil },
	},
	{
		name: "http-request-method", config: "HttpRequestMethodConfig", read: readMethod,
		hasConfig: func(c types.RuleCondition) bool { return c.HttpRequestMethodConfig != nil },
	},
	{
		name: "query-string", repeatable: true, config: "QueryStringConfig", read: readQuery,
		hasConfig: func(c types.RuleCondition) bool { return c.QueryStringConfig != nil },
	},
	{
		name: "source-ip", config: "SourceIpConfig", read: readSource,
		hasConfig: func(c types.RuleCondition) bool { return c.SourceIpConfig != nil },
	},
}

// readConditions validates the conditions of a rule (Elastic Load Balancing API
// Reference, RuleCondition).
func readConditions(given []types.RuleCondition) ([]store.Condition, error) {
	if len(given) == 0 {
		return nil, model.Null("conditions")
	}
	var out []store.Condition
	values, wildcards := 0, 0
	for _, in := range given {
		c, err := readCondition(in, out)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
		values += len(c.Values) + len(c.Regexes) + len(c.Pairs)
		wildcards += wildcardsIn(c)
	}
	switch {
	case values > maxConditionValues:
		return nil, invalid("A rule can only have '%d' condition values", maxConditionValues)
	case wildcards > maxConditionWildcards:
		return nil, invalid("A rule can only have '%d' condition wildcards", maxConditionWildcards)
	}
	return out, nil
}

func readCondition(in types.RuleCondition, before []store.Condition) (store.Condition, error) {
	name := aws.ToString(in.Field)
	if name == "" {
		return store.Condition{}, invalid("A condition field must be specified")
	}
	var known []string
	for _, field := range conditionFields {
		known = append(known, field.name)
		if field.name != name {
			continue
		}
		if !field.repeatable && slices.ContainsFunc(before, func(c store.Condition) bool { return c.Field == name }) {
			return store.Condition{}, invalid("A rule can only have one '%s' condition", name)
		}
		if err := checkForeignConfigs(in, name); err != nil {
			return store.Condition{}, err
		}
		c, err := field.read(in)
		c.Field = name
		return c, err
	}
	return store.Condition{}, invalid("Condition field '%s' must be one of '[%s]'", name, strings.Join(known, ", "))
}

// checkForeignConfigs refuses settings that belong to conditions on other fields.
func checkForeignConfigs(in types.RuleCondition, name string) error {
	for _, field := range conditionFields {
		if field.name != name && field.hasConfig(in) {
			return invalid("You cannot specify '%s' for a condition of type '%s'", field.config, name)
		}
	}
	switch {
	case name == "path-pattern" || name == "host-header":
		return nil
	case len(in.Values) > 0:
		return invalid("You cannot specify Values for a condition of type '%s'", name)
	case name != "http-header" && len(in.RegexValues) > 0:
		return invalid("You cannot specify RegexValues for a condition of type '%s'", name)
	}
	return nil
}

var (
	hostForm   = regexp.MustCompile(`^[A-Za-z0-9_.*?-]+$`)
	hostEnd    = regexp.MustCompile(`\.[A-Za-z*?]*$`)
	pathForm   = regexp.MustCompile("^[A-Za-z0-9_.$/~\"'@:+&*?-]+$")
	methodForm = regexp.MustCompile(`^[A-Z_-]+$`)
	tokenForm  = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$") // RFC 9110, section 5.6.2
	visible    = regexp.MustCompile(`^[ -~]+$`)
)

func readHost(in types.RuleCondition) (store.Condition, error) {
	var config *matchValues
	if c := in.HostHeaderConfig; c != nil {
		config = &matchValues{c.Values, c.RegexValues}
	}
	out, err := readMatchValues(in, config, "HostHeaderConfig", hostForm)
	if err != nil {
		return out, err
	}
	for _, v := range out.Values {
		if !hostEnd.MatchString(v) {
			return out, invalid(
				"Condition value '%s' must contain at least one '.' character, with only alphabetical "+
					"characters after the final one",
				v,
			)
		}
	}
	return out, nil
}

func readPath(in types.RuleCondition) (store.Condition, error) {
	var config *matchValues
	if c := in.PathPatternConfig; c != nil {
		config = &matchValues{c.Values, c.RegexValues}
	}
	return readMatchValues(in, config, "PathPatternConfig", pathForm)
}

func readHeader(in types.RuleCondition) (store.Condition, error) {
	config := in.HttpHeaderConfig
	if config == nil {
		return store.Condition{}, invalid("A 'HttpHeaderConfig' must be specified with 'http-header'")
	}
	name := aws.ToString(config.HttpHeaderName)
	switch {
	case name == "":
		return store.Condition{}, invalid("A 'HttpHeaderName' must be specified in 'HttpHeaderConfig'")
	case len(name) > 40:
		return store.Condition{}, invalid("The 'HttpHeaderName' value is too long; the limit is '40'")
	case !tokenForm.MatchString(name):
		return store.Condition{}, invalid("HTTP header name '%s' contains a character that is not valid", name)
	case strings.EqualFold(name, "host"):
		return store.Condition{}, invalid(
			"You cannot use an 'http-header' condition for the host header; use a 'host-header' condition",
		)
	case len(in.RegexValues) > 0 && len(config.RegexValues) > 0:
		return store.Condition{}, invalid(
			"You cannot provide both RegexValues and 'HttpHeaderConfig' for a condition of type 'http-header'",
		)
	}
	given := matchValues{config.Values, config.RegexValues}
	if len(in.RegexValues) > 0 {
		given.regexes = in.RegexValues
	}
	out, err := given.read("http-header", visible)
	out.Header = name
	return out, err
}

func readMethod(in types.RuleCondition) (store.Condition, error) {
	if in.HttpRequestMethodConfig == nil {
		return store.Condition{}, invalid("A 'HttpRequestMethodConfig' must be specified with 'http-request-method'")
	}
	values := in.HttpRequestMethodConfig.Values
	if len(values) == 0 {
		return store.Condition{}, invalid("A condition value must be specified")
	}
	for _, v := range values {
		switch {
		case len(v) > 40:
			return store.Condition{}, invalid("The 'http-request-method' value is too long; the limit is '40'")
		case !methodForm.MatchString(v):
			return store.Condition{}, invalid(
				"The 'http-request-method' value is invalid; the allowed characters are A-Z, hyphen and underscore",
			)
		}
	}
	return store.Condition{Values: values}, nil
}

func readQuery(in types.RuleCondition) (store.Condition, error) {
	if in.QueryStringConfig == nil {
		return store.Condition{}, invalid("A 'QueryStringConfig' must be specified with 'query-string'")
	}
	var out store.Condition
	for _, pair := range in.QueryStringConfig.Values {
		key, value := aws.ToString(pair.Key), aws.ToString(pair.Value)
		switch {
		case len(key) > 128:
			return out, invalid("The 'Key' value is too long; the limit is '128'")
		case value == "":
			return out, invalid("A 'Value' must be specified in 'QueryStringKeyValuePair'")
		case len(value) > 128:
			return out, invalid("The 'Value' value is too long; the limit is '128'")
		case !visible.MatchString(value) || key != "" && !visible.MatchString(key):
			return out, invalid("Condition value '%s' contains a character that is not valid", key+value)
		}
		out.Pairs = append(out.Pairs, store.QueryPair{Key: key, Value: value})
	}
	if len(out.Pairs) == 0 {
		return out, invalid("A condition value must be specified")
	}
	return out, nil
}

func readSource(in types.RuleCondition) (store.Condition, error) {
	config := in.SourceIpConfig
	switch {
	case config == nil:
		return store.Condition{}, invalid("A 'SourceIpConfig' must be specified with 'source-ip'")
	case config.IpAddressType != "":
		return store.Condition{}, invalid(
			"You cannot specify an IP address type for the conditions of an Application Load Balancer",
		)
	case len(config.Values) == 0:
		return store.Condition{}, invalid("A 'source-ip' value must be specified")
	}
	for _, v := range config.Values {
		if p, err := netip.ParsePrefix(v); err != nil || p != p.Masked() {
			return store.Condition{}, invalid("The 'source-ip' value '%s' must be a valid CIDR block", v)
		}
	}
	return store.Condition{Values: config.Values}, nil
}

// describeConditions describes conditions. Like AWS, it repeats the values of hosts
// and paths in the condition itself.
func describeConditions(conditions []store.Condition) []types.RuleCondition {
	out := make([]types.RuleCondition, 0, len(conditions))
	for _, c := range conditions {
		d := types.RuleCondition{Field: new(c.Field)}
		switch c.Field {
		case "path-pattern":
			d.Values, d.PathPatternConfig = c.Values, &types.PathPatternConditionConfig{
				Values:      c.Values,
				RegexValues: c.Regexes,
			}
		case "host-header":
			d.Values, d.HostHeaderConfig = c.Values, &types.HostHeaderConditionConfig{
				Values:      c.Values,
				RegexValues: c.Regexes,
			}
		case "http-header":
			d.HttpHeaderConfig = &types.HttpHeaderConditionConfig{
				HttpHeaderName: new(c.Header),
				Values:         c.Values,
				RegexValues:    c.Regexes,
			}
		case "http-request-method":
			d.HttpRequestMethodConfig = &types.HttpRequestMethodConditionConfig{Values: c.Values}
		case "source-ip":
			d.SourceIpConfig = &types.SourceIpConditionConfig{Values: c.Values}
		case "query-string":
			d.QueryStringConfig = &types.QueryStringConditionConfig{}
			for _, p := range c.Pairs {
				pair := types.QueryStringKeyValuePair{Value: new(p.Value)}
				if p.Key != "" {
					pair.Key = new(p.Key)
				}
				d.QueryStringConfig.Values = append(d.QueryStringConfig.Values, pair)
			}
		}
		out = append(out, d)
	}
	return out
}
