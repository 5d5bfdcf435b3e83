package policydocument_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/cloud/policydocument"
)

func TestParse(t *testing.T) {
	for _, test := range []struct {
		name string
		kind policydocument.Kind
		text string
		want policydocument.Document
	}{
		{
			"one statement of an identity policy", policydocument.Identity,
			`{"Version": "2012-10-17", "Id": "x", "Statement": {"Sid": "One", "Effect": "Allow",
			  "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*"}}`,
			policydocument.Document{Version: "2012-10-17", Statements: []policydocument.Statement{
				{Sid: "One", Allow: true, Actions: []string{"s3:Get*"}, Resources: []string{"arn:aws:s3:::b/*"}},
			}},
		},
		{
			"statements with everything else", policydocument.Identity,
			`{"Version": "2012-10-17", "Statement": [
			  {"Effect": "Deny", "NotAction": ["iam:*", "ec2:Describe*"], "NotResource": ["*", "arn:aws:sqs"],
			   "Condition": {"Bool": {"aws:SecureTransport": false}, "NumericLessThan": {"aws:x": [1, "2"]},
			     "ForAllValues:StringLikeIfExists": {"aws:TagKeys": ["a*"], "aws:b": "c"}}},
			  {"Sid": "", "Effect": "Allow", "Action": "*", "Resource": "*",
			   "Condition": {"Null": {"aws:a": "true"}}}]}`,
			policydocument.Document{Version: "2012-10-17", Statements: []policydocument.Statement{
				{
					NotActions: []string{"iam:*", "ec2:Describe*"}, NotResources: []string{"*", "arn:aws:sqs:*:*:*"},
					Conditions: []policydocument.Condition{
						{Operator: "Bool", Key: "aws:SecureTransport", Values: []string{"false"}},
						{Operator: "NumericLessThan", Key: "aws:x", Values: []string{"1", "2"}},
						{Operator: "ForAllValues:StringLikeIfExists", Key: "aws:TagKeys", Values: []string{"a*"}},
						{Operator: "ForAllValues:StringLikeIfExists", Key: "aws:b", Values: []string{"c"}},
					},
				},
				{
					Allow: true, Actions: []string{"*"}, Resources: []string{"*"},
					Conditions: []policydocument.Condition{{Operator: "Null", Key: "aws:a", Values: []string{"true"}}},
				},
			}},
		},
		{
			"a trust policy of the first version", policydocument.Trust,
			`{"Statement": [{"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Principal": {
			  "Service": "ec2.amazonaws.com", "AWS": ["000000000000", "arn:aws:iam::000000000000:role/a/b"],
			  "Federated": "accounts.google.com"}}]}`,
			policydocument.Document{Version: "2008-10-17", Statements: []policydocument.Statement{{
				Allow: true, Actions: []string{"sts:AssumeRole", "sts:TagSession"},
				Principals: map[string][]string{
					"Service": {"ec2.amazonaws.com"}, "AWS": {"000000000000", "arn:aws:iam::000000000000:role/a/b"},
					"Federated": {"accounts.google.com"},
				},
			}}},
		},
		{
			"an identity policy without a version", policydocument.Identity,
			`{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`,
			policydocument.Document{Version: "2008-10-17", Statements: []policydocument.Statement{
				{Allow: true, Actions: []string{"*"}, Resources: []string{"*"}},
			}},
		},
		{
			"actions of a trust policy with wildcards", policydocument.Trust,
			`{"Statement": {"Effect": "Allow", "Action": ["STS:assumerole*", "sts:*", "sts:Assume?ole"],
			  "Principal": {"AWS": "*"}}}`,
			policydocument.Document{Version: "2008-10-17", Statements: []policydocument.Statement{{
				Allow: true, Actions: []string{"STS:assumerole*", "sts:*", "sts:Assume?ole"},
				Principals: map[string][]string{"AWS": {"*"}},
			}}},
		},
		{
			"everybody", policydocument.Trust,
			`{"Statement": {"Effect": "Deny", "Action": "sts:AssumeRole", "Principal": "*"}}`,
			policydocument.Document{Version: "2008-10-17", Statements: []policydocument.Statement{{
				Actions: []string{"sts:AssumeRole"}, Principals: map[string][]string{"*": {"*"}},
			}}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := policydocument.Parse(test.kind, test.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// identity returns an identity policy with one statement.
func identity(statement string) string {
	return `{"Version": "2012-10-17", "Statement": [` + statement + `]}`
}

func TestParseRefusesIdentityPolicies(t *testing.T) {
	const rest = `"Effect": "Allow", "Action": "s3:GetObject"`
	for _, test := range []struct{ text, want string }{
		{`{`, "Syntax errors in policy. The document is not valid JSON"},
		{`[]`, "not a JSON object"},
		{`{} {}`, "not valid JSON"},
		{`{"Version": "2012-10-17", "Version": "2012-10-17"}`, "The document has the field Version twice"},
		{`{"Version": "2012-10-18", "Statement": []}`, "Version \"2012-10-18\" is not valid"},
		{`{"Version": "2012-10-17"}`, "Missing required field Statement"},
		{`{"Version": "2012-10-17", "Id": 1, "Statement": []}`, "Id must be a string"},
		{`{"Version": "2012-10-17", "Statements": []}`, "Unknown field Statements"},
		{identity(``), "Statement is empty"},
		{identity(`"a"`), "Statement 1 is not a JSON object"},
		{identity(`{` + rest + `, "Resource": "*"}, {"Efect": "Allow"}`), "Unknown field Efect (statement 2)"},
		{identity(`{"Action": "s3:*", "Resource": "*"}`), "Missing required field Effect (statement 1)"},
		{identity(`{"Effect": "allow"}`), `Invalid effect: "allow"`},
		{identity(`{"Effect": "Allow", "Resource": "*"}`), "Policy statement must contain actions."},
		{identity(`{"Effect": "Allow", "Action": [], "Resource": "*"}`), "Policy statement must contain actions."},
		{identity(`{"Effect": "Allow", "Action": 1, "Resource": "*"}`), "Action must be a string or a list"},
		{identity(`{` + rest + `}`), "Policy statement must contain resources."},
		{identity(`{` + rest + `, "NotAction": "s3:*"}`), "Statement 1 has both Action and NotAction"},
		{identity(`{` + rest + `, "Resource": "*", "NotResource": "*"}`), "both Resource and NotResource"},
		{identity(`{` + rest + `, "Resource": [{}]}`), "Resource must be a string or a list"},
		{identity(`{"Principal": "*"}`), "Policy document should not specify a principal."},
		{identity(`{"NotPrincipal": "*"}`), "Policy document should not specify a principal."},
		{identity(`{"Sid": 7}`), "Sid must be a string"},
		{identity(`{"Sid": "a b"}`), "must be alpha-numeric"},
		{
			identity(`{"Sid": "a", ` + rest + `, "Resource": "*"}, {"Sid": "a"}`),
			"Statement IDs (SID) in a single policy must be unique.",
		},
		{identity(`{"Action": "GetObject"}`), `prefaced by a vendor, e.g., iam, sdb, ec2, etc. The action "GetObject"`},
		{identity(`{"Action": "s3:a:b"}`), "can contain only one colon"},
		{identity(`{"Action": "s 3:a"}`), "Vendor s 3 is not valid"},
		{identity(`{"Action": ":a"}`), "Vendor  is not valid"},
		{identity(`{"Action": "s3:"}`), `The action "s3:" has no name`},
		{identity(`{"Resource": "bucket"}`), `Resource bucket must be in ARN format or "*".`},
		{identity(`{"Resource": "arn"}`), `Resource arn must be in ARN format or "*".`},
		{identity(`{"Resource": "arn:aws-cn:s3:::b"}`), `Partition "aws-cn" is not valid for resource "arn:aws-cn:`},
		{identity(`{"Resource": "arn:aws:*:::b"}`), "Resource vendor must be fully qualified"},
		{identity(`{"Resource": "arn:aws:s3:eu-west-1::b"}`), "can not contain region information."},
		{identity(`{"Resource": "arn:aws:iam:eu-west-1::b"}`), "cannot contain region information."},
		{identity(`{"Condition": []}`), "Condition is not a JSON object"},
		{identity(`{"Condition": {"StringIs": {}}}`), "Invalid Condition type : StringIs"},
		{identity(`{"Condition": {"NullIfExists": {}}}`), "Invalid Condition type : NullIfExists"},
		{identity(`{"Condition": {":Bool": {}}}`), "Invalid Condition type : :Bool"},
		{identity(`{"Condition": {"ForSomeValues:Bool": {}}}`), "Invalid Condition type : ForSomeValues:Bool"},
		{identity(`{"Condition": {"Bool": "true"}}`), "Condition Bool is not a JSON object"},
		{identity(`{"Condition": {"Bool": {"aws:a": null}}}`), "Condition Bool of aws:a must have a value"},
		{identity(`{"Condition": {"Bool": {"a": "true"}}}`), `The condition key "a" is not`},
	} {
		_, err := policydocument.Parse(policydocument.Identity, test.text)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.text, err, test.want)
		}
	}
}

func TestParseRefusesTrustPolicies(t *testing.T) {
	for _, test := range []struct{ statement, want string }{
		{`{`, "This policy contains invalid Json"},
		{`{"Effect": "Allow", "Action": "sts:AssumeRole"}`, "Missing required field Principal (statement 1)"},
		{`{"Effect": "Allow", "Principal": "*"}`, "Missing required field Action (statement 1)"},
		{`{"Resource": "*"}`, "Has prohibited field Resource"},
		{`{"NotPrincipal": "*"}`, "Has prohibited field NotPrincipal"},
		{`{"NotAction": "sts:AssumeRole"}`, "Has prohibited field NotAction"},
		{`{"Action": "*"}`, "AssumeRole policy may only specify STS AssumeRole actions."},
		{`{"Action": "sts:TagSessions"}`, "AssumeRole policy may only specify STS AssumeRole actions."},
		{`{"Action": "sts:Get*"}`, "AssumeRole policy may only specify STS AssumeRole actions."},
		{`{"Action": "s3:GetObject"}`, "AssumeRole policy may only specify STS AssumeRole actions."},
		{`{"Principal": "ec2.amazonaws.com"}`, `Invalid principal in policy: "":"ec2.amazonaws.com"`},
		{`{"Principal": 1}`, "Principal is not a JSON object"},
		{`{"Principal": {"AWS": []}}`, "Principal AWS must be a string"},
		{`{"Principal": {"AWS": "me"}}`, `Invalid principal in policy: "AWS":"me"`},
		{`{"Principal": {"AWS": "arn:aws:iam::000000000000:role/*"}}`, `Invalid principal in policy: "AWS"`},
		{`{"Principal": {"Service": "ec2"}}`, `Invalid principal in policy: "SERVICE":"ec2"`},
		{`{"Principal": {"Federated": "example.com"}}`, `Invalid principal in policy: "FEDERATED":"example.com"`},
		{`{"Principal": {"CanonicalUser": "1"}}`, `Invalid principal in policy: "CANONICALUSER":"1"`},
	} {
		_, err := policydocument.Parse(policydocument.Trust, identity(test.statement))
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.statement, err, test.want)
		}
	}
}

func TestSplitOperator(t *testing.T) {
	for operator, want := range map[string][3]string{
		"StringEquals":                 {"", "StringEquals", ""},
		"BoolIfExists":                 {"", "Bool", "IfExists"},
		"ForAnyValue:StringLike":       {"ForAnyValue", "StringLike", ""},
		"ForAllValues:ArnLikeIfExists": {"ForAllValues", "ArnLike", "IfExists"},
	} {
		set, name, ifExists := policydocument.SplitOperator(operator)
		if set != want[0] || name != want[1] || ifExists != (want[2] != "") {
			t.Errorf("%s: got %q, %q, %v", operator, set, name, ifExists)
		}
	}
}
