package access_test

import (
	"testing"

	"aloft.dev/aloft/internal/cloud/access"
	"aloft.dev/aloft/internal/cloud/policydocument"
)

// Whatever a policy says, a statement that denies everything has the last word.
func FuzzPolicy(f *testing.F) {
	for _, statement := range []string{
		everything, `{"Effect":"Allow","NotAction":["a:*"],"NotResource":"arn:aws:s3:::${aws:username}/*"}`,
		`{"Effect":"Allow","Action":"ssm:Get?arameter","Resource":"` + own + `",` +
			`"Condition":{"ForAllValues:StringLikeIfExists":{"aws:x":["a*","${*}","${"]}}}`,
		`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"::/0"}}}`,
		`{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"Bool":{"k":true}}}`,
		`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateLessThan":{"k":"1e9"},"Null":{"k":"x"}}}`,
	} {
		f.Add(`{"Version":"2012-10-17","Statement":[`+statement+`]}`, "ssm:GetParameter", own, "aws:x", "::1")
	}
	f.Fuzz(func(t *testing.T, text, action, resource, key, value string) {
		request := access.Request{
			Action: action, Resources: []string{resource}, Context: map[string][]string{key: {value}},
		}
		if trust, err := policydocument.Parse(policydocument.Trust, text); err == nil {
			access.EvaluateTrust(trust, access.Trustee{}, request)
		}
		policy, err := policydocument.Parse(policydocument.Identity, text)
		if err != nil {
			if err.Error() == "" {
				t.Error("a refusal without a reason")
			}
			return
		}
		access.Evaluate([]*policydocument.Document{policy}, nil, request)
		denied := parse(t, `{"Effect":"Deny","Action":"*","Resource":"*"}`)
		if access.Evaluate([]*policydocument.Document{policy, denied}, nil, request).Allowed {
			t.Error("allowed, although a statement denies everything")
		}
		if access.Evaluate([]*policydocument.Document{policy}, &policydocument.Document{}, request).Allowed {
			t.Error("allowed, although the boundary allows nothing")
		}
	})
}
