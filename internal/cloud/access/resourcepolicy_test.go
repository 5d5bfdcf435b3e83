package access

import (
	"slices"
	"testing"

	"aloft.dev/aloft/internal/cloud/policydocument"
)

func TestAResourcesPolicyConcernsItsPrincipals(t *testing.T) {
	ada := Trustee{Account: "111111111111", Names: []string{"arn:aws:iam::111111111111:user/ada"}}
	for text, want := range map[string][2]bool{ // own, delegated
		`"Principal": {"AWS": "arn:aws:iam::111111111111:user/ada"}`: {true, false},
		`"Principal": {"AWS": "*"}`:                                  {true, false},
		`"Principal": "*"`:                                           {true, false},
		`"Principal": {"AWS": "111111111111"}`:                       {false, true},
		`"Principal": {"AWS": "arn:aws:iam::111111111111:user/bob"}`: {false, false},
		`"Principal": {"Service": "ec2.amazonaws.com"}`:              {false, false},
	} {
		d, err := policydocument.Parse(policydocument.Resource, `{"Statement": [
		  {"Effect": "Allow", `+text+`, "Action": "s3:Get*", "Resource": "*"},
		  {"Effect": "Deny", `+text+`, "Action": "s3:Put*", "Resource": "*"}]}`)
		if err != nil {
			t.Fatal(err)
		}
		own, delegated := Concerning(d, ada)
		allowed := func(d *policydocument.Document) bool {
			found := Matches([]*policydocument.Document{d}, true, Request{Action: "s3:GetObject"})
			return slices.Contains(found, Match{0, 0})
		}
		if got := [2]bool{allowed(own), allowed(delegated)}; got != want {
			t.Errorf("%s allows %v, want %v", text, got, want)
		}
		denied := len(Matches([]*policydocument.Document{own}, false, Request{Action: "s3:PutObject"})) > 0
		if denied != (want[0] || want[1]) {
			t.Errorf("%s denies: %v", text, denied)
		}
	}
}
