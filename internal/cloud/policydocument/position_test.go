package policydocument

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The positions of the first document are those of an example of AWS (AWS CLI Command Reference,
// simulate-custom-policy).
func TestStatementsHaveThePositionsOfTheSimulator(t *testing.T) {
	for text, want := range map[string][]Span{
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":` +
			`{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}`: {{Position{1, 38}, Position{1, 167}}},
		"{\n    \"Statement\": [\n        {\"Sid\": \"ä\"\n        } , {}]}": {
			{Position{2, 19}, Position{4, 10}}, {Position{4, 10}, Position{4, 15}},
		},
	} {
		if diff := cmp.Diff(want, Spans(text)); diff != "" {
			t.Errorf("%s:\n%s", text, diff)
		}
	}
}

func TestContextKeysAreThoseOfConditionsAndVariables(t *testing.T) {
	const statements = `"Statement": [
	  {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/${aws:username}/${*}",
	   "Condition": {"StringLike": {"s3:prefix": ["${aws:PrincipalTag/team, 'none'}", "${aws:username}"]}}},
	  {"Effect": "Deny", "Action": "*", "NotResource": "*", "Condition": {"Bool": {"AWS:UserName": "true"}}}]}`
	for version, want := range map[string][]string{
		`{"Version": "2012-10-17", `: {"aws:username", "s3:prefix", "aws:PrincipalTag/team"},
		`{`:                          {"s3:prefix", "AWS:UserName"},
	} {
		d, err := Parse(Identity, version+statements)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, ContextKeys(d, d)); diff != "" {
			t.Error(diff)
		}
	}
}
