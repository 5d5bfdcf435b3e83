package access_test

import (
	"testing"

	"aloft.dev/aloft/internal/cloud/access"
	"aloft.dev/aloft/internal/cloud/policydocument"
)

func TestEvaluateTrust(t *testing.T) {
	session := access.Trustee{Account: "000000000000", Names: []string{
		"arn:aws:sts::000000000000:assumed-role/web/s", "arn:aws:iam::000000000000:role/web",
	}}
	machine := access.Trustee{Service: "ec2.amazonaws.com"}
	for name, test := range map[string]struct {
		statements string
		trustee    access.Trustee
		want       access.Trust
	}{
		"service":         {trust(`{"Service":"ec2.amazonaws.com"}`, ""), machine, access.Trusted},
		"another service": {trust(`{"Service":"lambda.amazonaws.com"}`, ""), machine, access.Untrusted},
		"a service is no part of the account": {
			trust(`{"AWS":"arn:aws:iam::000000000000:root"}`, ""), machine, access.Untrusted,
		},
		"account":         {trust(`{"AWS":"000000000000"}`, ""), session, access.Delegated},
		"root":            {trust(`{"AWS":"arn:aws:iam::000000000000:root"}`, ""), session, access.Delegated},
		"another account": {trust(`{"AWS":"111111111111"}`, ""), session, access.Untrusted},
		"role":            {trust(`{"AWS":"arn:aws:iam::000000000000:role/web"}`, ""), session, access.Trusted},
		"everyone":        {trust(`"*"`, ""), session, access.Delegated},
		"a condition": {
			trust(`{"AWS":"000000000000"}`, `{"StringEquals":{"sts:ExternalId":"x"}}`), session, access.Untrusted,
		},
		"a condition that is met": {
			trust(`{"AWS":"000000000000"}`, `{"StringEquals":{"sts:RoleSessionName":"s"}}`), session, access.Delegated,
		},
		"a denial": {
			trust(`{"AWS":"000000000000"}`, "") + "," +
				`{"Effect":"Deny","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::000000000000:role/web"}}`,
			session, access.Refused,
		},
	} {
		t.Run(name, func(t *testing.T) {
			text := `{"Version":"2012-10-17","Statement":[` + test.statements + `]}`
			d, err := policydocument.Parse(policydocument.Trust, text)
			if err != nil {
				t.Fatal(err)
			}
			r := access.Request{
				Action: "sts:AssumeRole", Context: map[string][]string{"sts:RoleSessionName": {"s"}},
			}
			if got := access.EvaluateTrust(d, test.trustee, r); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// trust returns a statement that lets principals assume a role on a condition.
func trust(principal, condition string) string {
	if condition == "" {
		condition = "{}"
	}
	return `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":` + principal + `,"Condition":` + condition + `}`
}
