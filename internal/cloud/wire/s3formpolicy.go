package wire

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// unconditional are the fields of a form that its policy need not mention.
var unconditional = []string{"x-amz-signature", "awsaccesskeyid", "signature", "policy", "file"}

// checkPolicy returns the sizes that the policy of a form allows its file, or the error of a form that does not
// follow the policy (Amazon S3 API Reference, "Creating an HTML form (using AWS Signature Version 4)", POST policy).
func (f *objectForm) checkPolicy(now time.Time) (formLimits, error) {
	limits := formLimits{most: -1}
	text, err := base64.StdEncoding.DecodeString(f.fields["policy"])
	if err != nil {
		return limits, Errorf("InvalidPolicyDocument", "Invalid Policy: Invalid Base64 encoding.")
	}
	var policy struct {
		Expiration *string `json:"expiration"`
		Conditions []any   `json:"conditions"`
	}
	if err := json.Unmarshal(text, &policy); err != nil {
		return limits, Errorf("InvalidPolicyDocument", "Invalid Policy: Invalid JSON.")
	}
	switch {
	case policy.Expiration == nil:
		return limits, Errorf("InvalidPolicyDocument", "Invalid Policy: Policy missing expiration.")
	case policy.Conditions == nil:
		return limits, Errorf("InvalidPolicyDocument", "Invalid Policy: Policy missing conditions.")
	}
	if over, err := expired(*policy.Expiration, now); err != nil {
		return limits, err
	} else if over {
		return limits, formDenied("Policy expired.")
	}
	mentioned := map[string]bool{}
	for _, c := range policy.Conditions {
		name, err := f.checkCondition(c, &limits)
		if err != nil {
			return limits, err
		}
		mentioned[name] = true
	}
	var extra []string
	for name := range f.fields {
		if !mentioned[name] && !slices.Contains(unconditional, name) && !strings.HasPrefix(name, "x-ignore-") {
			extra = append(extra, name)
		}
	}
	if len(extra) > 0 {
		slices.Sort(extra)
		return limits, formDenied("Extra input fields: " + strings.Join(extra, ","))
	}
	return limits, nil
}

// checkCondition returns the field that a condition of a policy is about.
func (f *objectForm) checkCondition(condition any, limits *formLimits) (field string, err error) {
	invalid := Errorf("InvalidPolicyDocument", "Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have "+
		"exactly one property specified.")
	switch c := condition.(type) {
	case map[string]any:
		for name, value := range c {
			want, ok := value.(string)
			if len(c) != 1 || !ok {
				return "", invalid
			}
			return f.match("eq", name, want)
		}
	case []any:
		if len(c) != 3 {
			return "", invalid
		}
		operator, _ := c[0].(string)
		if operator = strings.ToLower(operator); operator == "content-length-range" {
			least, ok := number(c[1])
			most, also := number(c[2])
			if !ok || !also {
				return "", invalid
			}
			limits.least, limits.most = least, most
			return "", nil
		}
		name, ok := c[1].(string)
		want, also := c[2].(string)
		if !ok || !also || operator != "eq" && operator != "starts-with" {
			return "", invalid
		}
		return f.match(operator, strings.TrimPrefix(name, "$"), want)
	}
	return "", invalid
}

// match returns the field that a condition compares with a text.
func (f *objectForm) match(operator, name, want string) (string, error) {
	field := strings.ToLower(name)
	value := f.fields[field]
	if field == "bucket" {
		value = f.bucket
	}
	if operator == "eq" && value != want || !strings.HasPrefix(value, want) {
		shown, _ := json.Marshal([]string{operator, "$" + name, want}) // texts always encode
		return "", formDenied("Policy Condition failed: " + strings.ReplaceAll(string(shown), `","`, `", "`))
	}
	return field, nil
}
