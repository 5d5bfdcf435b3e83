package resource

import (
	"slices"
	"testing"

	"aloft.dev/aloft/internal/stack"
)

func TestTheDocumentsOfARoleAreReadAsTheyWereWritten(t *testing.T) {
	role := stack.Role{Principal: "ec2.amazonaws.com", Statements: []stack.Statement{
		{Effect: "Allow", Action: []string{"s3:GetObject", "s3:PutObject"}, Resource: []string{"arn:aws:s3:::b/*"}},
		{Effect: "Allow", Action: []string{"*"}, Resource: []string{"*"}},
	}}
	want := []string{"s3:GetObject, s3:PutObject on arn:aws:s3:::b/*", "* on *"}
	if got := statementsOf(role.Policy()); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if got := principalOf(role.Trust()); got != role.Principal {
		t.Errorf("got %q", got)
	}
}

func TestOtherDocumentsAreDifferent(t *testing.T) {
	const (
		deny   = `{"Effect": "Deny", "Action": "a:B", "Resource": "*"}`
		others = `{"Effect": "Allow", "NotAction": "a", "Resource": "*"}`
		public = `{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}]}`
		two    = `{"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": ["a", "b"]}}}`
	)
	for document, want := range map[string]string{
		`{"Statement": {"Effect": "Allow", "Action": "a:B", "Resource": "*"}}`: "a:B on *",
		`{"Statement": [` + deny + `]}`:                                        deny,
		`{"Statement": [` + others + `]}`:                                      others,
		`no JSON`:                                                              "no JSON",
	} {
		if got := statementsOf(document); len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %q", document, got)
		}
	}
	for document, want := range map[string]string{two: "a, b", public: public, `{}`: `{}`} {
		if got := principalOf(document); got != want {
			t.Errorf("%s: got %q", document, got)
		}
	}
}
