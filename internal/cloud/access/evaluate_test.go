package access_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"aloft.dev/aloft/internal/cloud/access"
	"aloft.dev/aloft/internal/cloud/policydocument"
)

func parse(t testing.TB, statements string) *policydocument.Document {
	t.Helper()
	d, err := policydocument.Parse(policydocument.Identity, `{"Version":"2012-10-17","Statement":[`+statements+`]}`)
	if err != nil {
		t.Fatalf("%v in %s", err, statements)
	}
	return d
}

func documents(t testing.TB, statements ...string) []*policydocument.Document {
	t.Helper()
	var all []*policydocument.Document
	for _, text := range statements {
		all = append(all, parse(t, text))
	}
	return all
}

const (
	everything = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	own        = "arn:aws:ssm:us-east-1:000000000000:parameter/shop/key"
	other      = "arn:aws:ssm:us-east-1:000000000000:parameter/bank/key"
)

func TestEvaluate(t *testing.T) {
	for name, test := range map[string]struct {
		policies []string
		boundary string
		request  access.Request
		want     access.Decision
	}{
		"no policy": {
			request: access.Request{Action: "ssm:GetParameter", Resources: []string{own}},
			want:    access.Decision{Layer: access.Identity, Resource: own},
		},
		"allowed": {
			policies: []string{
				`{"Effect":"Allow","Action":["ssm:PutParameter","SSM:getParam*"],
				"Resource":"arn:aws:ssm:*:*:parameter/shop/*"}`,
			},
			request: access.Request{Action: "ssm:GetParameter", Resources: []string{own}},
			want:    access.Decision{Allowed: true},
		},
		"one resource of two": {
			policies: []string{`{"Effect":"Allow","Action":"ssm:*","Resource":"arn:aws:ssm:*:*:parameter/shop/*"}`},
			request:  access.Request{Action: "ssm:GetParameters", Resources: []string{own, other}},
			want:     access.Decision{Layer: access.Identity, Resource: other},
		},
		"a denial wins over an allowance": {
			policies: []string{
				everything, `{"Effect":"Deny","Action":"ssm:Get*","Resource":"arn:aws:ssm:*:*:parameter/bank/*"}`,
			},
			request: access.Request{Action: "ssm:GetParameters", Resources: []string{own, other}},
			want:    access.Decision{Explicit: true, Layer: access.Identity, Resource: other},
		},
		"resources are case sensitive": {
			policies: []string{`{"Effect":"Allow","Action":"ssm:*","Resource":"arn:aws:ssm:*:*:parameter/Shop/*"}`},
			request:  access.Request{Action: "ssm:GetParameter", Resources: []string{own}},
			want:     access.Decision{Layer: access.Identity, Resource: own},
		},
		"the boundary does not allow it": {
			policies: []string{everything},
			boundary: `{"Effect":"Allow","Action":"ec2:*","Resource":"*"}`,
			request:  access.Request{Action: "ssm:GetParameter", Resources: []string{own}},
			want:     access.Decision{Layer: access.Boundary, Resource: own},
		},
		"the boundary denies it": {
			policies: []string{everything},
			boundary: everything + `,{"Effect":"Deny","Action":"ssm:*","Resource":"*"}`,
			request:  access.Request{Action: "ssm:GetParameter", Resources: []string{own}},
			want:     access.Decision{Explicit: true, Layer: access.Boundary, Resource: own},
		},
		"a boundary alone allows nothing": {
			boundary: everything,
			request:  access.Request{Action: "ssm:GetParameter", Resources: []string{own}},
			want:     access.Decision{Layer: access.Identity, Resource: own},
		},
		"NotAction": {
			policies: []string{`{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`},
			request:  access.Request{Action: "iam:CreateRole"},
			want:     access.Decision{Layer: access.Identity, Resource: "*"},
		},
		"NotResource": {
			policies: []string{
				everything,
				`{"Effect":"Deny","Action":"ssm:*","NotResource":"arn:aws:ssm:*:*:parameter/shop/*"}`,
			},
			request: access.Request{Action: "ssm:GetParameter", Resources: []string{other}},
			want:    access.Decision{Explicit: true, Layer: access.Identity, Resource: other},
		},
		"an ARN does not allow what has no resource": {
			policies: []string{`{"Effect":"Allow","Action":"ec2:*","Resource":"arn:aws:ec2:*:*:*"}`},
			request:  access.Request{Action: "ec2:DescribeInstances", Resources: []string{"*"}},
			want:     access.Decision{Layer: access.Identity, Resource: "*"},
		},
		"an unknown resource needs an allowance of everything": {
			policies: []string{`{"Effect":"Allow","Action":"ec2:*","Resource":"arn:aws:ec2:*:*:instance/i-1"}`},
			request:  access.Request{Action: "ec2:Foo", Unknown: true},
			want:     access.Decision{Layer: access.Identity, Resource: "*"},
		},
		"a denial of any resource counts for an unknown one": {
			policies: []string{
				everything, `{"Effect":"Deny","Action":"ec2:*","Resource":"arn:aws:ec2:*:*:instance/i-1"}`,
			},
			request: access.Request{Action: "ec2:Foo", Unknown: true},
			want:    access.Decision{Explicit: true, Layer: access.Identity, Resource: "*"},
		},
		"an exception of any resource counts for an unknown one": {
			policies: []string{`{"Effect":"Allow","Action":"ec2:*","NotResource":"arn:aws:ec2:*:*:instance/i-1"}`},
			request:  access.Request{Action: "ec2:Foo", Unknown: true},
			want:     access.Decision{Layer: access.Identity, Resource: "*"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var boundary *policydocument.Document
			if test.boundary != "" {
				boundary = parse(t, test.boundary)
			}
			if got := access.Evaluate(documents(t, test.policies...), boundary, test.request); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestSessionPolicyNarrows(t *testing.T) {
	p := access.Policies{
		Identity: documents(t, everything),
		Session:  documents(t, `{"Effect":"Allow","Action":"ssm:Get*","Resource":"*"}`),
	}
	if !p.Evaluate(access.Request{Action: "ssm:GetParameter"}).Allowed {
		t.Error("what both allow is refused")
	}
	want := access.Decision{Layer: access.Session, Resource: "*"}
	if got := p.Evaluate(access.Request{Action: "ssm:PutParameter"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestWildcardsInResources(t *testing.T) {
	const secret = "arn:aws:secretsmanager:us-east-1:000000000000:secret:db-AbCdEf"
	for pattern, want := range map[string]bool{
		"arn:aws:secretsmanager:us-east-1:000000000000:secret:db-??????": true,
		"arn:aws:secretsmanager:us-east-1:000000000000:secret:db-?????":  false,
		"arn:aws:secretsmanager:*:*:secret:db-*":                         true,
		"arn:aws:secretsmanager:us-east-1:*":                             true,
		"arn:aws:secretsmanager:us*1:*:secret:db-*":                      true,
		"arn:aws:secretsmanager:us*AbCdEf:*:*:*":                         false,
		"arn:aws:secretsmanager:us-east-1:0*0:secret:d*f":                true,
		"arn:aws:secretsmanager:us-east-1:0*f:*":                         false,
		"arn:aws:secretsmanager:us-east-1:000000000000:secret?db-*":      false,
		"arn:aws:secretsmanager:us-east-1:000000000000:secret:db":        false,
		"*": true,
	} {
		policies := documents(t, `{"Effect":"Allow","Action":"*","Resource":"`+pattern+`"}`)
		got := access.Evaluate(policies, nil, access.Request{Action: "x:Y", Resources: []string{secret}})
		if got.Allowed != want {
			t.Errorf("%s: got %v, want %v", pattern, got.Allowed, want)
		}
	}
}

func TestVariables(t *testing.T) {
	team := `{"Effect":"Allow","Action":"*","Resource":"arn:aws:ssm:*:*:parameter/${aws:PrincipalTag/team}/*"}`
	for name, test := range map[string]struct {
		statement string
		context   map[string][]string
		want      bool
	}{
		"the tag's value":         {team, map[string][]string{"aws:principaltag/TEAM": {"shop"}}, true},
		"another value":           {team, map[string][]string{"aws:PrincipalTag/team": {"bank"}}, false},
		"no value":                {team, nil, false},
		"two values":              {team, map[string][]string{"aws:PrincipalTag/team": {"shop", "bank"}}, false},
		"an asterisk as a value":  {team, map[string][]string{"aws:PrincipalTag/team": {"*"}}, false},
		"a default":               {strings.Replace(team, "/team}", "/team, 'shop'}", 1), nil, true},
		"a default without quote": {strings.Replace(team, "/team}", "/team, shop}", 1), nil, false},
		"unclosed":                {strings.Replace(team, "/team}", "/team", 1), nil, false},
		"an escaped asterisk": {
			`{"Effect":"Allow","Action":"*","Resource":"arn:aws:ssm:*:*:parameter/${*}/key"}`, nil, false,
		},
		"an exception without a value": {
			`{"Effect":"Allow","Action":"*","NotResource":"arn:aws:ssm:*:*:parameter/${aws:PrincipalTag/team}/*"}`,
			nil, false,
		},
		"a condition's value": {
			`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":
				{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}}`,
			map[string][]string{"aws:PrincipalTag/team": {"a"}, "aws:ResourceTag/team": {"a"}}, true,
		},
		"a negated condition without the variable's value": {
			`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringNotEquals":
				{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}}`,
			map[string][]string{"aws:ResourceTag/team": {"a"}}, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := access.Request{Action: "ssm:GetParameter", Resources: []string{own}, Context: test.context}
			if got := access.Evaluate(documents(t, test.statement), nil, r).Allowed; got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestOldDocumentsHaveNoVariables(t *testing.T) {
	d := parse(t, `{"Effect":"Allow","Action":"*","Resource":"arn:aws:ssm:*:*:parameter/${aws:PrincipalTag/team}/*"}`)
	d.Version = "2008-10-17"
	r := access.Request{
		Action: "ssm:GetParameter", Resources: []string{own},
		Context: map[string][]string{"aws:PrincipalTag/team": {"shop"}},
	}
	if access.Evaluate([]*policydocument.Document{d}, nil, r).Allowed {
		t.Error("a document of 2008 has variables")
	}
}

// A principal with statements of both effects never does more than one without the
// denials, and no policy allows more than it does with one statement more.
func TestDenialsNarrowAndAllowancesWiden(t *testing.T) {
	actions := rapid.SampledFrom([]string{"ssm:Get*", "ssm:*", "ec2:*", "*", "ssm:GetParameter"})
	resources := rapid.SampledFrom([]string{"*", own, other, "arn:aws:ssm:*:*:parameter/shop/*"})
	rapid.Check(t, func(t *rapid.T) {
		statement := func(allow bool) policydocument.Statement {
			return policydocument.Statement{
				Allow: allow, Actions: []string{actions.Draw(t, "action")},
				Resources: []string{resources.Draw(t, "resource")},
			}
		}
		document := &policydocument.Document{Version: "2012-10-17"}
		for range rapid.IntRange(0, 5).Draw(t, "statements") {
			document.Statements = append(document.Statements, statement(rapid.Bool().Draw(t, "allow")))
		}
		r := access.Request{Action: "ssm:GetParameter", Resources: []string{own, other}}
		with := func(extra ...policydocument.Statement) access.Decision {
			d := *document
			d.Statements = append(append([]policydocument.Statement{}, d.Statements...), extra...)
			return access.Evaluate([]*policydocument.Document{&d}, nil, r)
		}
		before := with()
		if after := with(statement(false)); after.Allowed && !before.Allowed {
			t.Error("a denial allows")
		}
		if after := with(statement(true)); before.Allowed && !after.Allowed || before.Explicit != after.Explicit {
			t.Error("an allowance denies, or undoes a denial")
		}
		bounded := access.Evaluate([]*policydocument.Document{document}, document, r)
		if bounded.Allowed != before.Allowed {
			t.Error("a boundary with the same statements changes the result")
		}
	})
}

func TestLimitsOfWhatOthersAllow(t *testing.T) {
	computing := `{"Effect":"Allow","Action":"ec2:*","Resource":"*"}`
	r := access.Request{Action: "sts:AssumeRole", Resources: []string{"arn:aws:iam::000000000000:role/a"}}
	denial := `{"Effect":"Deny","Action":"sts:*","Resource":"*"}`
	for name, test := range map[string]struct {
		policies access.Policies
		want     bool
	}{
		"no policy":                   {access.Policies{}, true},
		"a denial":                    {access.Policies{Identity: documents(t, denial)}, false},
		"a boundary":                  {access.Policies{Boundary: parse(t, everything)}, true},
		"a boundary without it":       {access.Policies{Boundary: parse(t, computing)}, false},
		"a session policy without it": {access.Policies{Session: documents(t, computing)}, false},
		"a boundary that denies":      {access.Policies{Boundary: parse(t, everything+","+denial)}, false},
	} {
		if got := test.policies.WithinLimits(r); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
		if len(test.policies.Identity) > 1 {
			t.Errorf("%s: the policies changed", name)
		}
	}
}
